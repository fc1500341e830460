"""Whether a set has proved that it boots: what a registration can ask for."""

from __future__ import annotations

from pathlib import Path

from crossbuild.artifacts.boots import read_boot
from crossbuild.artifacts.receipts import record_digest
from crossbuild.errors import ProvisionerError
from crossbuild.model.artifact import OutputKind
from crossbuild.model.boot import Verdict


def require_booted(directory: Path, way: OutputKind) -> None:
    """Raise ProvisionerError unless the set in *directory*, as it is now, was booted in that *way*."""
    record = read_boot(directory, way)
    command = f"crossbuild boot {directory} --as {way}"
    if record is None:
        raise _not_booted("It was never booted.", command)
    if record.image_digest != record_digest(directory):
        raise _not_booted(f"What was booted at {record.at} was another build of it.", command)
    if record.verdict is not Verdict.BOOTED:
        raise _not_booted(record.reason or "It failed.", command)


def _not_booted(details: str, command: str) -> ProvisionerError:
    return ProvisionerError(
        "The set is not registered, since it has not proved that it boots.",
        details=details,
        resolution=f"Run `{command}`, or leave --require-boot out.",
    )
