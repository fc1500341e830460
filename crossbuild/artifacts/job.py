"""What packing needs to know, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from crossbuild.model.artifact import Artifact, Kernel
from crossbuild.model.root import Root
from crossbuild.model.spec import ImageSpec
from crossbuild.model.survey import TreeSurvey

ProgressSink = Callable[[str, int, int], None]
"""Receives what is being written, how many bytes of it are done, and of how many; 0 where not known."""

PROGRESS_STEP = 1 << 22
"""Bytes between two reports."""


@dataclass(frozen=True, kw_only=True)
class PackJob:
    """A complete root and what was learned about it; nothing changes it any more."""

    spec: ImageSpec
    root: Root
    kernel: Kernel | None
    initrd: PurePosixPath | None
    """Absolute, inside the root."""
    survey: TreeSurvey
    epoch: int
    """SOURCE_DATE_EPOCH; no entry of the root is younger."""
    work: Path
    """Scratch folder on the same file system as the root."""
    squashfs_compression: str
    """As `mksquashfs -comp` spells it."""


class Packer(Protocol):
    """Makes the artifacts of one provisioner."""

    def __call__(self, job: PackJob, directory: Path, on_progress: ProgressSink) -> tuple[Artifact, ...]:
        """Write files below *directory* and return them; raise ArtifactError or StorageError."""


def counted(blocks: Iterable[bytes], detail: str, total: int, on_progress: ProgressSink) -> Iterator[bytes]:
    """Yield *blocks* and report, every few megabytes, how many of about *total* bytes went by."""
    done = told = 0
    for block in blocks:
        yield block
        done += len(block)
        if done - told >= PROGRESS_STEP:
            told = done
            on_progress(detail, min(done, total) if total else done, total)
    on_progress(detail, total or done, total)
