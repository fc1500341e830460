"""A builder's tree without an engine: made of a root or of an archive, and packed; runs do without this."""

from __future__ import annotations

import errno
import os
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from crossbuild.builders.contract import ArchiveBase, Base, ImageBase, RootBase
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
        case ImageBase():
            raise UsageError(
                f"Without a container engine, nothing can get the image {base.reference}.",
                resolution="Start Docker or Podman, or make the builder of a root or of an archive.",
            )
    # An entry point for the host's name servers: runs that go on side by side need one that stays.
    resolver = target / "etc/resolv.conf"
    if not os.path.lexists(resolver):
        resolver.touch()


def pack(root: Path, overlay: Overlay, target: Path) -> None:
    """Write the tree of *overlay*, which is mounted at *root* meanwhile, to *target* as a tar."""
    sandbox = Sandbox(root=root, pivot=False, api=False, overlay=overlay, writable=(target.parent,))
    pack_tree = ["--create", "--sort=name", "--directory", os.fspath(root), "--file", os.fspath(target), "."]
    _tar(sandbox, pack_tree, f"write {target}")


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
        for layer in image.layers:
            with file.open("wb") as copy:
                copy.writelines(layer.blocks)
            _clear(target, _names(file))
            # Where a link in an archive leads to a file of the host's, that file is read-only.
            sandbox = Sandbox(root=target, pivot=False, api=False, writable=(target,))
            extract = ["--extract", "--same-owner", "--same-permissions", f"--exclude={HIDES}*"]
            _tar(
                sandbox,
                [*extract, "--directory", os.fspath(target), "--file", os.fspath(file)],
                f"unpack {archive}",
            )


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
        elif name.name.startswith(HIDES):
            _remove(folder / name.name.removeprefix(HIDES))


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
    return StorageError(
        "The disk is full." if full else f"Cannot {what}.",
        details=error.details,
        resolution="Free some space and run it again." if full else "",
    )
