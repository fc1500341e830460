"""An ARM machine of the tests: an image that crossbuild builds, started as `crossbuild boot` starts it.

It is emulated as a whole, kernel and all. It has an sshd, which is reached over a network of its own, and an
empty disk; no package source is in its reach.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shlex
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crossbuild.artifacts.store import load_set
from crossbuild.booting import warewulf3
from crossbuild.booting.machine import ADDRESS, CABLE, HOST, NETMASK, Emulator, find_emulator
from crossbuild.booting.probe import Handed, write_probe
from crossbuild.booting.service import Run, run_machine
from crossbuild.booting.ways import BootJob
from crossbuild.host.command import Companion, capture
from crossbuild.host.own_network import own_network
from crossbuild.model.boot import Observed
from crossbuild.pipeline.booting import expected_of
from tests.integration.conftest import CommandLine
from tests.integration.node_rig import make_key

SPEC = f"""\
name: arm-node
distro: debian
release: "12"
packages:
  - systemd-sysv
  - dbus
  - udev
  - kmod
  - iproute2
  - ifupdown
  - openssh-server
  - e2fsprogs
  - python3
  - mmdebstrap
  - zstd
  - podman
  - crun
kernel:
  package: linux-image-cloud-arm64
  args: "console=ttyAMA0,115200 net.ifnames=0"
services:
  enable: [ssh]
files:
  - target: /root/.ssh/authorized_keys
    source: user_key.pub
    mode: "0600"
  - target: /etc/network/interfaces
    content: |
      auto lo eth0
      iface lo inet loopback
      iface eth0 inet manual
        up ip route replace default via {HOST}
outputs: [warewulf3]
"""
"""Its address it has from Warewulf's initramfs already."""
DISK = 6 << 30
"""Bytes, of which only those count that are written."""
BESIDES = 3 << 30
"""Bytes of memory for builds and containers; the root itself is in memory, too."""
SECONDS = 400
"""Until it must be up, on a busy host."""


@dataclass(frozen=True, kw_only=True)
class ArmMachine:
    """A machine that runs."""

    address: str


def build_image(crossbuild: CommandLine, folder: Path) -> Path:
    """Return the set of the machine's image in *folder*, which keeps it and its key for the next run."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "user_key").is_file():
        make_key(folder / "user_key")
    spec = folder / "arm-node.yaml"
    spec.write_text(SPEC)
    crossbuild("build", str(spec), "--output", str(folder / "out"))
    return folder / "out/arm-node"


@contextlib.contextmanager
def running_machine(image: Path, folder: Path) -> Iterator[ArmMachine]:
    """Start the set *image* in the new *folder*, and yield it once it is up; it ends with the block."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    up: queue.SimpleQueue[str] = queue.SimpleQueue()
    over = threading.Event()

    def run() -> None:
        try:
            _run(image, folder, up, over)
        except BaseException as error:
            up.put(repr(error))
            raise

    # Its network is that of the thread: this one's stays as it is.
    thread = threading.Thread(target=run, name="machine")
    thread.start()
    try:
        failure = up.get()
        assert not failure, failure
        here, there = _addresses()
        capture(["ip", "address", "add", f"{here}/30", "dev", _link()])
        capture(["ip", "link", "set", _link(), "up"])
        yield ArmMachine(address=there)
    finally:
        over.set()
        thread.join()
        shutil.rmtree(folder)


def _run(image: Path, folder: Path, up: queue.SimpleQueue[str], over: threading.Event) -> None:
    artifacts = load_set(image)
    handed = write_probe(folder, expected_of(artifacts), Handed())
    kernel: Any = artifacts.record["kernel"]
    prepared = warewulf3.prepare(
        BootJob(artifacts=artifacts, folder=folder, handed=handed, arguments=kernel["args"])
    )

    def meanwhile(_machine: Companion, observed: Observed) -> None:
        up.put(observed.failure)
        over.wait()

    run = Run(
        emulator=_with_disk(find_emulator(), folder),
        memory=prepared.memory + BESIDES,
        timeout=SECONDS,
        log=folder.with_name("console.log"),
    )
    with own_network(CABLE, HOST, NETMASK):
        _open_to_host()
        run_machine(prepared, run, meanwhile)


def _with_disk(emulator: Emulator, folder: Path) -> Emulator:
    """Return *emulator* with one more device in each machine: an empty disk."""
    disk, program = folder / "disk", folder / "emulator"
    with disk.open("wb") as file:
        file.truncate(DISK)
    drive = f"-drive file={shlex.quote(str(disk))},if=none,format=raw,cache=unsafe,id=disk"
    program.write_text(f'#!/bin/sh\nexec {emulator.path} "$@" {drive} -device virtio-blk-pci,drive=disk\n')
    program.chmod(0o755)
    return replace(emulator, path=str(program))


def _open_to_host() -> None:
    """Let this process's host reach the machine's sshd at an address that only this process uses."""
    outside, inside = _link(), "outside0"
    capture(["ip", "link", "add", inside, "type", "veth", "peer", "name", outside, "netns", str(os.getpid())])
    capture(["ip", "address", "add", f"{_addresses()[1]}/30", "dev", inside])
    capture(["ip", "link", "set", inside, "up"])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    rule = ["PREROUTING", "-i", inside, "-p", "tcp", "--dport", "22", "-j", "DNAT", "--to", ADDRESS]
    capture(["iptables", "-w", "-t", "nat", "-A", *rule])


def _link() -> str:
    return f"cbarm{os.getpid()}"


def _addresses() -> tuple[str, str]:
    """Return this host's and the machine's: the last of those that `node_rig` gives to this process."""
    own = os.getpid()
    network = f"10.{192 + own // 256 % 64}.{own % 256}"
    return f"{network}.253", f"{network}.254"
