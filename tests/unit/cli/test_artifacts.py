"""`crossbuild artifacts`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crossbuild.artifacts.receipts import next_receipt, record_digest, write_receipt
from crossbuild.cli.main import main
from tests.unit.artifacts.sets import make_set
from tests.unit.artifacts.test_receipts import RECEIPT


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["artifacts", *map(str, arguments)], catch_exceptions=False)


def test_show_names_the_proof_and_every_file(tmp_path: Path) -> None:
    result = run("show", make_set(tmp_path))
    assert result.exit_code == 0
    for words in ("1234 ELF files", "ims/kernel", "packages.json", "newc"):
        assert words in result.stdout


def test_show_as_json_is_the_record_and_the_receipts(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    record = json.loads((directory / "image.json").read_text())
    assert json.loads(run("show", directory, "--json").stdout) == {**record, "receipts": []}
    path = next_receipt(directory, RECEIPT.provisioner)
    write_receipt(RECEIPT, path)
    (shown,) = json.loads(run("show", directory, "--json").stdout)["receipts"]
    assert shown["path"] == str(path)
    assert shown["receipt"]["name"] == RECEIPT.name


@pytest.mark.parametrize(
    ("of_this_build", "words"), [(True, "this build"), (False, "an earlier build")], ids=["this", "earlier"]
)
def test_show_tells_of_which_build_a_receipt_is(tmp_path: Path, of_this_build: bool, words: str) -> None:
    directory = make_set(tmp_path)
    digest = record_digest(directory) if of_this_build else "0"
    write_receipt(replace(RECEIPT, record=digest), next_receipt(directory, RECEIPT.provisioner))
    (line,) = [line for line in run("show", directory).stdout.splitlines() if "warewulf3-1.json" in line]
    assert line.endswith(words)
    assert RECEIPT.name in line


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_verify_ends_with_1_on_damage_only(tmp_path: Path, as_json: list[str]) -> None:
    directory = make_set(tmp_path)
    assert run("verify", directory, *as_json).exit_code == 0
    (directory / "ims/kernel").write_text("kernal")
    result = run("verify", directory, *as_json)
    assert result.exit_code == 1
    assert "ims/kernel" in result.stdout


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_diff_ends_with_1_on_differences_only(tmp_path: Path, as_json: list[str]) -> None:
    one, same, other = (make_set(tmp_path / name) for name in ("one", "same", "other"))
    assert run("diff", one, same, *as_json).exit_code == 0
    record = json.loads((other / "image.json").read_text())
    (other / "image.json").write_text(json.dumps(record | {"release": "13"}))
    result = run("diff", one, other, *as_json)
    assert result.exit_code == 1
    assert "release" in result.stdout
