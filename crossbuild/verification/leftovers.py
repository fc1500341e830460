"""Nothing that must differ between nodes, or that belongs to the build, is left in the root."""

from __future__ import annotations

from collections.abc import Iterator

from crossbuild.model.residue import ResidueAction, residue_at
from crossbuild.verification.findings import Complaint
from crossbuild.verification.scan import Scan


def check_residue(scan: Scan) -> Iterator[Complaint]:
    """Yield regular files of the table in `crossbuild.model.residue` that were not removed or emptied."""
    for path, status in scan.files.items():
        residue = residue_at(str(path))
        if residue is None or (residue.action is ResidueAction.TRUNCATE and not status.st_size):
            continue
        must = "must not be there" if residue.action is ResidueAction.REMOVE else "must be empty"
        yield path, f"{must}: {residue.reason}"
