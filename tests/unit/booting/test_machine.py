"""The machine's command line, and the host's emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.booting import machine
from crossbuild.booting.machine import Emulator, Machine, find_emulator, machine_argv
from crossbuild.errors import HostNotReadyError


def argv(*, kvm: bool = False) -> str:
    emulator = Emulator(path="/usr/bin/qemu-system-aarch64", version="7.2.22", kvm=kvm)
    described = Machine(kernel=Path("/k"), initrd=Path("/i"), arguments="quiet", memory=900 << 20)
    return " ".join(machine_argv(emulator, described))


def test_a_machine_gets_what_a_boot_loader_would_give_it() -> None:
    line = argv()
    assert "-m 900M" in line
    assert line.endswith("-kernel /k -initrd /i -append quiet")


def test_this_host_s_own_processors_serve_where_they_can() -> None:
    assert "-accel tcg,thread=multi" in argv()
    assert "-accel kvm -cpu host" in argv(kvm=True)


def test_without_an_emulator_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find", lambda _program: None)
    with pytest.raises(HostNotReadyError) as caught:
        find_emulator()
    assert caught.value.exit_code == 3
    assert caught.value.resolution
