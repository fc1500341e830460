"""Receipts beside a set."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossbuild.artifacts.receipts import next_receipt, read_receipt, receipts_of, write_receipt
from crossbuild.artifacts.store import load_set, verify_set
from crossbuild.errors import ArtifactError, StorageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind
from crossbuild.model.receipt import ChangedValue, Receipt, ReceiptState, RegisteredObject
from tests.unit.artifacts.sets import make_set

RECEIPT = Receipt(
    provisioner=OutputKind.WAREWULF3,
    state=ReceiptState.REGISTERED,
    name="node-1",
    place="sms",
    version="3.10.0",
    image="node",
    record="ab12",
    registered="2026-01-02T03:04:05+00:00",
    objects=(
        RegisteredObject(
            kind="bootstrap", name="node-1", id="7", arch=Architecture.AARCH64, checksum="md5:0"
        ),
        RegisteredObject(kind="overlay", name="node-1", made=False),
    ),
    changes=(ChangedValue(kind="node", name="n1", key="ARCH", before="", after="aarch64"),),
)


def test_receipt_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = next_receipt(tmp_path, OutputKind.WAREWULF3)
    write_receipt(RECEIPT, path)
    assert read_receipt(path) == RECEIPT


def test_receipts_are_numbered_by_provisioner_and_kept_in_their_order(tmp_path: Path) -> None:
    for provisioner in (OutputKind.IMS, *[OutputKind.WAREWULF3] * 11):
        write_receipt(replace(RECEIPT, provisioner=provisioner), next_receipt(tmp_path, provisioner))
    names = [path.name for path, _ in receipts_of(tmp_path)]
    assert names == ["ims-1.json", *(f"warewulf3-{number}.json" for number in range(1, 12))]


def test_a_set_with_receipts_is_as_it_was_built(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    write_receipt(RECEIPT, next_receipt(directory, OutputKind.WAREWULF3))
    assert verify_set(load_set(directory)) == ()


def edited(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value.update(changes)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(edited(schema=99), id="from a newer crossbuild"),
        pytest.param(edited(provisioner="xcat"), id="unknown provisioner"),
        pytest.param(edited(name=["n"]), id="a name that is no text"),
        pytest.param(edited(objects=[{"kind": "vnfs"}]), id="half an object"),
        pytest.param(edited(objects="all"), id="no list"),
        pytest.param(lambda value: value.pop("place"), id="no place"),
    ],
)
def test_what_is_no_receipt_is_an_error(tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    path = tmp_path / "receipts/warewulf3-1.json"
    write_receipt(RECEIPT, path)
    value = json.loads(path.read_text())
    edit(value)
    path.write_text(json.dumps(value))
    with pytest.raises(ArtifactError, match="no receipt"):
        read_receipt(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_what_is_no_json_object_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "warewulf3-1.json"
    path.write_text(content)
    with pytest.raises(ArtifactError, match="no receipt"):
        read_receipt(path)


def test_receipt_that_cannot_be_written_is_an_error_of_storage(tmp_path: Path) -> None:
    (tmp_path / "receipts").touch()
    with pytest.raises(StorageError):
        write_receipt(RECEIPT, tmp_path / "receipts/warewulf3-1.json")
