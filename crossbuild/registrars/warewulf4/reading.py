"""Reading back what Warewulf 4 took: the tree of an image, what was built of it, an overlay, nodes.conf."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import ArtifactError, ProvisionerError
from crossbuild.formats.elf import HEADER_SIZE, DamagedElfError, read_header
from crossbuild.formats.kernel_image import HEAD_SIZE, recognise
from crossbuild.host.rooted import resolve
from crossbuild.model.architecture import Architecture
from crossbuild.model.receipt import ChangedValue, RegisteredObject
from crossbuild.registrars.warewulf4 import nodes
from crossbuild.registrars.warewulf4.server import Server
from crossbuild.registrars.warewulf4.wwctl import Wwctl

SCRIPT = "/warewulf/init.d/50-restore-capabilities"
"""Where an overlay holds what a node runs before its init."""

_ACCOUNTS = ("etc/passwd", "etc/group")


@dataclass(frozen=True, kw_only=True)
class ReadImage:
    """The tree of an imported image is looked through."""

    word: str
    name: str
    arch: Architecture
    kernel: str
    """The version that it must bring, empty for none."""
    synchronized: bool
    """Whether accounts of this host must have the same ids in it."""
    reason: str

    @property
    def text(self) -> str:
        """The command that shows where it is."""
        return f"wwctl {self.word} show {self.name}"


@dataclass(frozen=True, kw_only=True)
class ReadBuilt:
    """What nodes will fetch is looked for."""

    word: str
    name: str
    reason: str

    @property
    def text(self) -> str:
        """The command that shows its size."""
        return f"wwctl {self.word} list --size {self.name}"


@dataclass(frozen=True, kw_only=True)
class ReadOverlay:
    """The script of an overlay is read back."""

    name: str
    source: Path
    reason: str

    @property
    def text(self) -> str:
        """The command that shows it."""
        return f"wwctl overlay show {self.name} {SCRIPT}"


@dataclass(frozen=True, kw_only=True)
class ReadNodes:
    """Changed values of nodes and profiles are read back."""

    changes: tuple[ChangedValue, ...]
    reason: str

    @property
    def text(self) -> str:
        """The command that shows them."""
        names = dict.fromkeys(change.name for change in self.changes)
        return f"wwctl node list --all {' '.join(names)}"


def read_image(action: ReadImage, wwctl: Wwctl) -> RegisteredObject:
    """Return the image as it is; raise ProvisionerError, naming all that is wrong in its tree."""
    rootfs = wwctl.rootfs(action.word, action.name)
    problems = ["There is no such image."] if rootfs is None else list(_problems(action, rootfs))
    if problems:
        raise ProvisionerError(
            f"Warewulf 4 did not take the image {action.name} as it is.",
            details=wwctl.transcript.details(*problems),
            resolution="See what wwctl said, mend that, and register again.",
        )
    assert rootfs is not None
    return RegisteredObject(
        kind="image", name=action.name, arch=action.arch, checksum=tree_checksum(rootfs), place=str(rootfs)
    )


def read_built(action: ReadBuilt, wwctl: Wwctl, server: Server) -> None:
    """Raise ProvisionerError if nothing was built that nodes could fetch."""
    rootfs = wwctl.rootfs(action.word, action.name)
    if rootfs is not None and server.built_images(action.name, rootfs):
        return
    # Its folder is the build's of Warewulf: wwctl knows it.
    listed = wwctl.transcript.ask(("wwctl", action.word, "list", "--size", action.name)).stdout
    row = next((line for line in listed.splitlines() if action.name in line.split()), "")
    if not row or " 0 B" in row:
        raise ProvisionerError(
            f"Warewulf 4 did not build the image {action.name}.",
            details=wwctl.transcript.details(f"`wwctl {action.word} list --size` shows {row!r}."),
            resolution=f"See what `wwctl {action.word} build {action.name}` says, then register again.",
        )


def read_overlay(action: ReadOverlay, wwctl: Wwctl) -> RegisteredObject:
    """Return the overlay as it is; raise ProvisionerError if its script is not that of the set."""
    text = action.source.read_text(encoding="utf-8")
    shown = wwctl.overlay_file(action.name, SCRIPT)
    if text.strip() not in shown:
        raise ProvisionerError(
            f"Warewulf 4 did not take the overlay {action.name} as it is.",
            details=wwctl.transcript.details(f"Its {SCRIPT} is not {action.source}."),
            resolution="See what wwctl said, mend that, and register again.",
        )
    return RegisteredObject(kind="overlay", name=action.name, checksum=script_checksum(text), place=SCRIPT)


def read_nodes(action: ReadNodes, wwctl: Wwctl, server: Server) -> None:
    """Raise ProvisionerError, naming every difference, if nodes.conf does not say what it should."""
    document = server.read_nodes()
    problems = []
    for change in action.changes:
        now = nodes.own_values(change.kind, change.name, document, server) or {}
        if now.get(change.key, "") != change.after:
            has = now.get(change.key) or "unset"
            problems.append(f"{change.kind} {change.name}: {change.key} is {has}, not {change.after}.")
    if problems:
        raise ProvisionerError(
            "Warewulf 4 did not change every node.",
            details=wwctl.transcript.details(*problems),
            resolution="See what wwctl said, mend that, and register again.",
        )


def tree_checksum(root: Path) -> str:
    """Return a checksum of names, kinds, owners, sizes and times of all that is in *root*."""
    seen = hashlib.sha256()
    for folder, folders, files in os.walk(os.fsencode(root)):
        folders.sort()
        for name in sorted((*folders, *files)):
            path = os.path.join(folder, name)  # noqa: PTH118 -- bytes, which no Path holds
            found = os.lstat(path)
            size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
            values = (found.st_mode, found.st_uid, found.st_gid, size, found.st_mtime_ns)
            seen.update(os.path.relpath(path, os.fsencode(root)) + repr(values).encode() + b"\0")
    return f"tree:{seen.hexdigest()}"


def script_checksum(text: str) -> str:
    """Return the checksum of a script as `wwctl` shows it, which may add empty lines."""
    return f"sha256:{hashlib.sha256(text.strip().encode()).hexdigest()}"


def architecture_of(rootfs: Path) -> Architecture | None:
    """Return what the shell in *rootfs* is for, None where that cannot be told."""
    machine = _machine(rootfs, "/bin/sh")
    return next((arch for arch in Architecture if arch.elf_machine == machine), None)


def _problems(action: ReadImage, rootfs: Path) -> Iterator[str]:
    for program in ("/bin/sh", "/sbin/init", action.arch.interpreter):
        machine = _machine(rootfs, program)
        if machine != action.arch.elf_machine and (machine is not None or program == "/bin/sh"):
            found = "missing" if machine is None else f"for ELF machine {machine}"
            yield f"{program} in {rootfs} is {found}."
    if action.kernel:
        yield from _kernel_problems(action, rootfs)
    if action.synchronized:
        yield from _account_problems(rootfs)


def _machine(rootfs: Path, path: str) -> int | None:
    try:
        with resolve(rootfs, path).open("rb") as file:
            header = read_header(file.read(HEADER_SIZE))
    except (OSError, DamagedElfError):
        return None
    return header.machine if header else None


def _kernel_problems(action: ReadImage, rootfs: Path) -> Iterator[str]:
    places = (f"/boot/Image-{action.kernel}", f"/boot/vmlinuz-{action.kernel}")
    for path in (resolve(rootfs, place) for place in (*places, f"/lib/modules/{action.kernel}/vmlinuz")):
        if not path.is_file():
            continue
        try:
            with path.open("rb") as file:
                image = recognise(file.read(HEAD_SIZE))
        except ArtifactError as error:
            yield f"{path}: {error.brief}"
            return
        if image.gzipped or image.arch is not action.arch:
            found = "in gzip" if image.gzipped else f"for {image.arch}"
            yield f"{path} is {found}: arm64 iPXE cannot start it."
        return
    yield f"There is no kernel {action.kernel} where Warewulf looks for one."


def _account_problems(rootfs: Path) -> Iterator[str]:
    for file in _ACCOUNTS:
        ours, theirs = _ids(Path("/") / file), _ids(resolve(rootfs, f"/{file}"))
        for name in sorted(ours.keys() & theirs.keys()):
            if ours[name] != theirs[name]:
                yield f"{name} is {theirs[name]} in /{file} of the image, and {ours[name]} on this host."


def _ids(file: Path) -> Mapping[str, str]:
    try:
        rows = [line.split(":") for line in file.read_text(errors="surrogateescape").splitlines()]
    except OSError:
        return {}
    return {row[0]: row[2] for row in rows if len(row) > 2}
