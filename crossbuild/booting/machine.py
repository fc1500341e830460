"""The command line of the emulated machine, and what it is made of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import HostNotReadyError
from crossbuild.host.command import capture, find
from crossbuild.host.facts import inspect_host
from crossbuild.host.requirements import SYSTEM, install_command, package_for
from crossbuild.model.architecture import Architecture

PROCESSORS = 2
CONSOLE = "ttyAMA0"
"""The serial port of qemu's machine `virt`."""
WEB_PORT = 80
"""Free in a network of its own, where nothing else listens."""
HOST, ADDRESS, NETMASK = "10.0.2.2", "10.0.2.15", "255.255.255.0"
"""This host and the machine in the network of a boot."""
CABLE = "tap0"
"""This host's end of the network."""
MAC = "52:54:00:12:34:56"
KVM = Path("/dev/kvm")
MEBIBYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A qemu-system-aarch64 and how it runs here."""

    path: str
    version: str
    kvm: bool

    def __str__(self) -> str:
        return f"{SYSTEM} {self.version} ({'KVM' if self.kvm else 'TCG'})"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a boot loader would hand to the firmware's successor: files of this host."""

    kernel: Path
    initrd: Path
    arguments: str
    memory: int
    """Bytes."""


def find_emulator() -> Emulator:
    """Return this host's emulator of whole machines; raise HostNotReadyError where there is none."""
    path, host = find(SYSTEM), inspect_host()
    if path is None:
        family = host.system.family.value
        raise HostNotReadyError(
            f"`{SYSTEM}` is not installed.",
            details="It plays the machine that starts the image.",
            resolution=install_command(family, (package_for(SYSTEM, family),)) or "Install QEMU.",
        )
    version = capture([path, "--version"]).stdout.partition("version ")[2].split()[:1]
    kvm = host.native(Architecture.AARCH64) and os.access(KVM, os.R_OK | os.W_OK)
    return Emulator(path=path, version="".join(version), kvm=kvm)


def machine_argv(emulator: Emulator, machine: Machine) -> Sequence[str]:
    """Return the command line that starts *machine* with its console on the standard streams."""
    return [
        emulator.path,
        "-no-user-config",
        "-nodefaults",
        "-machine", "virt",
        # One thread for each processor; a Cortex-A72 has no pointer authentication, which is slow to emulate.
        *(("-accel", "kvm", "-cpu", "host") if emulator.kvm
          else ("-accel", "tcg,thread=multi", "-cpu", "cortex-a72")),
        "-smp", str(PROCESSORS),
        "-m", f"{machine.memory // MEBIBYTE}M",
        "-display", "none",
        "-chardev", "stdio,id=console,signal=off",
        "-serial", "chardev:console",
        # A root in memory starts each time as the first time: who restarts once, restarts for ever.
        "-no-reboot",
        # Not qemu's own network: it hands over single packets, and emulated machines are slow to take them.
        "-netdev", f"tap,id=net,ifname={CABLE},script=no,downscript=no",
        "-device", f"virtio-net-pci,netdev=net,mac={MAC},romfile=",
        "-object", "rng-random,filename=/dev/urandom,id=rng",
        "-device", "virtio-rng-pci,rng=rng",
        "-kernel", os.fspath(machine.kernel),
        "-initrd", os.fspath(machine.initrd),
        "-append", machine.arguments,
    ]  # fmt: skip
