"""What is there is told, and what is missing or damaged is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossbuild.artifacts.receipts import record_digest, write_receipt
from crossbuild.errors import ArtifactError
from crossbuild.model.artifact import OutputKind
from crossbuild.report import boots
from crossbuild.report.bars import Look
from crossbuild.report.reading import read_report
from tests.unit.artifacts.sets import CURL, make_set
from tests.unit.artifacts.test_receipts import RECEIPT
from tests.unit.report.sets import full_set, write_boot


def test_everything_that_is_there_is_told(tmp_path: Path) -> None:
    report = read_report(full_set(tmp_path))
    assert report.phases is not None
    assert report.work is not None
    assert (report.filling.measured, report.filling.size) == (True, "1.0 kB")
    assert [one.path for one in report.filling.largest] == ["/usr/lib/libcurl.so"]
    assert [(one.name, one.size, one.share) for one in report.packages] == [("curl", 900, "90 %")]
    assert report.damaged == 0


@pytest.mark.parametrize("content", [None, "", "[]", '{"phases": 3, "folders": [3], "packages": {}}'])
def test_a_set_without_the_rest_is_told_all_the_same(tmp_path: Path, content: str | None) -> None:
    directory = make_set(tmp_path)
    for name in ("timeline.json", "contents.json", "packages.json"):
        if content is None:
            (directory / name).unlink(missing_ok=True)
        else:
            (directory / name).write_text(content)
    report = read_report(directory)
    assert (report.phases, report.work, report.packages, report.filling.packages) == (None, None, (), ())


def test_sizes_of_older_sets_are_what_packages_say(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    packages = [{"name": "a", "version": "1", "arch": "arm64", "installed_size": 2000}]
    (directory / "packages.json").write_text(json.dumps(packages))
    filling = read_report(directory).filling
    assert (filling.measured, filling.size, filling.folders) == (False, "2.0 kB", ())


def test_what_is_no_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        read_report(tmp_path)


def test_a_file_of_another_size_is_told_at_once_and_other_bytes_when_they_are_read(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    (directory / "ims/kernel").write_text("KERNEL")
    (directory / "packages.json").unlink()
    assert [one.path for one in read_report(directory).files if one.problem] == ["packages.json"]
    read = read_report(directory, verify=True)
    assert {one.path: one.problem.split(":")[0] for one in read.files} == {
        "ims/kernel": "damaged",
        "packages.json": "missing",
    }
    assert (read.damaged, read.read) == (2, True)


def test_a_report_is_no_file_that_a_set_must_not_have(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    (directory / "report.html").write_text("<!DOCTYPE html>")
    (directory / "alien").write_text("")
    assert [one.path for one in read_report(directory, verify=True).files if one.problem] == ["alien"]


def test_receipts_say_whether_they_are_of_this_build(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    write_receipt(RECEIPT, directory / "receipts/warewulf3-1.json")
    (row,) = read_report(directory).receipts
    assert (row.file, row.current) == ("warewulf3-1.json", RECEIPT.record == record_digest(directory))


def test_a_damaged_receipt_is_told(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    (directory / "receipts").mkdir()
    (directory / "receipts/ims-1.json").write_text("{")
    report = read_report(directory)
    assert "ims-1.json" in report.receipts_problem
    assert report.receipts == ()


def test_only_kinds_that_are_in_the_set_can_boot(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    write_boot(directory, "warewulf3")
    assert read_report(directory).boots == {OutputKind.IMS: None}


def test_a_boot_is_told_with_its_stages_checks_and_console(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    write_boot(directory, "ims", console="one\r\n\x1b[32mtwo\x1b[0m\r\n")
    boot = read_report(directory).boots[OutputKind.IMS]
    assert boot is not None
    assert (boot.booted, boot.current, boot.memory, boot.at) == (
        True,
        True,
        "1,024 MiB",
        "2026-11-21 15:20 UTC",
    )
    assert [bar.label for bar in boot.stages.bars] == ["Kernel begins", "Initramfs begins", "Verdict"]
    assert [(check.name, check.result) for check in boot.checks] == [("architecture", "ok")]
    assert boot.console is not None
    assert len(boot.console.screen) == 2


def test_a_boot_of_an_earlier_build_is_known_by_the_digest(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    write_boot(directory, "ims", image_digest="0" * 64, verdict="failed")
    boot = read_report(directory).boots[OutputKind.IMS]
    assert boot is not None
    assert (boot.booted, boot.current, boot.stages.bars[-1].look) == (False, False, Look.FAILED)


def test_only_the_end_of_a_long_console_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boots, "LOG_BYTES", 20)
    directory = make_set(tmp_path)
    write_boot(directory, "ims", console="".join(f"line {number}\n" for number in range(100)))
    boot = read_report(directory).boots[OutputKind.IMS]
    assert boot is not None
    assert boot.console is not None
    assert ["".join(run.text for run in line) for line in boot.console.log] == ["line 98", "line 99"]
    assert boot.console.cut


def test_a_boot_without_console_has_none(tmp_path: Path) -> None:
    directory = make_set(tmp_path, packages=(CURL,))
    write_boot(directory, "ims", console=None, stages="none", checks=[1], memory_bytes=-1)
    boot = read_report(directory).boots[OutputKind.IMS]
    assert boot is not None
    assert (boot.console, [bar.label for bar in boot.stages.bars], boot.checks, boot.memory) == (
        None,
        ["Verdict"],
        (),
        "",
    )
