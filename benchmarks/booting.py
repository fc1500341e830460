"""How long each way of booting takes, compared with the same kernel and root on a virtual disk.

`python -m benchmarks.booting SET ROOT SCRATCH` wants a set, and its root unpacked in ROOT, which is
changed. A disk without any provisioner is the least that a boot can take; the emulator, its arguments and the
way in which stages are read off the console are the same.
"""

from __future__ import annotations

import functools
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from crossbuild.artifacts.store import load_set
from crossbuild.booting.attempt import Attempt, attempt
from crossbuild.booting.console import Console
from crossbuild.booting.dhcp import leases
from crossbuild.booting.machine import CABLE, HOST, NETMASK, Machine, find_emulator, machine_argv
from crossbuild.booting.probe import UNIT, Handed, write_probe
from crossbuild.booting.service import ALWAYS
from crossbuild.booting.watching import Watch
from crossbuild.host.command import beside, capture
from crossbuild.host.own_network import own_network
from crossbuild.host.survey import survey
from crossbuild.machines.sandbox_init import die_with_parent
from crossbuild.model.artifact import OutputKind
from crossbuild.model.boot import BootWish, Expected, Observed, Stage
from crossbuild.pipeline.booting import expected_of

TIMEOUT = 900.0
DISK = ("-drive", "file={disk},if=none,id=disk,format=raw", "-device", "virtio-blk-pci,drive=disk")


def target(observed: Observed) -> float:
    """Return after how many seconds the default target was reached."""
    found = {one.stage: one.seconds for one in observed.stages}
    if Stage.TARGET not in found:
        raise SystemExit(f"The machine with a disk did not come up: {observed.failure}")
    return found[Stage.TARGET]


def from_disk(directory: Path, root: Path, scratch: Path, memory: int) -> float:
    """Boot *root* from an ext4 disk, with the kernel and the initrd of the set, and return the seconds."""
    handed = write_probe(scratch, Expected(architecture="aarch64", kernel=""), Handed())
    units = root / "etc/systemd/system"
    shutil.copytree(handed / "crossbuild", root / "run-crossbuild")
    (units / UNIT).write_text(
        (handed / "systemd/system" / UNIT).read_text().replace("/run/crossbuild", "/run-crossbuild")
    )
    (units / "multi-user.target.wants" / UNIT).symlink_to(f"../{UNIT}")
    disk = scratch / "disk"
    with disk.open("wb") as file:
        file.truncate(survey(root).size * 2)
    capture(["mkfs.ext4", "-q", "-F", "-d", os.fspath(root), os.fspath(disk)])
    machine = Machine(
        kernel=directory / "ims/kernel",
        initrd=directory / "ims/initrd",
        arguments=f"root=/dev/vda rw {ALWAYS}",
        memory=memory,
    )
    argv = [*machine_argv(find_emulator(), machine), *(part.format(disk=disk) for part in DISK)]
    watch = Watch()
    dying = functools.partial(die_with_parent, os.getpid())
    with own_network(CABLE, HOST, NETMASK), beside(argv, before_exec=dying) as machines, leases():
        console = Console(machines.output, scratch / "disk.log")
        while not (watch.observed.ended or watch.observed.failure):
            line = console.line(TIMEOUT)
            if line is None:
                break
            watch.see(*line)
    return target(watch.observed)


def main(directory: str, root: str, scratch: str) -> None:
    """Print the figures."""
    artifacts = load_set(Path(directory))
    unpacked = survey(Path(root)).size
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        disk = from_disk(artifacts.directory, Path(root), folder, unpacked + (448 << 20))
    print(f"{'from a disk':12} {disk:7.1f} s to the default target")
    for way in OutputKind:
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            record = attempt(
                Attempt(
                    artifacts=artifacts,
                    expected=replace(expected_of(artifacts), tests=()),
                    way=way,
                    wish=BootWish(timeout=TIMEOUT),
                    emulator=find_emulator(),
                    exported=Path(name),
                    folder=Path(name),
                    log=Path(name) / "console.log",
                    on_stage=lambda _stage: None,
                )
            )
        seconds = {one.stage: one.seconds for one in record.stages}.get(Stage.TARGET)
        if seconds is None:
            print(f"{way:12} failed: {record.reason}")
            continue
        besides = (record.memory_bytes - unpacked) / 1e6
        print(f"{way:12} {seconds:7.1f} s, {seconds / disk:.2f} times; unpacked size and {besides:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
