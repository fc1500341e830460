"""From a root to the files of an artifact set, for every provisioner that the spec names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from crossbuild.artifacts import ims, warewulf3, warewulf4
from crossbuild.artifacts.job import Packer, PackJob, ProgressSink
from crossbuild.model.artifact import Artifact, OutputKind

__all__ = ["PACKERS", "PackJob", "Packer", "ProgressSink", "pack"]

PACKERS: Mapping[OutputKind, Packer] = {
    OutputKind.WAREWULF3: warewulf3.pack,
    OutputKind.WAREWULF4: warewulf4.pack,
    OutputKind.IMS: ims.pack,
}


def pack(job: PackJob, directory: Path, on_progress: ProgressSink) -> tuple[Artifact, ...]:
    """Write everything that the spec's outputs ask for below *directory*, and return it.

    Raises ArtifactError for what a format cannot be made from, StorageError where a disk is full, and
    CommandFailedError or HostNotReadyError for a program that fails or is missing.
    """
    return tuple(
        artifact for kind in job.spec.outputs for artifact in PACKERS[kind](job, directory, on_progress)
    )
