"""The kernel that a root brings: found, recognised, and taken out of gzip."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from crossbuild.artifacts.storage import storing
from crossbuild.errors import ArtifactError
from crossbuild.formats.kernel_image import HEAD_SIZE, KernelImage, recognise
from crossbuild.host.digests import DigestWriter
from crossbuild.host.rooted import inside, resolve
from crossbuild.model.artifact import Digests, Kernel
from crossbuild.model.root import Root

READ = 1 << 20

_BOOT_PREFIXES = ("Image-", "vmlinuz-linux-", "vmlinuz-")
_MODULE_FOLDER_NAMES = ("vmlinuz", "vmlinuz.gz")
# Where and in which order Warewulf 4 looks (internal/pkg/kernel/kernel.go): of two files of one version
# the Image comes first, since openSUSE's vmlinux beside it does not boot.

_RESCUE = re.compile(r"(^|[-+.])rescue([-+.]|$)")
_DEBUG = re.compile(r"[-+.]debug([-+.]|$)")


def find_kernel(root: Root) -> Kernel | None:
    """Return the newest kernel that is neither for debugging nor for rescue, None for a root without one.

    Raises ArtifactError for a kernel of another architecture or of a kind that cannot be booted.
    """
    candidates = [(version, path) for version, path in _candidates(root.path) if not _RESCUE.search(version)]
    if not candidates:
        return None
    # max() keeps the first of equals, and so the order of the places.
    version, path = max(candidates, key=lambda found: (not _DEBUG.search(found[0]), version_key(found[0])))
    image = _read_image(root, path)
    return Kernel(version=version, path=inside(root.path, path), format=image.format, gzipped=image.gzipped)


def kernel_image(root: Root, kernel: Kernel) -> KernelImage:
    """Read the header of *kernel* again; raise ArtifactError where it is not what *root* needs."""
    return _read_image(root, resolve(root.path, kernel.path))


def unpacked(kernel: Kernel, root: Root) -> Iterator[bytes]:
    """Yield the kernel's bytes, taken out of any gzip; raise ArtifactError where that is damaged."""
    path = resolve(root.path, kernel.path)
    with gzip.open(path) if kernel.gzipped else path.open("rb") as file:
        try:
            while block := file.read(READ):
                yield block
        except (gzip.BadGzipFile, EOFError) as error:
            raise ArtifactError(f"The kernel {kernel.path} is damaged.", details=str(error)) from error


def write_kernel(kernel: Kernel, root: Root, target: Path) -> Digests:
    """Write the kernel, taken out of any gzip, to *target* and return its digests.

    Raises ArtifactError for damaged gzip data and StorageError.
    """
    writer = DigestWriter()
    with storing(target), target.open("wb") as file:
        for block in unpacked(kernel, root):
            file.write(block)
            writer.update(block)
    return writer.digests


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts kernel versions by age: `6.1.0-9` < `6.1.0-56`, `6.2.0-rc1` < `6.2.0`."""
    parts = re.findall(r"\d+|[A-Za-z]+", version)
    return (*(_rank(part) for part in parts), (1, 0, ""))


def _rank(part: str) -> tuple[int, int, str]:
    if part.isdecimal():
        return 3, int(part), ""
    return (0 if part == "rc" else 2), 0, part


def _candidates(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield (version, place on this host) of every file that may be a kernel with modules."""
    modules = _names(resolve(root, "/lib/modules"))
    boot = _names(resolve(root, "/boot"))
    for prefix in _BOOT_PREFIXES:
        for name in boot:
            if name.startswith(prefix):
                yield from _existing(name.removeprefix(prefix), root, PurePosixPath("/boot", name))
    for version in modules:
        for name in _MODULE_FOLDER_NAMES:
            yield from _existing(version, root, PurePosixPath("/lib/modules", version, name))
    if len(modules) == 1:
        # Arch Linux names its kernels after their flavour; the version is that of the modules.
        for name in boot:
            if name.startswith("vmlinuz-linux"):
                yield from _existing(modules[0], root, PurePosixPath("/boot", name))


def _existing(version: str, root: Path, path: PurePosixPath) -> Iterator[tuple[str, Path]]:
    real = resolve(root, path)
    if version[:1].isdecimal() and real.is_file():
        yield version, real


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def _read_image(root: Root, path: Path) -> KernelImage:
    with storing(path), path.open("rb") as file:
        image = recognise(file.read(HEAD_SIZE))
    if image.arch is not root.arch:
        raise ArtifactError(
            f"The kernel {inside(root.path, path)} is for {image.arch}, the root for {root.arch}.",
            details=f"Its header says: {image.evidence}.",
            resolution=f"Install the kernel package of {root.arch}, and remove the other from the root.",
        )
    return image
