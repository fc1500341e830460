"""The kernel file is one for this architecture that a node can start, and its modules are all there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from crossbuild.errors import ArtifactError, StorageError
from crossbuild.formats.kernel_image import HEAD_SIZE, KernelImage, recognise
from crossbuild.formats.module_index import parse_dependencies
from crossbuild.model.artifact import Kernel
from crossbuild.verification.findings import Complaint
from crossbuild.verification.scan import Scan


def check_kernel(scan: Scan) -> Iterator[Complaint]:
    """Yield the kernel file unless its own bytes say that it is the kernel it is recorded as."""
    kernel = scan.kernel
    if kernel is None:
        return
    if scan.real(kernel.path) not in scan.files:
        yield kernel.path, "is named as the kernel, but is not in the root"
        return
    try:
        image = _image(scan, kernel)
    except ArtifactError as error:
        yield kernel.path, f"cannot be started: {error.brief} {error.details}".rstrip()
        return
    if image.arch is not scan.root.arch:
        yield kernel.path, f"is a kernel for {image.arch}, not for {scan.root.arch}: {image.evidence}"
    if (image.format, image.gzipped) != (kernel.format, kernel.gzipped):
        yield kernel.path, f"is recorded as {kernel.format}, but is: {image.evidence}"


def kernel_header(scan: Scan) -> str:
    """Return what the kernel file's header says, empty if there is no kernel or it says nothing."""
    if scan.kernel is None or scan.real(scan.kernel.path) not in scan.files:
        return ""
    try:
        return _image(scan, scan.kernel).evidence
    except ArtifactError:
        return ""


def check_modules(scan: Scan) -> Iterator[Complaint]:
    """Yield what is missing of the kernel's modules, and what their index names that is not there."""
    if scan.kernel is None:
        return
    folder = scan.real(PurePosixPath("/lib/modules", scan.kernel.version))
    index = folder / "modules.dep"
    for needed in (index, folder / "modules.dep.bin"):
        if needed not in scan.files:
            yield needed, "is not there: run depmod for this kernel inside the root"
    if index not in scan.files:
        return
    try:
        dependencies = parse_dependencies(_text(scan, index))
    except ValueError as error:
        yield index, f"is damaged: {error}"
        return
    named = {name for module, needs in dependencies.items() for name in (module, *needs)}
    for name in sorted(named):
        # modprobe takes a name that begins with a slash as it is (modules.dep(5)).
        if folder / name not in scan.files and scan.real(folder / name) not in scan.files:
            yield folder / name, "is named in modules.dep, but is not there"


def _image(scan: Scan, kernel: Kernel) -> KernelImage:
    path = scan.root.path / scan.real(kernel.path).relative_to("/")
    try:
        with path.open("rb") as file:
            return recognise(file.read(HEAD_SIZE))
    except OSError as error:
        raise _unreadable(kernel.path, error) from error


def _text(scan: Scan, path: PurePosixPath) -> str:
    try:
        return (scan.root.path / path.relative_to("/")).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: PurePosixPath, error: OSError) -> StorageError:
    return StorageError(
        f"{path} in the root cannot be read.",
        details=str(error),
        resolution="Run the command as the user who owns the root, and check the disk.",
    )
