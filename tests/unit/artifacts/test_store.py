"""Reading, checking and comparing sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossbuild.artifacts.store import Problem, diff_sets, load_set, verify_set
from crossbuild.errors import ArtifactError
from crossbuild.model.architecture import Architecture
from tests.unit.artifacts.sets import BUILD, CURL, make_set

NEWER_CURL = replace(CURL, version="8")


def test_set_is_read_back(tmp_path: Path) -> None:
    found = load_set(make_set(tmp_path))
    assert (found.name, found.arch) == ("node", Architecture.AARCH64)
    assert [str(artifact.path) for artifact in found.artifacts] == ["ims/kernel", "packages.json"]


def edited(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda record: record.update(changes)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        pytest.param(edited(schema=99), "schema 99", id="from a newer crossbuild"),
        pytest.param(edited(arch="riscv64"), "riscv64", id="unknown architecture"),
        pytest.param(edited(files="none"), "files", id="no list"),
        pytest.param(edited(files=[{"path": "x"}]), "size", id="file without digests"),
        pytest.param(
            edited(files=[{"path": "../x", "size": 1, "sha256": "", "md5": ""}]), "leads out", id="outside"
        ),
        pytest.param(lambda record: record.pop("name"), "name", id="no name"),
    ],
)
def test_record_that_makes_no_sense_is_an_error(
    tmp_path: Path, edit: Callable[[dict[str, Any]], object], words: str
) -> None:
    path = make_set(tmp_path) / "image.json"
    record = json.loads(path.read_text())
    edit(record)
    path.write_text(json.dumps(record))
    with pytest.raises(ArtifactError) as caught:
        load_set(path.parent)
    assert words in caught.value.details


@pytest.mark.parametrize("content", ["{", "[]", "", "null"])
def test_what_is_no_record_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "image.json").write_text(content)
    with pytest.raises(ArtifactError):
        load_set(tmp_path)


def test_folder_without_a_record_is_an_error_that_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no artifact set") as caught:
        load_set(tmp_path)
    assert "out/NAME" in caught.value.resolution


def test_whole_set_has_no_findings(tmp_path: Path) -> None:
    assert verify_set(load_set(make_set(tmp_path))) == ()


@pytest.mark.parametrize(
    ("harm", "path", "problem"),
    [
        pytest.param(lambda at: (at / "ims/kernel").unlink(), "ims/kernel", Problem.MISSING, id="missing"),
        pytest.param(
            lambda at: (at / "ims/kernel").write_text("kernal"), "ims/kernel", Problem.DAMAGED, id="same size"
        ),
        pytest.param(
            lambda at: (at / "ims/kernel").write_text("k"), "ims/kernel", Problem.DAMAGED, id="other size"
        ),
        pytest.param(lambda at: (at / "ims/new").touch(), "ims/new", Problem.EXTRA, id="extra"),
    ],
)
def test_each_file_that_is_not_as_built_is_named(
    tmp_path: Path, harm: Callable[[Path], object], path: str, problem: Problem
) -> None:
    directory = make_set(tmp_path)
    harm(directory)
    (finding,) = verify_set(load_set(directory))
    assert (str(finding.path), finding.problem) == (path, problem)
    assert finding.details


@pytest.mark.parametrize(
    ("changes", "subjects"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"build": replace(BUILD, seconds=1.0, venue="arm01")}, [], id="another build"),
        pytest.param({"kernel": "other"}, ["file ims/kernel"], id="a file"),
        pytest.param(
            {"packages": (NEWER_CURL,)}, ["file packages.json", "package curl:arm64"], id="a package"
        ),
        pytest.param({"epoch": 1}, ["record source_date_epoch"], id="a field of the record"),
    ],
)  # fmt: skip
def test_difference_is_named(tmp_path: Path, changes: dict[str, Any], subjects: list[str]) -> None:
    one, two = make_set(tmp_path / "one"), make_set(tmp_path / "two", **changes)
    found = diff_sets(load_set(one), load_set(two))
    assert [difference.subject for difference in found] == subjects


def test_package_that_one_side_lacks_is_empty_there(tmp_path: Path) -> None:
    one, two = make_set(tmp_path / "one"), make_set(tmp_path / "two", packages=())
    found = {item.subject: item for item in diff_sets(load_set(one), load_set(two))}
    assert (found["package curl:arm64"].before, found["package curl:arm64"].after) == ("7.88.1-10", "")
