"""A builder's tree without an engine: made of a root or of an archive, and packed; runs do without this."""

from __future__ import annotations

import errno
import os
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from crossbuild.builders.contract import ArchiveBase, Base, ImageBase, RootBase, TreeBase
from crossbuild.engines.archives import image_file
from crossbuild.errors import ArtifactError, CommandFailedError, StorageError, UsageError
from crossbuild.host import rooted
from crossbuild.host.command import capture
from crossbuild.machines.environment import environment_of_builds
from crossbuild.machines.named_roots import architecture_of
from crossbuild.machines.sandbox import Overlay, Sandbox, SandboxMachine
from crossbuild.model.architecture import Architecture

HIDES, HIDES_ALL = ".wh.", ".wh..wh..opq"
"""How a layer says that a file, or all of a folder, of lower layers is gone (OCI image-spec, layer.md)."""
ATTRIBUTES = (
    "--numeric-owner",
    "--acls",
    "--xattrs",
    "--xattrs-include=*",
    "--xattrs-exclude=security.selinux",
)


def plant(base: Base, target: Path, arch: Architecture) -> None:
    """Make the tree *target* of *base*.

    Raises ArtifactError where it is not for *arch*, UsageError for an image, which takes an engine.
    """
    match base:
        case RootBase():
            _require_arch(base.path, base.path, arch)
            if base.consumed:
                shutil.move(base.path, target)
            else:
                _copy(base.path, target)
        case ArchiveBase():
            _unpack(base.path, target, arch)
            _require_arch(target, base.path, arch)
        case TreeBase():
            target.mkdir()
            _extract(base.path, target, f"unpack {base.path}")
            _require_arch(target, base.path, arch)
        case ImageBase():
            raise UsageError(
                f"Without a container engine, nothing can get the image {base.reference}.",
                resolution="Start Docker or Podman, or make the builder of a root or of an archive.",
            )
    # An entry point for the host's name servers: runs that go on side by side need one that stays.
    resolver = rooted.resolve(target, "/etc/resolv.conf", last_link=False)
    if not os.path.lexists(resolver):
        resolver.parent.mkdir(parents=True, exist_ok=True)
        resolver.touch()


def pack(root: Path, overlay: Overlay, target: Path) -> None:
    """Write the tree of *overlay*, which is mounted at *root* meanwhile, to *target* as a tar."""
    sandbox = Sandbox(root=root, pivot=False, api=False, overlay=overlay, writable=(target.parent,))
    target.touch(mode=0o600, exist_ok=False)
    places = ["--directory", os.fspath(root), "--file", os.fspath(target)]
    _tar(sandbox, ["--create", "--sort=name", "--sparse", *places, "."], "pack the builder's files")


def _require_arch(tree: Path, source: Path, arch: Architecture) -> None:
    if (found := architecture_of(tree)) is not arch:
        raise ArtifactError(
            f"{source} is no root for {arch}.",
            details=f"Its /bin/sh is for {found or 'no architecture that is known, or missing'}.",
            resolution=f"Name a root or an archive that was made for {arch}.",
        )


def _unpack(archive: Path, target: Path, arch: Architecture) -> None:
    target.mkdir()
    # One layer after the other, as a file: tar tells by itself how it is compressed.
    with image_file(archive, arch) as image, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        file = Path(scratch, "layer.tar")
        for number, layer in enumerate(image.layers):
            with file.open("wb") as copy:
                copy.writelines(layer.blocks)
            if number:
                _clear(target, _names(file))
            # In the first layer there is nothing to hide: a name that begins so is an ordinary one.
            _extract(file, target, f"unpack {archive}", *([f"--exclude={HIDES}*"] if number else []))


def _extract(archive: Path, target: Path, what: str, *options: str) -> None:
    """Unpack the tar *archive* into *target*; where a link leads out of there, nothing can be written."""
    sandbox = Sandbox(root=target, pivot=False, api=False, writable=(target,))
    extract = ["--extract", "--same-owner", "--same-permissions", *options]
    _tar(sandbox, [*extract, "--directory", os.fspath(target), "--file", os.fspath(archive)], what)


def _names(layer: Path) -> list[PurePosixPath]:
    with tarfile.open(layer) as archive:
        return [PurePosixPath("/", name) for name in archive.getnames()]


def _clear(tree: Path, names: Sequence[PurePosixPath]) -> None:
    """Remove from *tree* what a layer with the members *names* hides."""
    for name in names:
        folder = rooted.resolve(tree, name.parent)
        if name.name == HIDES_ALL:
            for path in folder.iterdir() if folder.is_dir() else ():
                _remove(path)
        elif (hidden := name.name.removeprefix(HIDES)) not in {name.name, "", ".", ".."}:
            _remove(folder / hidden)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _tar(sandbox: Sandbox, arguments: Sequence[str], what: str) -> None:
    machine = SandboxMachine(sandbox=sandbox, env=environment_of_builds())
    try:
        machine.run(["tar", *ATTRIBUTES, *arguments], on_line=lambda _: None)
    except CommandFailedError as error:
        raise _in_words(error, what) from error


def _copy(source: Path, target: Path) -> None:
    """Copy a tree with owners, links, holes, attributes and capabilities, but not what is mounted in it."""
    try:
        capture(["cp", "--archive", "--one-file-system", os.fspath(source), os.fspath(target)])
    except CommandFailedError as error:
        raise _in_words(error, f"copy {source}") from error


def _in_words(error: CommandFailedError, what: str) -> StorageError:
    full = os.strerror(errno.ENOSPC) in error.details
    said = [line for line in error.details.splitlines() if not line.startswith("Command: ")]
    return StorageError(
        "The disk is full." if full else f"Cannot {what}.",
        details="\n".join(said),
        resolution="Free some space and run it again." if full else "",
    )
