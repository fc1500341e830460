"""A small root with everything that packing looks for, and the job to pack it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from crossbuild.artifacts.job import PackJob
from crossbuild.artifacts.kernel import find_kernel
from crossbuild.host.survey import survey
from crossbuild.model.architecture import Architecture
from crossbuild.model.root import Root
from crossbuild.model.spec import KernelSpec
from tests.unit.artifacts.kernels import ARM64_IMAGE
from tests.unit.specs import make_spec

KVER = "6.1.0-9-arm64"
EPOCH = 1_700_000_000
MODULES = f"usr/lib/modules/{KVER}"
KERNEL_SPEC = KernelSpec(package="linux", drivers=(), firmware=(), modprobe=(), args="console=ttyAMA0,115200")
TREE: dict[str, bytes | str] = {
    "lib": "usr/lib",
    "sbin/init": b"init",
    f"boot/vmlinuz-{KVER}": ARM64_IMAGE,
    f"boot/initrd.img-{KVER}": b"initrd",
    f"{MODULES}/modules.dep": b"kernel/a.ko:\n",
    "etc/hostname": b"node\n",
}


def fill(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write *files* below *root*; a string is the target of a symbolic link."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
    return root


def make_root(root: Path, files: Mapping[str, bytes | str] = TREE) -> Root:
    """Fill *root* and return it."""
    return Root(path=fill(root, files), arch=Architecture.AARCH64)


def make_job(folder: Path, files: Mapping[str, bytes | str] = TREE, **changes: Any) -> PackJob:
    """Return a job for a new root and work folder below *folder*, but for *changes*."""
    root = make_root(folder / "root", files)
    work = folder / "work"
    work.mkdir()
    values: dict[str, Any] = {
        "spec": make_spec(kernel=KERNEL_SPEC),
        "root": root,
        "kernel": find_kernel(root),
        "initrd": PurePosixPath(f"/boot/initrd.img-{KVER}"),
        "survey": survey(root.path),
        "epoch": EPOCH,
        "work": work,
        "squashfs_compression": "zstd",
    }
    return PackJob(**(values | changes))


def no_progress(_detail: str, _done: int, _total: int) -> None:
    """Receive progress and do nothing with it."""
