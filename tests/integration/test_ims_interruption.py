"""A registration in IMS that ends in its middle leaves nothing, or is finished by the same command."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossbuild.model.ims import TYPES
from tests.fakes.ims.sets import PARTS
from tests.fakes.ims.system import System
from tests.fakes.ims.web import nothing
from tests.integration.conftest import CommandLine
from tests.integration.ims_rig import register, small_set, system, the_image, undo, when

__all__ = ["small_set", "system"]

KILLS = {
    "before the record was made": ("gateway", "before", "POST /v3/images"),
    "before the record's id was heard": ("gateway", "after", "POST /v3/images"),
    "before the upload": ("storage", "before", "POST rootfs uploads"),
    "in the middle of the upload": ("storage", "before", "PUT rootfs partNumber=2"),
    "before the parts were put together": ("storage", "before", "POST rootfs uploadId="),
    "before the manifest": ("storage", "before", "PUT manifest.json"),
    "before the link": ("gateway", "before", "PATCH /v3/images"),
    "after the link": ("gateway", "after", "PATCH /v3/images"),
}


@pytest.mark.parametrize("moment", KILLS)
def test_a_killed_registration_is_repeated_to_success(system: System, small_set: Path, moment: str) -> None:
    site, side, wanted = KILLS[moment]
    assert killed_during(system, small_set, site, side, wanted) == -signal.SIGKILL
    arrived = arrived_parts(system)
    system.storage.asked.clear()
    register(system, small_set)
    image = the_image(system)
    assert sorted(system.objects()) == sorted(f"{image['id']}/{name}" for name in (*TYPES, "manifest.json"))
    assert (image["link"]["path"].split("/")[3], system.uploads()) == (image["id"], [])
    # What had arrived is not sent again.
    sent = {part_number(line) for line in system.storage.asked if "partNumber=" in line}
    assert sent.isdisjoint(arrived)
    undo(system, small_set / "receipts/ims-1.json")
    assert system.is_empty()


def killed_during(
    system: System,
    directory: Path,
    site: str,
    side: str,
    wanted: str,
    number: signal.Signals = signal.SIGKILL,
) -> int:
    """Register *directory*, send the signal *number* at the request *wanted*, and return how it ended."""
    argv = CommandLine(system.config).argv("register", "ims", str(directory))
    started: list[subprocess.Popen[bytes]] = []

    def kill() -> Any:
        started[0].send_signal(number)
        return nothing() if number == signal.SIGKILL else None

    setattr(getattr(system, site), side, when(wanted, kill))
    started.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    status = started[0].wait()
    setattr(getattr(system, site), side, lambda _: None)
    return status


def arrived_parts(system: System) -> set[int]:
    """Return the numbers of the root's parts that S3 holds, also as a whole object."""
    if any(key.endswith("/rootfs") for key in system.objects()):
        return set(range(1, PARTS + 1))
    found: set[int] = set()
    for upload in system.uploads():
        listed = system.s3.list_parts(Bucket="boot-images", Key=upload["Key"], UploadId=upload["UploadId"])
        found |= {part["PartNumber"] for part in listed.get("Parts", [])}
    return found


def part_number(line: str) -> int:
    return int(re.findall(r"partNumber=([0-9]+)", line)[0])


def test_a_killed_registration_is_taken_back(system: System, small_set: Path) -> None:
    killed_during(system, small_set, "storage", "before", "PUT rootfs partNumber=2")
    assert not system.is_empty()
    undo(system, small_set / "receipts/ims-1.json")
    assert system.is_empty()
    assert list((small_set / "receipts").iterdir()) == []


def test_what_an_earlier_run_sent_is_compared_again(system: System, small_set: Path) -> None:
    assert killed_during(system, small_set, "storage", "before", "PUT manifest.json") == -signal.SIGKILL
    (key,) = (key for key in system.objects() if key.endswith("/rootfs"))
    metadata = system.s3.head_object(Bucket="boot-images", Key=key)["Metadata"]
    size = (small_set / "ims/rootfs").stat().st_size
    system.s3.put_object(Bucket="boot-images", Key=key, Body=bytes(size), Metadata=metadata)
    said = register(system, small_set, check=False)
    assert (said.status, "is not as it was sent" in said.stderr, system.is_empty()) == (4, True, True)


@pytest.fixture
def _signals_are_not_ignored() -> Iterator[None]:
    """Whoever runs the tests may have told this process to ignore them, as shells do in the background."""
    kept = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals_are_not_ignored")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_registration_leaves_nothing(
    system: System, small_set: Path, number: signal.Signals
) -> None:
    status = killed_during(system, small_set, "storage", "before", "PUT rootfs partNumber=2", number)
    assert (status, system.is_empty()) == (128 + number, True)
