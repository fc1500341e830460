"""A node of Warewulf 3: kernel and modules of the bootstrap, and the VNFS over HTTP into memory."""

from __future__ import annotations

import gzip
import shutil

from crossbuild import resources
from crossbuild.booting import unpacking
from crossbuild.booting.machine import ADDRESS, HOST, MAC, NETMASK, WEB_PORT
from crossbuild.booting.tools import copy_tools
from crossbuild.booting.ways import BootJob, Prepared, packed, startable, the_file, write_initrd
from crossbuild.errors import ArtifactError
from crossbuild.host.survey import survey

VNFS_PATH = "/WW/vnfs"
"""Where Warewulf's own initramfs asks for it (provision/initramfs/capabilities/transport-http/wwgetvnfs)."""
DEVICE = "eth0"
BESIDES = 448 << 20
"""Bytes for the kernel, the initramfs before it is left, and what runs, besides the image itself."""

TOOLS = (
    "bash", "cat", "cp", "gzip", "ip", "mkdir", "modprobe", "mount", "sleep", "sort",
    "switch_root", "tail",
)  # fmt: skip
UNPACK = {
    "cpio": "cpio --extract --make-directories --preserve-modification-time --quiet --io-size=1048576",
    # As bsdtar does for Warewulf, with everything that a pax archive can carry.
    "tar": "tar --extract --file=- --preserve-permissions --numeric-owner --acls"
    " --xattrs '--xattrs-include=*' --blocking-factor=2048 --read-full-records",
}
"""In large blocks: emulated system calls are slow."""


def prepare(job: BootJob) -> Prepared:
    """Lay out an initramfs of the bootstrap's modules and the image's programs."""
    archive = the_file(job.artifacts, "warewulf3/*.wwbs")
    bootstrap = unpacking.unpack(archive, job.folder / "bootstrap")
    if not ((bootstrap / "kernel").is_file() and (bootstrap / "initramfs").is_dir()):
        raise ArtifactError(f"{archive} is no bootstrap.", details="It holds no kernel, or no initramfs.")
    vnfs = the_file(job.artifacts, "warewulf3/*.vnfs")
    root = unpacking.unpack(vnfs, job.folder / "root")
    packer = "cpio" if unpacking.is_newc(vnfs) else "tar"
    tree = job.folder / "initramfs"
    tree.mkdir()
    copy_tools(root, job.artifacts.arch, (*TOOLS, packer), tree, wanted=("zstd",))
    shutil.copytree(bootstrap / "initramfs", tree, dirs_exist_ok=True, symlinks=True)
    shutil.move(job.handed, tree / job.handed.name)
    versions = sorted(folder.name for folder in (bootstrap / "initramfs/lib/modules").glob("*"))
    init = tree / "init"
    init.write_text(
        resources.render(
            "booting/warewulf3.sh.j2",
            path=VNFS_PATH,
            port=WEB_PORT,
            kernel=versions[-1] if versions else "",
            unpack=f"unpack_gzip <&3 2>/unpack.log | {UNPACK[packer]} 2>>/unpack.log",
        )
    )
    init.chmod(0o755)
    (tree / "empty.gz").write_bytes(gzip.compress(b""))
    # What iPXE is told for each node (provision/lib/Warewulf/Provision/Pxe.pm).
    node = f"wwmaster={HOST} wwipaddr={ADDRESS} wwnetmask={NETMASK} wwnetdev={DEVICE} wwhwaddr={MAC}"
    return Prepared(
        kernel=startable(bootstrap / "kernel", job.folder),
        initrd=write_initrd([packed(tree)], job.folder / "initrd"),
        arguments=f"{job.arguments} ro {node}",
        memory=survey(root).size + BESIDES,
        files={VNFS_PATH: vnfs},
    )
