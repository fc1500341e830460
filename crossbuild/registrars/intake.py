"""What every registrar reads of an artifact set before it hands anything over."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Sequence

from crossbuild.errors import ArtifactError
from crossbuild.host.digests import file_digests
from crossbuild.model.artifact import Artifact, ArtifactSet, OutputKind
from crossbuild.model.receipt import ChangedValue, Receipt, ReceiptState, RegisteredObject


def the_artifact(artifacts: ArtifactSet, pattern: str) -> Artifact:
    """Return the one file of the set that matches *pattern*; raise ArtifactError if there is none."""
    found = [artifact for artifact in artifacts.artifacts if artifact.path.match(pattern)]
    if len(found) != 1:
        raise ArtifactError(
            f"{artifacts.directory} has {'no' if not found else 'more than one'} {pattern}.",
            details=f"Files of the set: {', '.join(str(artifact.path) for artifact in artifacts.artifacts)}",
            resolution="Build the image with this provisioner among its `outputs`.",
        )
    return found[0]


def require_whole(artifacts: ArtifactSet, wanted: Sequence[Artifact]) -> None:
    """Read the files *wanted* of the set; raise ArtifactError if one is not as it was built."""
    damaged = [str(artifact.path) for artifact in wanted if not _is_whole(artifacts, artifact)]
    if damaged:
        raise ArtifactError(
            f"The artifact set in {artifacts.directory} is damaged, and is not registered.",
            details=f"Missing or not as it was built: {', '.join(damaged)}",
            resolution=f"Run `crossbuild artifacts verify {artifacts.directory}`, then build the set again.",
        )


def versioned_name(artifacts: ArtifactSet, content: Sequence[Artifact]) -> str:
    """Return a name that only sets with the same *content* have: `NAME-ARCH-DIGEST`."""
    digest = hashlib.sha256("".join(artifact.digests.sha256 for artifact in content).encode())
    return f"{artifacts.name}-{artifacts.arch}-{digest.hexdigest()[:8]}"


def kernel_arguments(artifacts: ArtifactSet) -> str:
    """Return the kernel's arguments as the set's record tells them, empty where it tells none."""
    kernel = artifacts.record.get("kernel")
    return str(kernel.get("args") or "") if isinstance(kernel, dict) else ""


def new_receipt(
    kind: OutputKind,
    name: str,
    version: str,
    objects: tuple[RegisteredObject, ...],
    changes: tuple[ChangedValue, ...],
) -> Receipt:
    """Return the receipt of a registration on this host that is only planned."""
    return Receipt(
        provisioner=kind,
        state=ReceiptState.UNFINISHED,
        name=name,
        place=socket.gethostname(),
        version=version,
        image="",
        record="",
        registered="",
        objects=objects,
        changes=changes,
    )


def _is_whole(artifacts: ArtifactSet, artifact: Artifact) -> bool:
    try:
        return file_digests(artifacts.directory / artifact.path) == artifact.digests
    except OSError:
        return False
