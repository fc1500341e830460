"""Bootstrap (`.wwbs`) and VNFS for Warewulf 3, byte for byte what its own tools make and read.

Formats: warewulf3, vnfs/bin/wwbootstrap and vnfs/bin/wwvnfs; read back by provision/lib/Warewulf/Bootstrap.pm
(`gzip -d | cpio -id`) and by the node (`gunzip | bsdtar -pxf -`, which takes newc as well as pax).
"""

from __future__ import annotations

import enum
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild.artifacts.bootstrap import lay_out
from crossbuild.artifacts.compression import gzipped
from crossbuild.artifacts.job import PackJob, ProgressSink, counted
from crossbuild.artifacts.storage import storing, write_blocks
from crossbuild.errors import ArtifactError
from crossbuild.host.archives import newc, pax
from crossbuild.model.artifact import Artifact, Kernel
from crossbuild.model.survey import TreeSurvey

KERNEL_VERSION = re.compile(r"[A-Za-z0-9_.-]+")
"""What wwbootstrap and the datastore's NAME accept."""


class VnfsFormat(enum.StrEnum):
    """An archive inside gzip that a node's bsdtar unpacks."""

    NEWC = "newc"
    PAX = "pax"


@dataclass(frozen=True, kw_only=True)
class VnfsChoice:
    """The format of a VNFS, why, and what it leaves out."""

    format: VnfsFormat
    reason: str
    left_out: tuple[PurePosixPath, ...]


def choose_vnfs_format(survey: TreeSurvey) -> VnfsChoice:
    """Choose newc, which every Warewulf 3 writes, unless the tree has what newc cannot carry."""
    obstacles = (
        (len(survey.capabilities), "file capabilities"),
        (len(survey.attributes), "access control lists or extended attributes"),
        (len(survey.oversized), "files of 4 GiB or more"),
    )
    found = [f"{what} ({count})" for count, what in obstacles if count]
    if not found:
        return VnfsChoice(
            format=VnfsFormat.NEWC, reason="newc can carry all that is in the tree", left_out=survey.sockets
        )
    reason = f"newc cannot carry {', '.join(found)}"
    return VnfsChoice(format=VnfsFormat.PAX, reason=reason, left_out=survey.sockets)


def pack(job: PackJob, directory: Path, on_progress: ProgressSink) -> tuple[Artifact, ...]:
    """Write `warewulf3/KVER.wwbs` and `warewulf3/NAME.vnfs`."""
    kernel = _accepted_kernel(job)
    return _pack_bootstrap(job, kernel, directory, on_progress), _pack_vnfs(job, directory, on_progress)


def _accepted_kernel(job: PackJob) -> Kernel:
    if job.kernel is None:
        raise ArtifactError(
            "A Warewulf 3 bootstrap needs a kernel, and the root has none.",
            details="Kernels were looked for in /boot and /lib/modules of the root.",
            resolution="Name its package under `kernel.package` in the spec, or leave `warewulf3` out of "
            "`outputs`.",
        )
    if not KERNEL_VERSION.fullmatch(job.kernel.version):
        odd = "".join(sorted(set(re.sub(KERNEL_VERSION, "", job.kernel.version))))
        raise ArtifactError(
            f"Warewulf 3 refuses the kernel version `{job.kernel.version}`.",
            details=f"It holds `{odd}`; wwbootstrap accepts letters, digits, `_`, `.` and `-` only.",
            resolution="Choose a kernel package with another version, or leave `warewulf3` out of `outputs`.",
        )
    return job.kernel


def _pack_bootstrap(job: PackJob, kernel: Kernel, directory: Path, on_progress: ProgressSink) -> Artifact:
    path = f"warewulf3/{kernel.version}.wwbs"
    tree, listing = job.work / "bootstrap", job.work / "bootstrap.names"
    with storing(tree):
        tree.mkdir()
        lay_out(job, kernel, tree)
    # Staged by whoever builds, but the node's initramfs belongs to root.
    archive = newc(tree, listing, owner="+0:+0")
    artifact = write_blocks(gzipped(counted(archive, path, 0, on_progress)), directory, path)
    with storing(tree):
        shutil.rmtree(tree)
        listing.unlink()
    return artifact


def _pack_vnfs(job: PackJob, directory: Path, on_progress: ProgressSink) -> Artifact:
    path = f"warewulf3/{job.spec.name}.vnfs"
    match choose_vnfs_format(job.survey).format:
        case VnfsFormat.NEWC:
            archive = newc(job.root.path, job.work / "vnfs.names")
        case VnfsFormat.PAX:
            archive = pax(job.root.path)
    return write_blocks(gzipped(counted(archive, path, job.survey.size, on_progress)), directory, path)
