"""Makes a twin: native programs of the root's own packages, relocated to where a sandbox shows them.

A program is rewritten to use the dynamic loader and the libraries of the twin (patchelf), rather than started
through that loader: then /proc/self/exe names the program, and its start costs nothing more. DT_RPATH, not
DT_RUNPATH, since it also serves what libraries and modules need in turn. Libraries themselves stay as they
are: a rewritten C library crashes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from crossbuild.acceleration.rules import (
    APT_CONFIGURATION,
    APT_PERL_CONFIG,
    APT_PERL_FOLDERS,
    TWIN,
    Condition,
    PackageRules,
    Ruleset,
    apt_settings,
    shell_settings,
)
from crossbuild.acceleration.table import Rule, Setting, render_table
from crossbuild.errors import DamagedTwinError
from crossbuild.formats.elf import DamagedElfError, ElfFile, read_elf
from crossbuild.host import command
from crossbuild.model.architecture import Architecture

LIBRARIES = "lib"
"""Folder of the twin with every library, whatever folder of its package it came from."""
PERL_VERSION = re.compile(r"\d+\.\d+")
LIBRARY = re.compile(r".+\.so(\.\d+)*")
MACHINE = re.compile(rb"\0(aarch64-\w+-linux(?:-gnu)?)\0")
"""What bash was configured for, which it puts into MACHTYPE."""


def make_twin(
    packages: Mapping[str, Path],
    originals: Mapping[str, Path],
    target: Path,
    native: Architecture,
    ruleset: Ruleset,
) -> None:
    """Fill the new folder *target* with `table` and `twin/` from *packages*, each unpacked in a folder.

    *originals* are the same packages as the root has them: only what has their sizes there is replaced. Of
    packages without rules only the libraries are taken. Raises CommandFailedError, OSError.
    """
    twin = target / "twin"
    (twin / LIBRARIES).mkdir(parents=True)
    for folder in packages.values():
        _copy_libraries(folder, twin / LIBRARIES)
    settings = shell_settings(_machine(originals))
    if ruleset.debian:
        settings += _debian_settings(packages.values(), twin, native)
    rules = [
        rule
        for name, folder in sorted(packages.items())
        if name in ruleset.packages and name in originals
        for rule in _copy_programs(ruleset.packages[name], folder, originals[name], twin, native)
    ]
    (target / "table").write_bytes(render_table(rules, settings))


def _debian_settings(packages: Iterable[Path], twin: Path, native: Architecture) -> tuple[Setting, ...]:
    """Put into *twin* what apt and perl are to find there; return the settings that say so."""
    for folder in packages:
        _copy_perl_modules(folder, twin, native)
    architecture = Architecture.AARCH64.debian
    (twin / APT_CONFIGURATION).write_text(f'APT::Architecture "{architecture}";\n', encoding="ascii")
    return apt_settings(native.multiarch, _perl_version(twin, native))


def _machine(originals: Mapping[str, Path]) -> str:
    """Return what the root's bash says that it was made for, which differs between distributions."""
    programs = originals["bash"].rglob("bin/bash") if "bash" in originals else iter(())
    found = (MACHINE.search(program.read_bytes()) for program in programs if program.is_file())
    return next((match[1].decode() for match in found if match), "aarch64-unknown-linux-gnu")


def _copy_programs(
    rules: PackageRules, folder: Path, originals: Path, twin: Path, native: Architecture
) -> Iterator[Rule]:
    for path in sorted(folder.rglob("*")):
        original = originals / path.relative_to(folder)
        if path.is_symlink() or not path.is_file() or not original.is_file() or not rules.allows(path.name):
            continue
        elf = _program(path, native)
        if elf is None or LIBRARY.fullmatch(path.name):
            continue
        place = _merged(path.relative_to(folder))
        copy = twin / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        if path.name in rules.named:
            content = _renamed(content, native.debian, Architecture.AARCH64.debian)
        copy.write_bytes(content)
        copy.chmod(0o755)
        if not elf.is_static:
            _relocate(copy)
        condition, size = rules.when.get(path.name, Condition()), original.stat().st_size
        yield _rule(place, copy, size, condition)
        unmerged = PurePosixPath(path.relative_to(folder))
        if unmerged != place:
            # While a base system is being unpacked, /bin may not be a link into /usr yet.
            yield _rule(unmerged, _second_name(copy, twin / unmerged), size, condition)


def _second_name(copy: Path, other: Path) -> Path:
    other.parent.mkdir(parents=True, exist_ok=True)
    other.hardlink_to(copy)
    return other


def _rule(place: PurePosixPath, copy: Path, original: int, condition: Condition) -> Rule:
    return Rule(
        path=PurePosixPath("/") / place,
        size=copy.stat().st_size,
        original=original,
        first=condition.first,
        none=condition.none,
        sets=condition.sets,
        owns=condition.owns,
    )


def _program(path: Path, native: Architecture) -> ElfFile | None:
    try:
        with path.open("rb") as file:
            elf = read_elf(file)
    except DamagedElfError as error:
        raise DamagedTwinError(f"{path.name} of the twin is damaged.", details=str(error)) from error
    return elf if elf is not None and elf.header.is_for(native) else None


def _renamed(program: bytes, old: str, new: str) -> bytes:
    """Return *program* with one architecture's name in its data replaced by another's of the same length."""
    assert len(old) == len(new)
    return re.sub(rb"(?<![\w./-])%b(?![\w./-])" % old.encode(), new.encode(), program)


def _relocate(program: Path) -> None:
    loader = PurePosixPath(Architecture.X86_64.interpreter).name
    command.capture(
        [
            "patchelf",
            "--force-rpath",
            "--set-rpath", f"{TWIN}/{LIBRARIES}",
            "--set-interpreter", f"{TWIN}/{LIBRARIES}/{loader}",
            os.fspath(program),
        ]
    )  # fmt: skip


def _copy_libraries(folder: Path, libraries: Path) -> None:
    for path in sorted(folder.rglob("*.so*")):
        # Links to links are as good as copies: the folder is flat, and its names are sonames.
        if LIBRARY.fullmatch(path.name) and "perl" not in path.relative_to(folder).as_posix():
            real = _target(path, folder)
            if real.is_file() and not (libraries / path.name).exists():
                shutil.copyfile(real, libraries / path.name)
                (libraries / path.name).chmod(0o755)


def _target(path: Path, folder: Path) -> Path:
    """Follow the links of one package; one that leaves it leads nowhere."""
    while path.is_symlink():
        link = path.readlink()
        path = folder / str(link).lstrip("/") if link.is_absolute() else path.parent / link
    return path


def _copy_perl_modules(folder: Path, twin: Path, native: Architecture) -> None:
    for name in APT_PERL_FOLDERS:
        modules = folder / "usr/lib" / native.multiarch / name
        if modules.is_dir():
            place = twin / "usr/lib" / native.multiarch / name
            shutil.copytree(modules, place, symlinks=True, dirs_exist_ok=True, ignore=_perl_config)


def _perl_config(folder: str, names: list[str]) -> set[str]:
    """Return which *names* are perl's description of its own build; other modules use the same names."""
    is_own = Path(folder).name == "perl-base" or Path(folder).parent.name == "perl"
    return {name for name in names if is_own and name in APT_PERL_CONFIG}


def _perl_version(twin: Path, native: Architecture) -> str:
    """Return the version in the name of perl's folders, such as `5.36`."""
    folders = twin.glob(f"usr/lib/{native.multiarch}/perl*/*")
    names = (folder.name for folder in folders if PERL_VERSION.fullmatch(folder.name))
    return next(names, "5")


def _merged(path: Path) -> PurePosixPath:
    """Return where the program lies in a root whose /bin, /sbin, /lib and /lib64 are links into /usr."""
    parts = path.parts
    return (
        PurePosixPath("usr", *parts) if parts[0] in {"bin", "sbin", "lib", "lib64"} else PurePosixPath(*parts)
    )
