"""All checks of one root, in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from crossbuild.model.artifact import ArchProof, Kernel
from crossbuild.model.root import Root
from crossbuild.verification.findings import Complaint, Verification, collect
from crossbuild.verification.kernel import check_kernel, check_modules, kernel_header
from crossbuild.verification.leftovers import check_residue
from crossbuild.verification.libraries import check_libraries, crippled_plugins
from crossbuild.verification.machines import check_machines
from crossbuild.verification.programs import INIT, check_init, check_loaders, check_shell
from crossbuild.verification.scan import Scan, scan_root

CHECKS: Mapping[str, Callable[[Scan], Iterator[Complaint]]] = {
    "architecture": check_machines,
    "loader": check_loaders,
    "libraries": check_libraries,
    "shell": check_shell,
    "init": check_init,
    "kernel": check_kernel,
    "modules": check_modules,
    "residue": check_residue,
}
"""By the name that findings carry."""


def verify_root(root: Root, *, kernel: Kernel | None, allow: tuple[str, ...] = ()) -> Verification:
    """Check that *root* is whole, for its architecture alone, and clean; raise StorageError if unreadable.

    *kernel* is what the root must bring, None for a root that is not meant to boot. A path that a shell
    pattern of *allow* matches is never a finding; in these patterns `*` also matches `/`.
    """
    scan = scan_root(root, kernel)
    return Verification(
        proof=_proof(scan),
        findings=collect(((name, check(scan)) for name, check in CHECKS.items()), allow=allow),
        notes=_notes(scan),
    )


def _proof(scan: Scan) -> ArchProof:
    arch = scan.root.arch
    loader, init = scan.real(arch.interpreter), scan.real(INIT)
    return ArchProof(
        elf_files=sum(header.is_for(arch) for header in scan.headers.values()),
        arch=arch,
        interpreter=str(loader) if scan.native(loader) else "",
        init=str(init) if scan.native(init) else "",
        kernel_header=kernel_header(scan),
    )


def _notes(scan: Scan) -> tuple[str, ...]:
    notes = [f"The plugin {path} cannot be loaded: it {lack}." for path, lack in crippled_plugins(scan)]
    if scan.trusted:
        notes.append(
            f"{len(scan.trusted)} kernel modules are packed with zstd and were not read, because the program "
            "`zstd` is not installed on this host; they are taken to be for the kernel beside them."
        )
    return tuple(notes)
