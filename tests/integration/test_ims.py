"""`crossbuild register ims` against S3 and an IMS that keeps the rules of the real one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from crossbuild.model.ims import TYPES
from tests.fakes.ims.gateway import SECRET
from tests.fakes.ims.s3 import SECRET_KEY
from tests.fakes.ims.sets import PARTS, write_set
from tests.fakes.ims.system import System
from tests.integration.conftest import CommandLine
from tests.integration.ims_rig import register, small_set, system, the_image, undo, when

__all__ = ["small_set", "system"]


def test_the_record_says_aarch64_and_its_manifest_what_s3_holds(system: System, small_set: Path) -> None:
    register(system, small_set)
    image = the_image(system)
    head = system.s3.head_object(Bucket="boot-images", Key=f"{image['id']}/manifest.json")
    assert (image["name"], image["arch"]) == ("node", "aarch64")
    path = f"s3://boot-images/{image['id']}/manifest.json"
    assert image["link"] == {"path": path, "etag": head["ETag"].strip('"'), "type": "s3"}
    manifest = json.loads(
        system.s3.get_object(Bucket="boot-images", Key=f"{image['id']}/manifest.json")["Body"].read()
    )
    record = {item["path"]: item for item in json.loads((small_set / "image.json").read_text())["files"]}
    assert [item["type"] for item in manifest["artifacts"]] == list(TYPES.values())
    for name, entry in zip(TYPES, manifest["artifacts"], strict=True):
        stored = system.s3.head_object(Bucket="boot-images", Key=f"{image['id']}/{name}")
        assert entry["link"]["etag"] == stored["ETag"].strip('"')
        assert entry["md5"] == stored["Metadata"]["md5sum"] == record[f"ims/{name}"]["md5"]
        assert stored["ContentLength"] == record[f"ims/{name}"]["size"]
    assert system.uploads() == []


def test_the_root_arrives_in_parts_as_it_is(system: System, small_set: Path) -> None:
    register(system, small_set)
    key = f"{the_image(system)['id']}/rootfs"
    found = system.s3.get_object(Bucket="boot-images", Key=key)["Body"].read()
    assert found == (small_set / "ims/rootfs").read_bytes()
    assert sum("partNumber=" in line for line in system.storage.asked) == PARTS


def test_the_receipt_tells_what_the_services_hold_and_the_set_stays_whole(
    system: System, small_set: Path
) -> None:
    register(system, small_set)
    receipt = json.loads((small_set / "receipts/ims-1.json").read_text())
    image = the_image(system)
    assert (receipt["state"], receipt["place"]) == ("registered", f"{system.gateway.url}/apis/ims")
    assert (receipt["objects"][0]["id"], receipt["objects"][0]["arch"]) == (image["id"], "aarch64")
    (manifest,) = (item for item in receipt["objects"] if item["name"] == "manifest.json")
    assert (manifest["place"], manifest["id"]) == (image["link"]["path"], image["link"]["etag"])
    assert CommandLine(system.config)("artifacts", "verify", str(small_set)).status == 0


def test_undo_leaves_nothing(system: System, small_set: Path) -> None:
    register(system, small_set)
    told = undo(system, small_set / "receipts/ims-1.json", "--dry-run", "--json")
    assert not system.is_empty()
    assert [action["action"].split()[0] for action in json.loads(told.stdout)["actions"]] == ["DELETE"] * 4
    undo(system, small_set / "receipts/ims-1.json")
    assert system.is_empty()


def test_undo_finishes_what_ims_left_half_deleted(system: System, small_set: Path) -> None:
    register(system, small_set)
    image = the_image(system)["id"]
    system.ims(_request("DELETE", f"/v3/images/{image}"))
    assert f"deleted/{image}/rootfs" in system.objects()
    undo(system, small_set / "receipts/ims-1.json")
    assert system.is_empty()


def test_an_image_that_somebody_linked_elsewhere_stays(system: System, small_set: Path) -> None:
    register(system, small_set)
    image = the_image(system)
    image["link"] = {**image["link"], "path": "s3://boot-images/other/manifest.json"}
    said = undo(system, small_set / "receipts/ims-1.json")
    assert f"image {image['id']}. Somebody else changed it" in said.stdout
    assert the_image(system) is image


def _request(method: str, path: str) -> Any:
    return Request(EnvironBuilder(path=path, method=method).get_environ())


def test_a_dry_run_prints_every_request_and_sends_none(system: System, small_set: Path) -> None:
    said = register(system, small_set, "--dry-run").stdout
    assert [line.split()[1] for line in said.splitlines()] == ["POST", *["PUT"] * 5, "PATCH"]
    assert '{"name": "node", "arch": "aarch64"}' in said
    assert system.is_empty()
    assert {line.split()[0] for line in (*system.storage.asked, *system.gateway.asked)} <= {
        "GET",
        "HEAD",
        "POST",
    }
    assert not (small_set / "receipts").exists()


def test_the_same_set_is_registered_once(system: System, small_set: Path) -> None:
    register(system, small_set)
    before = (system.objects(), dict(system.ims.tables["images"]))
    assert "Nothing to do" in register(system, small_set).stdout
    assert (system.objects(), system.ims.tables["images"]) == before


def test_another_set_of_that_name_is_refused_and_takes_another_name(system: System, tmp_path: Path) -> None:
    register(system, write_set(tmp_path / "one", rootfs=5000))
    other = write_set(tmp_path / "two", rootfs=6000)
    refused = register(system, other, check=False)
    assert (refused.status, len(system.ims.tables["images"])) == (4, 1)
    assert the_image(system)["id"] in refused.stderr
    register(system, other, "--name", "node-2")
    assert [image["name"] for image in system.ims.tables["images"].values()] == ["node", "node-2"]


def test_a_token_that_ends_in_the_middle_is_renewed(system: System, small_set: Path) -> None:
    withdrawn = iter([True])

    def withdraw() -> None:
        if next(withdrawn, False):
            system.services.tokens.clear()

    system.gateway.before = when("PATCH", withdraw)
    register(system, small_set)
    assert (system.services.given, the_image(system)["link"]["type"]) == (2, "s3")


def test_inside_the_mesh_no_token_is_needed(system: System, small_set: Path) -> None:
    system.services.open = True
    system.configure(token_endpoint=None, client_id=None, client_secret_file=None)
    register(system, small_set)
    assert (the_image(system)["arch"], system.services.given) == ("aarch64", 0)


def test_no_secret_is_in_the_process_list_the_output_the_receipt_or_the_state(
    system: System, small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(system.folder / "cache"))
    seen: list[bytes] = []
    system.storage.before = when("PUT", lambda: seen.extend(all_command_lines()))
    said = register(system, small_set)
    texts = [said.stdout.encode(), said.stderr.encode(), *seen]
    places = (small_set / "receipts", system.folder / "state", system.folder / "cache")
    texts += [path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()]
    (token,) = system.services.tokens
    assert any(b"register" in line for line in seen)
    for secret in (SECRET, SECRET_KEY, token):
        assert [text for text in texts if secret.encode() in text] == []


def all_command_lines() -> list[bytes]:
    """Return arguments and environment of every process, as `ps` shows them to root."""
    found = []
    for process in Path("/proc").iterdir():
        for file in (
            ("cmdline", "environ") if process.name.isdigit() and int(process.name) != os.getpid() else ()
        ):
            try:
                found.append((process / file).read_bytes())
            except OSError:
                continue
    return found


def test_files_of_elsewhere_are_registered_too(system: System, built_example: Path, tmp_path: Path) -> None:
    options = [
        word
        for name in ("rootfs", "kernel", "initrd")
        for word in (f"--{name}", str(built_example / "ims" / name))
    ]
    crossbuild = CommandLine(system.config)
    crossbuild("artifacts", "adopt", "elsewhere", *options, "--output", str(tmp_path / "out"))
    register(system, tmp_path / "out/elsewhere")
    image = the_image(system)
    assert (image["name"], image["arch"]) == ("elsewhere", "aarch64")
    undo(system, tmp_path / "out/elsewhere/receipts/ims-1.json")
    assert system.is_empty()


def test_the_example_is_registered_and_taken_back(system: System, own_example: Path) -> None:
    receipts = own_example / "receipts"
    register(system, own_example)
    (receipt,) = receipts.iterdir()
    image = the_image(system)
    assert (image["name"], image["arch"]) == ("debian12-compute", "aarch64")
    sizes = {
        item["path"]: item["size"] for item in json.loads((own_example / "image.json").read_text())["files"]
    }
    for name in TYPES:
        head = system.s3.head_object(Bucket="boot-images", Key=f"{image['id']}/{name}")
        assert head["ContentLength"] == sizes[f"ims/{name}"]
    undo(system, receipt)
    assert system.is_empty()
