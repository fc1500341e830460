"""The tree that a Warewulf 3 bootstrap packs: kernel, modules, firmware, names to load.

Laid out as wwbootstrap does (warewulf3, vnfs/bin/wwbootstrap); Warewulf adds its own userland on import.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from crossbuild.artifacts.drivers import ModuleIndex, read_index, select
from crossbuild.artifacts.firmware import find_firmware, real_path
from crossbuild.artifacts.job import PackJob
from crossbuild.artifacts.kernel import write_kernel
from crossbuild.artifacts.storage import disk_full
from crossbuild.errors import ArtifactError, CommandFailedError
from crossbuild.host.command import capture
from crossbuild.host.rooted import resolve
from crossbuild.model.artifact import Kernel
from crossbuild.model.spec import KernelSpec
from crossbuild.resources import data_folder

MODPROBE_HEAD = (
    "# Written by crossbuild: the modules, with options, that /sbin/modprobe loads by name",
    "# when the node starts, one on each line.",
)
_ORDER_FILES = ("modules.order", "modules.builtin", "modules.builtin.modinfo")
_NO_KERNEL_SPEC = KernelSpec(package="", drivers=(), firmware=(), modprobe=(), args="")


def lay_out(job: PackJob, kernel: Kernel, tree: Path) -> None:
    """Fill the new folder *tree* for *kernel*; raise ArtifactError, CommandFailedError, OSError."""
    wanted = job.spec.kernel or _NO_KERNEL_SPEC
    initramfs = tree / "initramfs"
    modules = initramfs / "lib/modules" / kernel.version
    source = resolve(job.root.path, f"/lib/modules/{kernel.version}")
    modules.mkdir(parents=True)
    (initramfs / "etc").mkdir()
    chosen = _choose(_index(source, kernel), wanted)
    for name in (*chosen, *_ORDER_FILES):
        _copy(job.root.path, f"/lib/modules/{kernel.version}/{name}", modules / name)
    _copy_sysctl(job.root.path, kernel, modules)
    _copy_firmware(job, wanted, [modules / name for name in chosen], initramfs / "lib/firmware")
    (initramfs / "etc/wwmodprobe").write_text(
        "".join(f"{line}\n" for line in (*MODPROBE_HEAD, *wanted.modprobe))
    )
    _depmod(initramfs, kernel)
    write_kernel(kernel, job.root, tree / "kernel")
    _even_out(tree, job.epoch)


def default_drivers() -> tuple[str, ...]:
    """Return the entries that every bootstrap begins with."""
    text = (data_folder() / "templates/warewulf3/bootstrap.yaml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text)["drivers"])


def _index(source: Path, kernel: Kernel) -> ModuleIndex:
    try:
        return read_index(source)
    except (FileNotFoundError, ValueError) as error:
        raise ArtifactError(
            f"The root has no good list of modules for its kernel {kernel.version}.",
            details=str(error),
            resolution="Install the kernel's module package, or run `depmod KERNEL_VERSION` inside the root.",
        ) from error


def _choose(index: ModuleIndex, wanted: KernelSpec) -> tuple[str, ...]:
    unknown = select(index, wanted.drivers).unknown
    if unknown:
        raise ArtifactError(
            f"The kernel has no driver {_quoted(unknown)}.",
            details="Each entry of `kernel.drivers` is a module's name, such as `mlx5_core`, or the start "
            "of a path below its module folder, such as `kernel/drivers/net/`.",
            resolution="Correct `kernel.drivers` in the spec, or install the package that brings the module.",
        )
    return select(index, (*default_drivers(), *wanted.drivers)).modules


def _copy(root: Path, name: str, target: Path) -> None:
    """Copy the file *name* of *root*, found through its links, if it is there."""
    source = resolve(root, name)
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _copy_sysctl(root: Path, kernel: Kernel, modules: Path) -> None:
    _copy(root, f"/boot/sysctl.conf-{kernel.version}", modules / "sysctl.conf")
    _copy(root, f"/lib/modules/{kernel.version}/sysctl.conf", modules / "sysctl.conf")


def _copy_firmware(job: PackJob, wanted: KernelSpec, modules: Sequence[Path], target: Path) -> None:
    """Copy what the spec names and what the modules ask for themselves."""
    target.mkdir()
    root = job.root.path
    for pattern in wanted.firmware:
        if not find_firmware(root, [pattern]):
            raise ArtifactError(
                f"The root has no firmware `{pattern}`.",
                details="It was looked for below lib/firmware.",
                resolution="Add the firmware's package to the spec, or correct `kernel.firmware`.",
            )
    found = find_firmware(root, wanted.firmware) | find_firmware(root, _asked_for(modules), compressed=True)
    for name, link in found.items():
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if link is None:
            shutil.copyfile(real_path(root, name), place)
        else:
            place.symlink_to(link)


def _asked_for(modules: Sequence[Path]) -> list[str]:
    if not modules:
        return []
    listing = capture(["modinfo", "--field", "firmware", *map(os.fspath, modules)]).stdout
    return sorted({line for line in listing.splitlines() if line})


def _depmod(initramfs: Path, kernel: Kernel) -> None:
    # kmod may be built for /usr/lib/modules, and then looks only there.
    (initramfs / "usr").symlink_to(".")
    command = [
        "depmod",
        "--all",
        "--basedir", os.fspath(initramfs),
        kernel.version,  # without it, depmod takes the version of the kernel that runs here
    ]  # fmt: skip
    try:
        capture(command)
    except CommandFailedError as error:
        if "No space left" in error.details:
            raise disk_full(initramfs, error.details) from error
        raise
    (initramfs / "usr").unlink()


def _even_out(tree: Path, epoch: int) -> None:
    """Give everything in *tree* the same rights and time, whatever the umask and the root say."""
    for path in _below(tree):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def _below(tree: Path) -> Iterator[Path]:
    """Yield *tree* and all that is in it, each folder after its content."""
    for folder, _, files in os.walk(tree, topdown=False):
        yield from (Path(folder, name) for name in files)
        yield Path(folder)


def _quoted(entries: Sequence[str]) -> str:
    return " and ".join(f"`{entry}`" for entry in entries)
