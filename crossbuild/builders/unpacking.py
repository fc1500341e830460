"""Trees out of whatever holds them: folders, images of containers, tar, cpio, squashfs, compressed or not.

All that unpacks runs in a sandbox that can write into the new tree only, wherever names and links lead.
"""

from __future__ import annotations

import errno
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from crossbuild.engines.archives import image_file
from crossbuild.errors import ArtifactError, CommandFailedError, CrossbuildError, StorageError
from crossbuild.formats.packing import HEAD, Packing, decompressor, packing_of
from crossbuild.host import rooted
from crossbuild.host.command import capture, output_of
from crossbuild.machines.environment import environment_of_builds
from crossbuild.machines.named_roots import architecture_of
from crossbuild.machines.sandbox import Sandbox, SandboxMachine
from crossbuild.model.architecture import Architecture

HIDES, HIDES_ALL = ".wh.", ".wh..wh..opq"
"""How a layer says that a file, or all of a folder, of lower layers is gone (OCI image-spec, layer.md)."""
WAREWULF = "rootfs"
"""Where the folder of a Warewulf 4 image has its tree (warewulf, internal/pkg/image/config.go)."""
ATTRIBUTES = (
    "--numeric-owner",
    "--acls",
    "--xattrs",
    "--xattrs-include=*",
    "--xattrs-exclude=security.selinux",
)


def unpack(source: Path, target: Path, arch: Architecture) -> None:
    """Make the new folder *target* the tree that *source* holds.

    *source* is a root, the folder of a Warewulf 4 image, a docker-archive or an OCI layout, unpacked or not,
    or a root as tar, cpio or squashfs; files may be compressed. Raises ArtifactError for anything else and
    where its programs are not for *arch*, StorageError where the disk is full.
    """
    if (tree := tree_in(source)) is not None:
        copy_tree(tree, target)
    else:
        target.mkdir()
        if source.is_dir():
            _unpack_image(source, target, arch)
        else:
            _unpack_file(source, target, arch)
    require_arch(target, source, arch)


def tree_in(source: Path) -> Path | None:
    """Return the folder of *source* that is a root as it stands, None where it must be unpacked."""
    places = (source / WAREWULF, source)
    return next((place for place in places if os.path.lexists(rooted.resolve(place, "/bin/sh"))), None)


def require_arch(tree: Path, source: Path, arch: Architecture) -> None:
    """Raise ArtifactError naming *source* unless the programs in *tree* are for *arch*."""
    if (found := architecture_of(tree)) is not arch:
        raise ArtifactError(
            f"{source} is no root for {arch}.",
            details=f"Its /bin/sh is for {found or 'no architecture that is known, or missing'}.",
            resolution=f"Name a root or an archive that was made for {arch}.",
        )


def copy_tree(source: Path, target: Path) -> None:
    """Copy a tree with owners, links, holes, attributes and capabilities, but not what is mounted in it."""
    try:
        capture(["cp", "--archive", "--one-file-system", os.fspath(source), os.fspath(target)])
    except CommandFailedError as error:
        raise in_words(error, f"copy {source}") from error


def extract_tar(archive: Path, target: Path, what: str, *options: str) -> None:
    """Unpack the tar *archive* into *target*; where a link leads out of there, nothing can be written."""
    extract = ["tar", *ATTRIBUTES, "--extract", "--same-owner", "--same-permissions", *options]
    _confined([*extract, "--directory", os.fspath(target), "--file", os.fspath(archive)], target, what)


def in_words(error: CommandFailedError, what: str) -> StorageError:
    """Return what a user should see where a program failed that was to do *what*."""
    full = os.strerror(errno.ENOSPC) in error.details
    said = [line for line in error.details.splitlines() if not line.startswith("Command: ")]
    return StorageError(
        "The disk is full." if full else f"Cannot {what}.",
        details="\n".join(said),
        resolution="Free some space and run it again." if full else "",
    )


def _unpack_file(source: Path, target: Path, arch: Architecture) -> None:
    what = f"unpack {source}"
    with _decompressed(source, target.parent) as plain:
        match packing_of(_head(plain)):
            case Packing.SQUASHFS:
                unsquashfs = ["unsquashfs", "-no-progress", "-force", "-dest", os.fspath(target)]
                _confined([*unsquashfs, os.fspath(plain)], target, what)
            case Packing.CPIO:
                cpio = ["cpio", "--extract", "--quiet", "--make-directories", "--no-absolute-filenames"]
                places = [f"--directory={target}", f"--file={plain}"]
                _confined([*cpio, "--preserve-modification-time", *places], target, what)
            case Packing.TAR:
                _unpack_image(plain, target, arch)


@contextmanager
def _decompressed(source: Path, folder: Path) -> Iterator[Path]:
    """Yield *source*, or a file below *folder* with what it unpacks to; errors name *source* all the same."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        plain = source
        try:
            if program := decompressor(_head(source)):
                plain = Path(scratch, "plain")
                argv = [program, "--decompress", "--stdout"]
                with output_of(argv, stdin=source) as stream, plain.open("wb") as file:
                    shutil.copyfileobj(stream, file)
            yield plain
        except CommandFailedError as error:
            raise ArtifactError(f"{source} is damaged.", details=error.details) from error
        except CrossbuildError as error:
            message = error.brief.replace(str(plain), str(source))
            raise type(error)(message, details=error.details, resolution=error.resolution) from error


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _unpack_image(archive: Path, target: Path, arch: Architecture) -> None:
    # One layer after the other, as a file: tar tells by itself how it is compressed.
    with image_file(archive, arch) as image, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        file = Path(scratch, "layer.tar")
        for number, layer in enumerate(image.layers):
            with file.open("wb") as copy:
                copy.writelines(layer.blocks)
            if number:
                _clear(target, _names(file))
            # In the first layer there is nothing to hide: a name that begins so is an ordinary one.
            extract_tar(file, target, f"unpack {archive}", *([f"--exclude={HIDES}*"] if number else []))


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


def _confined(argv: Sequence[str], target: Path, what: str) -> None:
    """Run *argv*, which is to do *what*, where it can write into *target* and nowhere else."""
    sandbox = Sandbox(root=target, pivot=False, api=False, writable=(target,))
    machine = SandboxMachine(sandbox=sandbox, env=environment_of_builds())
    try:
        machine.run(argv, on_line=lambda _: None)
    except CommandFailedError as error:
        raise in_words(error, what) from error
