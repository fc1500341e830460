"""A node of Warewulf 4: the image and an overlay as the initramfs that the kernel itself unpacks.

`wwctl image import` unpacks the docker-archive, `wwctl image build` makes a cpio of it in gzip, and iPXE
gives that to the image's own kernel together with the cpio of the system overlay (etc/ipxe/default.ipxe).
"""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from crossbuild import resources
from crossbuild.booting import unpacking
from crossbuild.booting.ways import BootJob, Prepared, packed, startable, the_file, write_initrd
from crossbuild.errors import ArtifactError
from crossbuild.host.archives import newc
from crossbuild.host.rooted import resolve
from crossbuild.host.survey import survey

SCRIPT, SCRIPT_PLACE = "warewulf4/restore-capabilities.sh", "warewulf/init.d/50-restore-capabilities"
"""Of the set, and where its head says that it belongs in an overlay."""
BESIDES = 256 << 20
"""Bytes of memory for the kernel and what runs, beside the image, packed and unpacked."""
HALF = 50
_SHARE = re.compile(r"(?:^|\s)initramfs_options=(?:\S*,)?size=(\d{1,2})%")
"""Documentation/admin-guide/kernel-parameters.txt, Linux 6.18, and later releases of older series."""


def prepare(job: BootJob) -> Prepared:
    """Make the image's cpio and that of an overlay with the first program and the set's own script."""
    archive = the_file(job.artifacts, "warewulf4/*.tar")
    root = unpacking.layers(archive, job.folder / "root")
    kernel = _kernel(job, root)
    overlay = _overlay(job)
    image = newc(root, job.folder / "root.names")
    initrd = write_initrd([_one_member(image), packed(overlay)], job.folder / "initrd")
    return Prepared(
        kernel=kernel,
        initrd=initrd,
        arguments=job.arguments,
        memory=survey(root).size * 100 // share_of(job.arguments) + initrd.stat().st_size + BESIDES,
    )


def share_of(arguments: str) -> int:
    """Return how many percent of memory, beside the packed one, Linux gives the initramfs (mm/shmem.c)."""
    found = _SHARE.search(arguments)
    return int(found[1]) or HALF if found else HALF


def _kernel(job: BootJob, root: Path) -> Path:
    kernel: Any = job.artifacts.record.get("kernel")
    if not isinstance(kernel, dict):
        raise ArtifactError(
            "The image has no kernel, so nothing of it can be started.",
            resolution="Build it with a kernel; with `kernel: false`, its nodes start another image's.",
        )
    path = resolve(root, PurePosixPath(str(kernel["path"])))
    if not path.is_file():
        raise ArtifactError(f"The image has no {kernel['path']}, which its record names as its kernel.")
    return startable(path, job.folder)


def _overlay(job: BootJob) -> Path:
    overlay = job.folder / "overlay"
    scripts = overlay / PurePosixPath(SCRIPT_PLACE).parent
    scripts.mkdir(parents=True)
    init = overlay / "init"
    init.write_text(resources.render("booting/warewulf4.sh.j2"), encoding="utf-8")
    init.chmod(0o755)
    if any(str(file.path) == SCRIPT for file in job.artifacts.artifacts):
        shutil.copy(job.artifacts.directory / SCRIPT, overlay / SCRIPT_PLACE)
        (overlay / SCRIPT_PLACE).chmod(0o755)
    shutil.move(job.handed, overlay / job.handed.name)
    return overlay


def _one_member(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *blocks* as a single member of gzip: behind one, the kernel expects another archive."""
    # 16 asks zlib for a gzip header (zlib manual, deflateInit2); level 1, since nobody keeps the result.
    packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for block in blocks:
        yield packer.compress(block)
    yield packer.flush()
