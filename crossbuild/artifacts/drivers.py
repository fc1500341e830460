"""Which kernel modules a Warewulf 3 bootstrap carries, chosen as wwbootstrap chooses them.

An entry is the exact name of a module, else the beginning of a path below the module folder; whatever a
module depends on comes along. Unlike wwbootstrap, `-` and `_` are the same in names, as they are to
modprobe(8), and an entry that fits nothing can be told from one that does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild.formats.module_index import parse_dependencies

_SUFFIX = re.compile(r"\.ko(\.xz|\.gz|\.zst|\.bz2)?$")


@dataclass(frozen=True, kw_only=True)
class ModuleIndex:
    """What depmod(8) knows about the modules of one kernel; paths are relative to the module folder."""

    needs: Mapping[str, tuple[str, ...]]
    """Of each module, what modules.dep lists behind it."""
    builtin: frozenset[str]
    """Modules that are part of the kernel itself (modules.builtin)."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The modules to carry, sorted, and the entries that fit no module of this kernel."""

    modules: tuple[str, ...]
    unknown: tuple[str, ...]


def read_index(folder: Path) -> ModuleIndex:
    """Read modules.dep(5) and modules.builtin of the module *folder*; raise OSError or ValueError."""
    listed = parse_dependencies((folder / "modules.dep").read_text())
    needs = {str(module): tuple(map(str, needed)) for module, needed in listed.items()}
    builtin = folder / "modules.builtin"
    return ModuleIndex(
        needs=needs, builtin=frozenset(builtin.read_text().split() if builtin.is_file() else ())
    )


def select(index: ModuleIndex, entries: Iterable[str]) -> Selection:
    """Return what *entries* stand for; one that only fits what is built in asks for nothing."""
    by_name = {module_name(path): path for path in index.needs}
    builtin_names = {module_name(path) for path in index.builtin}
    chosen: set[str] = set()
    unknown = []
    for entry in entries:
        # The path of a folder is no name, even if a module is called like the folder: drivers/virtio/.
        name = "" if "/" in entry else module_name(entry)
        if name in by_name:
            chosen.add(by_name[name])
        elif found := [path for path in index.needs if path.startswith(entry)]:
            chosen.update(found)
        elif name not in builtin_names and not any(path.startswith(entry) for path in index.builtin):
            unknown.append(entry)
    return Selection(modules=tuple(sorted(_closure(index, chosen))), unknown=tuple(unknown))


def module_name(path: str) -> str:
    """Return the name that modprobe knows the module file *path* by."""
    return _SUFFIX.sub("", PurePosixPath(path).name).replace("-", "_")


def _closure(index: ModuleIndex, chosen: set[str]) -> set[str]:
    found: set[str] = set()
    pending = list(chosen)
    while pending:
        module = pending.pop()
        if module not in found:
            found.add(module)
            pending.extend(index.needs.get(module, ()))
    return found
