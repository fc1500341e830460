from __future__ import annotations

import gzip
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import FileCapability
from crossbuild.model.survey import TreeSurvey
from crossbuild.verification.findings import Verification
from crossbuild.verification.packed import verify_packed
from tests.unit.formats.test_cpio import END, member
from tests.unit.trees import X86_64, make_elf, program
from tests.unit.verification.test_archives import CAPABILITY, tar

PING = PurePosixPath("/usr/bin/ping")
OTHER = bytes.fromhex("0000000200200000000000000000000000000000")
TAR = gzip.compress(tar({".": b"", "./usr/bin/ping": program()}, capabilities={"./usr/bin/ping": CAPABILITY}))
NEWC = gzip.compress(member("usr/bin/ping", program()) + END)


def surveyed(*capable: PurePosixPath) -> TreeSurvey:
    capabilities = tuple(FileCapability(path=path, value=CAPABILITY) for path in capable)
    return TreeSurvey(
        files=1, directories=1, links=0, size=0, capabilities=capabilities, attributes=(), oversized=(),
        devices=(), sockets=(), odd_names=(),
    )  # fmt: skip


def verify(
    directory: Path, files: dict[str, bytes], *capable: PurePosixPath, allow: tuple[str, ...] = ()
) -> Verification:
    for name, content in files.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_bytes(content)
    return verify_packed(directory, surveyed(*capable), Architecture.AARCH64, allow=allow)


def findings(verification: Verification) -> list[tuple[str, str]]:
    return [(str(finding.path), finding.check) for finding in verification.findings]


def test_what_arrived_is_counted(tmp_path: Path) -> None:
    layer = tar({"usr/bin/ping": program()})
    verification = verify(
        tmp_path,
        {"warewulf3/a.vnfs": NEWC, "warewulf3/6.1.wwbs": NEWC, "warewulf4/a.tar": tar({"layer.tar": layer})},
    )
    assert verification.findings == ()
    assert verification.proof.elf_files == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("warewulf3/a.vnfs", gzip.compress(member("opt/x", make_elf(machine=X86_64)) + END)),
        ("warewulf3/k.wwbs", gzip.compress(member("opt/x", make_elf(machine=X86_64)) + END)),
        ("warewulf4/a.tar", tar({"layer.tar": tar({"opt/x": make_elf(machine=X86_64)})})),
    ],
)
def test_a_foreign_file_is_found_in_every_archive(tmp_path: Path, name: str, content: bytes) -> None:
    verification = verify(tmp_path, {name: content})
    assert findings(verification) == [(f"{name}/opt/x", "architecture")]
    assert findings(verify(tmp_path, {name: content}, allow=("/opt/*",))) == []


def test_firmware_in_a_bootstrap_is_data(tmp_path: Path) -> None:
    blob = make_elf(machine=94, bits=32)
    content = gzip.compress(member("./initramfs/lib/firmware/x", blob) + END)
    assert findings(verify(tmp_path, {"warewulf3/k.wwbs": content})) == []


@pytest.mark.parametrize("name", ["warewulf3/a.vnfs", "warewulf4/a.tar"])
def test_a_damaged_archive_is_one_finding(tmp_path: Path, name: str) -> None:
    assert findings(verify(tmp_path, {name: TAR[:-9]}, PING)) == [(name, "archive")]


def test_capabilities_that_arrived_are_no_finding(tmp_path: Path) -> None:
    assert findings(verify(tmp_path, {"warewulf3/a.vnfs": TAR}, PING)) == []


def test_capabilities_arrive_for_each_name_of_a_file(tmp_path: Path) -> None:
    content = tar({"usr/bin/ping": b"x"}, capabilities={"usr/bin/ping": CAPABILITY}, link="usr/bin/ping6")
    ping6 = PING.with_name("ping6")
    assert findings(verify(tmp_path, {"warewulf3/a.vnfs": content}, PING, ping6)) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(NEWC, "has nothing in the archive", id="format without"),
        pytest.param(
            tar({"usr/bin/ping": b"x"}, capabilities={"usr/bin/ping": OTHER}),
            "has cap_net_raw=p in",
            id="changed",
        ),
        pytest.param(tar({"other": b"x"}), "has nothing", id="file missing"),
    ],
)
def test_capabilities_that_were_lost_are_found(tmp_path: Path, content: bytes, words: str) -> None:
    verification = verify(tmp_path, {"warewulf3/a.vnfs": content}, PING)
    assert findings(verification) == [("warewulf3/a.vnfs/usr/bin/ping", "capabilities")]
    assert "had cap_net_raw=ep in the root" in verification.findings[0].message
    assert words in verification.findings[0].message


def test_a_script_makes_up_for_a_format_without_capabilities(tmp_path: Path) -> None:
    script = b"#!/bin/sh\nsetcap cap_net_raw=ep /usr/bin/ping\n"
    files = {"warewulf3/a.vnfs": NEWC, "warewulf3/restore-capabilities.sh": script}
    assert findings(verify(tmp_path, files, PING)) == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (b"# Warewulf's cpio\nsetcap cap_net_raw=ep '/usr/bin/ping'\n", []),
        (b"setcap cap_net_raw=ep /usr/bin/ping6\n", [("warewulf4/a.tar/usr/bin/ping", "capabilities")]),
        (b"# /usr/bin/ping\n", [("warewulf4/a.tar/usr/bin/ping", "capabilities")]),
        (b"setcap cap_net_raw=ep /usr/bin/other\n", [("warewulf4/a.tar/usr/bin/ping", "capabilities")]),
    ],
)
def test_warewulf_4_needs_the_script_although_the_layer_has_all(
    tmp_path: Path, script: bytes, expected: list[tuple[str, str]]
) -> None:
    layer = tar({"usr/bin/ping": program()}, capabilities={"usr/bin/ping": CAPABILITY})
    files = {"warewulf4/a.tar": tar({"layer.tar": layer}), "warewulf4/restore-capabilities.sh": script}
    assert findings(verify(tmp_path, files, PING)) == expected


def test_a_bootstrap_needs_no_capabilities(tmp_path: Path) -> None:
    assert findings(verify(tmp_path, {"warewulf3/k.wwbs": NEWC}, PING)) == []
