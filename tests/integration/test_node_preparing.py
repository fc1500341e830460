"""`crossbuild node prepare`: what a host lacks, and disks that become its build folder or stay so."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossbuild.host.command import CommandResult, capture
from tests.integration.node_fixtures import (
    add,
    config,
    node,
)
from tests.integration.node_rig import running_hosts

__all__ = ["config", "node"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[str]:
    """A disk with nothing on it."""
    image = tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(64_000_000)
    device = capture(["losetup", "--find", "--show", str(image)]).stdout.strip()
    yield device
    capture(["losetup", "--detach", device])


@pytest.fixture
def prepared(node: Callable[..., CommandResult]) -> Iterator[Callable[..., CommandResult]]:
    """Runs `crossbuild node prepare` on a host that has no folder yet."""
    with running_hosts(1) as (host,):
        host.space.rmdir()
        add(node, host)
        yield lambda *options: node("prepare", host.name, *options)
        assert "crossbuild" not in Path("/etc/fstab").read_text()


def test_what_a_node_lacks_is_told_and_then_done(prepared: Callable[..., CommandResult]) -> None:
    said = prepared()
    assert (said.status, "On the node: mkdir -p -m 0755" in said.stderr) == (1, True), said.stderr
    assert prepared("--apply").status == 0
    assert prepared().status == 0


def test_an_empty_disk_becomes_the_build_folder_and_a_used_one_stays_as_it_is(
    prepared: Callable[..., CommandResult], disk: str
) -> None:
    assert "is mounted at" not in prepared("--device", disk).stderr
    assert Path(disk).read_bytes()[:4096] == bytes(4096)
    for _ in range(2):
        assert f"{disk} is mounted at" in prepared("--device", disk, "--apply").stderr
    kind = ["blkid", "--probe", "--output", "value", "--match-tag", "TYPE", disk]
    assert capture(kind).stdout == "ext4\n"


def _partition(disk: str) -> None:
    """Write a table of one partition of Linux, from sector 2048 on (the DOS format)."""
    entry = struct.pack("<8B2L", 0, 0, 0, 0, 0x83, 0, 0, 0, 2048, 1000)
    with Path(disk).open("r+b") as file:
        file.write(bytes(446) + entry + bytes(48) + b"\x55\xaa")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda disk: capture(["mkfs.ext2", "-q", disk]), id="another file system"),
        pytest.param(lambda disk: capture(["mkswap", disk]), id="swap"),
        pytest.param(_partition, id="partitions"),
    ],
)
def test_a_disk_that_holds_something_else_is_refused(
    prepared: Callable[..., CommandResult], disk: str, make: Callable[[str], object]
) -> None:
    make(disk)
    before = Path(disk).read_bytes()
    said = prepared("--device", disk, "--apply")
    assert (said.status, "left as it is" in said.stderr) == (4, True), said.stderr
    assert Path(disk).read_bytes() == before


@pytest.mark.parametrize("device", ["/dev/null", "/dev/nothing", "sda", "/dev/../etc/passwd", "/dev/a b"])
def test_what_is_no_disk_is_refused(prepared: Callable[..., CommandResult], device: str) -> None:
    said = prepared("--device", device, "--apply")
    assert said.status in {2, 4}
    assert "Traceback" not in said.stderr
