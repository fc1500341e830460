"""Layers of a tree on disk: frozen ones below, and the newest, which takes all changes.

A snapshot freezes the newest layer and begins another: nothing is copied. Layers between which no snapshot
lies any more are merged. For the attributes and device numbers see Linux, Documentation/filesystems/
overlayfs.rst, "whiteouts and opaque directories". Nothing may have the tree mounted meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

STACK = "stack.json"
OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")
"""Written by the host's root, and in a private namespace."""
_NOTES = ("trusted.overlay.", "user.overlay.")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The layers of one tree, by the names of their folders."""

    frozen: tuple[str, ...]
    """The lowest first."""
    upper: str
    snapshots: Mapping[str, str]
    """Name of a snapshot to the topmost layer that it holds."""

    @property
    def work(self) -> str:
        """The folder that the kernel uses together with *upper*."""
        return f"{self.upper}.work"


def begin(folder: Path, lowest: str) -> None:
    """Make the tree whose files lie in *folder*/*lowest*."""
    _write(folder, _with_fresh_upper(folder, Stack(frozen=(lowest,), upper=lowest, snapshots={})))


def read(folder: Path) -> Stack:
    """Return the layers of the tree in *folder*; raise OSError or ValueError where it is damaged."""
    value = json.loads((folder / STACK).read_text(encoding="ascii"))
    return Stack(frozen=tuple(value["frozen"]), upper=value["upper"], snapshots=value["snapshots"])


def fetch(folder: Path, paths: Sequence[PurePosixPath], target: Path) -> None:
    """Copy those of the plain files *paths* that the tree has to the same places below *target*."""
    stack = read(folder)
    newest_first = [folder / layer for layer in (stack.upper, *stack.frozen[::-1])]
    for path in paths:
        if (newest := _newest(newest_first, path)) and stat.S_ISREG(newest.lstat().st_mode):
            place = target / path.relative_to("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(newest, place)


def _newest(newest_first: Sequence[Path], path: PurePosixPath) -> Path | None:
    """Return where the newest layer that knows *path* has it, or what hides it; links are not followed."""
    for layer in newest_first:
        place, hides = layer, False
        for part in path.relative_to("/").parts:
            place /= part
            if not os.path.lexists(place):
                break
            if not _is_folder(place):
                return place if place == layer / path.relative_to("/") else None
            hides = hides or is_opaque(place)
        if hides:
            return None
    return None


def snapshot(folder: Path, name: str) -> None:
    """Keep the present state as *name*."""
    stack = _frozen(folder, read(folder))
    _settle(folder, replace(stack, snapshots={**stack.snapshots, name: stack.frozen[-1]}))


def rollback(folder: Path, name: str) -> None:
    """Return to the state *name*; all later snapshots and changes go."""
    stack = read(folder)
    kept = stack.frozen[: stack.frozen.index(stack.snapshots[name]) + 1]
    snapshots = {other: layer for other, layer in stack.snapshots.items() if layer in kept}
    _settle(folder, _with_fresh_upper(folder, replace(stack, frozen=kept, snapshots=snapshots)))


def forget(folder: Path, name: str) -> None:
    """Drop the snapshot *name*, and what only it kept."""
    stack = _frozen(folder, read(folder))
    _settle(folder, replace(stack, snapshots=_without(stack.snapshots, name)))


def _without(snapshots: Mapping[str, str], name: str) -> dict[str, str]:
    return {other: layer for other, layer in snapshots.items() if other != name}


def _frozen(folder: Path, stack: Stack) -> Stack:
    """Freeze the newest layer unless it is empty, and begin one that was never mounted.

    The kernel notes in a layer on what it was mounted: what lies below may change only under a new one.
    """
    changed = any((folder / stack.upper).iterdir())
    frozen = (*stack.frozen, stack.upper) if changed else stack.frozen
    return _with_fresh_upper(folder, replace(stack, frozen=frozen))


def _with_fresh_upper(folder: Path, stack: Stack) -> Stack:
    used = [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]
    fresh = replace(stack, upper=str(max(used) + 1))
    (folder / fresh.upper).mkdir()
    # What `/` itself looks like is what the newest layer's folder looks like.
    _copy_attributes(folder / stack.frozen[-1], folder / fresh.upper)
    (folder / fresh.work).mkdir()
    return fresh


def _settle(folder: Path, stack: Stack) -> None:
    """Write *stack*, merge what no snapshot separates, and remove folders that are no part of it."""
    _write(folder, stack)
    for below, above in list(zip(stack.frozen, stack.frozen[1:], strict=False))[::-1]:
        if below not in stack.snapshots.values():
            merge(folder / above, folder / below, lowest=below == stack.frozen[0])
            snapshots = {name: below if layer == above else layer for name, layer in stack.snapshots.items()}
            frozen = tuple(layer for layer in stack.frozen if layer != above)
            stack = replace(stack, frozen=frozen, snapshots=snapshots)
            _write(folder, stack)
    kept = {*stack.frozen, stack.upper, stack.work, STACK}
    for path in folder.iterdir():
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _write(folder: Path, stack: Stack) -> None:
    scratch = folder / f"{STACK}.new"
    with scratch.open("w", encoding="ascii") as file:
        json.dump(asdict(stack), file)
        file.flush()
        os.fsync(file.fileno())
    scratch.rename(folder / STACK)


def merge(upper: Path, lower: Path, *, lowest: bool) -> None:
    """Move all that the layer *upper* changes into the layer right below it.

    At every moment both together show the same tree, so it may be killed and begun again. In the *lowest*
    layer nothing is left to be hidden: what hides would be listed there, as a name without a file.
    """
    looks = upper.stat()
    for path in sorted(upper.iterdir()):
        _merge_entry(path, lower / path.name, lowest=lowest)
    _copy_attributes(upper, lower)
    # Those that the folder had before anything was moved out of it.
    os.utime(lower, ns=(looks.st_atime_ns, looks.st_mtime_ns))


def _merge_entry(upper: Path, lower: Path, *, lowest: bool) -> None:
    if lowest and is_whiteout(upper):
        _remove(lower)
        upper.unlink()
    elif not _is_folder(upper) or is_opaque(upper) or not os.path.lexists(lower):
        _remove(lower)
        if lowest and _is_folder(upper):
            _uncover(upper)
        upper.rename(lower)
    elif _is_folder(lower):
        merge(upper, lower, lowest=lowest)
        upper.rmdir()
    else:
        # What *lower* hid in layers further down stays hidden.
        _set_opaque(upper)
        _merge_entry(upper, lower, lowest=lowest)


def _uncover(folder: Path) -> None:
    """Remove from *folder*, below which nothing lies any more, all that hides something."""
    for name in OPAQUE:
        with contextlib.suppress(OSError):
            os.removexattr(folder, name)
    for path in folder.iterdir():
        if is_whiteout(path):
            path.unlink()
        elif _is_folder(path):
            _uncover(path)


def is_whiteout(path: Path) -> bool:
    """Say whether *path* is there to hide what lower layers have under that name."""
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _remove(path: Path) -> None:
    if os.path.lexists(path):
        if _is_folder(path):
            shutil.rmtree(path)
        else:
            path.unlink()


def is_opaque(folder: Path) -> bool:
    """Say whether the overlay shows nothing of what lies below *folder*."""
    for name in OPAQUE:
        with contextlib.suppress(OSError):
            if os.getxattr(folder, name, follow_symlinks=False) == b"y":
                return True
    return False


def _set_opaque(folder: Path) -> None:
    for name in OPAQUE:
        with contextlib.suppress(OSError):
            os.setxattr(folder, name, b"y", follow_symlinks=False)
            return


def _copy_attributes(source: Path, target: Path) -> None:
    """Give *target* the owner, mode, times and attributes of *source*, but for the overlay's own notes."""
    status = source.stat()
    for name in set(_attributes(target)) - set(_attributes(source)):
        os.removexattr(target, name)
    for name in _attributes(source):
        os.setxattr(target, name, os.getxattr(source, name))
    os.chown(target, status.st_uid, status.st_gid)
    target.chmod(stat.S_IMODE(status.st_mode))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _attributes(path: Path) -> Iterator[str]:
    return (name for name in os.listxattr(path) if not name.startswith(_NOTES))
