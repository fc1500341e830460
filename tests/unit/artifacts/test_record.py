"""`image.json`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath

from crossbuild.artifacts.record import record, write_record
from crossbuild.model.artifact import Artifact, Digests, FileCapability
from tests.unit.artifacts.jobs import KERNEL_SPEC, KVER
from tests.unit.artifacts.sets import BUILD, make_facts

FILE = Artifact(path=PurePosixPath("ims/kernel"), digests=Digests(size=3, sha256="aa", md5="bb"))


def test_record_says_how_the_architecture_was_proved(tmp_path: Path) -> None:
    made = record(make_facts(tmp_path / "x"), [FILE])
    assert made["arch"] == "aarch64"
    assert made["arch_proof"] == {
        "elf_files": 1234,
        "arch": "aarch64",
        "interpreter": "/lib/ld-linux-aarch64.so.1",
        "init": "/usr/lib/systemd/systemd",
        "kernel_header": "arm64 Image",
    }


def test_record_lists_files_and_kernel(tmp_path: Path) -> None:
    made = record(make_facts(tmp_path / "x"), [FILE])
    assert made["files"] == [{"path": "ims/kernel", "size": 3, "sha256": "aa", "md5": "bb"}]
    assert made["kernel"] == {
        "version": KVER,
        "path": f"/boot/vmlinuz-{KVER}",
        "format": "image",
        "gzipped": False,
        "args": KERNEL_SPEC.args,
    }


def test_format_comes_with_its_reason_and_what_it_leaves_out(tmp_path: Path) -> None:
    facts = make_facts(tmp_path / "x")
    survey = replace(
        facts.survey,
        capabilities=(FileCapability(path=PurePosixPath("/bin/ping"), value=b"\x01"),),
        attributes=(),
        sockets=(PurePosixPath("/run/\udcffsocket"),),
    )
    made = record(replace(facts, survey=survey), [])
    assert made["capabilities"] == [{"path": "/bin/ping", "value": "01"}]
    assert isinstance(made["formats"], dict)
    assert made["formats"]["vnfs"] == {
        "archive": "pax",
        "reason": "newc cannot carry file capabilities (1)",
        "left_out": ["/run/\\xffsocket"],
    }


def test_what_squashfs_loses_is_said(tmp_path: Path) -> None:
    facts = make_facts(tmp_path / "x")
    assert isinstance(plain := record(facts, [])["formats"], dict)
    assert "ims" not in plain
    survey = replace(facts.survey, attributes=(PurePosixPath("/var/log/journal"),))
    assert isinstance(formats := record(replace(facts, survey=survey), [])["formats"], dict)
    assert formats["ims"]["entries_with_attributes"] == ["/var/log/journal"]


def test_only_the_build_section_tells_of_the_build(tmp_path: Path) -> None:
    facts = make_facts(tmp_path / "x")
    elsewhere = replace(BUILD, venue="arm01", seconds=1.0, finished="2024-01-01T00:00:00Z", inputs="cd34")
    one, two = record(facts, [FILE]), record(replace(facts, build=elsewhere), [FILE])
    assert one.pop("build") != two.pop("build")
    assert one == two


def test_record_is_json_and_its_own_artifact(tmp_path: Path) -> None:
    written = write_record(make_facts(tmp_path / "x"), [FILE], tmp_path)
    assert json.loads((tmp_path / written.path).read_text())["schema"] == 1
