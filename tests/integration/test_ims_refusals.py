"""Whatever goes wrong with IMS: one clear error, the right exit status, and the services as they were."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from crossbuild.host.command import CommandResult
from crossbuild.registrars.ims import gateway
from tests.fakes.ims.s3 import refusal
from tests.fakes.ims.sets import write_set
from tests.fakes.ims.system import System, running
from tests.fakes.ims.tls import server_context
from tests.fakes.ims.web import answer, page, problem
from tests.integration.conftest import CommandLine
from tests.integration.ims_rig import in_process, register, small_set, system, undo, when
from tests.unit.artifacts.kernels import BZIMAGE

__all__ = ["small_set", "system"]


@pytest.fixture(autouse=True)
def _patience_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of this process are repeated as often as ever, but sooner."""
    monkeypatch.setattr(gateway, "RETRIES", gateway.RETRIES.new(backoff_factor=0.01))


def refused(system: System, directory: Path, status: int, *words: str, options: tuple[str, ...] = ()) -> None:
    """Register *directory*, which must fail so that nothing is left but an error with these *words*."""
    said = in_process("--config", str(system.config), "register", "ims", str(directory), *options)
    assert said.status == status, said.stderr
    assert said.stderr.count("Error:") == 1
    assert "Traceback" not in said.stderr
    assert [word for word in words if word not in said.stderr] == [], said.stderr
    assert system.is_empty()
    assert not any(directory.glob("receipts/*"))


def free_address() -> str:
    """Return a URL where nobody listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{server.getsockname()[1]}"


UNREACHABLE: dict[str, Callable[[System], dict[str, Any]]] = {
    "IMS": lambda _: {"api": f"{free_address()}/apis/ims"},
    "the token endpoint": lambda _: {"token_endpoint": f"{free_address()}/token"},
    "S3": lambda _: {"s3_endpoint": free_address()},
}


@pytest.mark.parametrize("service", UNREACHABLE)
def test_a_service_that_is_down_is_named(system: System, small_set: Path, service: str) -> None:
    changes = UNREACHABLE[service](system)
    system.configure(**changes)
    (url,) = changes.values()
    refused(system, small_set, 4, url)


PAGES = {
    "for the list": ("GET /v3/images", 502),
    "for the new record": ("POST /v3/images", 503),
    "with status 200, for the link": ("PATCH /v3/images", 200),
    "for a token": ("POST /token", 502),
}


@pytest.mark.parametrize("case", PAGES)
def test_a_gateway_that_answers_with_a_page_is_told_from_the_service(
    system: System, small_set: Path, case: str
) -> None:
    wanted, status = PAGES[case]
    system.gateway.before = when(wanted, lambda: page(status))
    refused(system, small_set, 4, f"HTTP status {status}", "a page of a gateway", "upstream connect error")


def test_a_gateway_that_recovers_is_waited_for(system: System, small_set: Path) -> None:
    bad = iter([page(503), page(502)])
    system.gateway.before = when("GET /v3/images", lambda: next(bad, None))
    assert register(system, small_set).status == 0


def test_a_silent_service_is_given_up(system: System, small_set: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/apis/ims"
        # Nobody else is asked, who might be as slow on a busy machine.
        system.configure(timeout=1, api=url, token_endpoint=None, client_id=None, client_secret_file=None)
        refused(system, small_set, 4, "did not answer within 1 s", url)


@pytest.mark.parametrize("service", ["IMS", "S3"])
def test_a_certificate_that_is_not_trusted_ends_it(tmp_path: Path, small_set: Path, service: str) -> None:
    folder = tmp_path / "system"
    folder.mkdir()
    context, bundle = server_context(folder)
    with running(folder, context) as system:
        # The bundle of one does not help the other: each is checked.
        foreign = folder / "other"
        foreign.mkdir()
        _, other = server_context(foreign)
        system.configure(ca_bundle=str(bundle))
        assert register(system, small_set).status == 0
        undo(system, small_set / "receipts/ims-1.json")
        shutil.rmtree(small_set / "receipts")
        changes = {"s3_endpoint": plain_s3(system)} if service == "IMS" else {}
        system.configure(ca_bundle=str(other), **changes)
        named = system.gateway.url if service == "IMS" else system.storage.url
        refused(system, small_set, 4, "is not trusted", "ca_bundle", named)


def test_a_bundle_that_is_missing_is_named(system: System, small_set: Path) -> None:
    system.configure(ca_bundle="/nowhere/bundle.pem")
    refused(system, small_set, 3, "/nowhere/bundle.pem")


def plain_s3(system: System) -> str:
    return str(system.s3.meta.endpoint_url)


def test_a_bucket_that_is_missing_is_seen_before_anything_is_made(system: System, small_set: Path) -> None:
    system.configure(bucket="no-such-bucket")
    refused(system, small_set, 4, "NoSuchBucket", "no-such-bucket")
    assert not any(line.startswith("POST /apis/ims") for line in system.gateway.asked)


@pytest.mark.parametrize("wanted", ["PUT rootfs partNumber=2", "PUT kernel", "PUT manifest.json"])
def test_a_quota_that_is_hit_leaves_nothing(system: System, small_set: Path, wanted: str) -> None:
    system.storage.before = when(wanted, lambda: refusal(403, "QuotaExceeded", "quota"))
    refused(system, small_set, 4, "QuotaExceeded", "Raise the quota")


def test_bytes_that_s3_holds_otherwise_are_noticed(system: System, small_set: Path) -> None:
    def harm() -> None:
        (key,) = (key for key in system.objects() if key.endswith("/kernel"))
        metadata = system.s3.head_object(Bucket="boot-images", Key=key)["Metadata"]
        system.s3.put_object(Bucket="boot-images", Key=key, Body=b"x" * 4096, Metadata=metadata)

    system.storage.after = when("PUT /kernel", harm)
    refused(system, small_set, 4, "is not as it was sent", "/kernel")


REFUSALS: dict[str, tuple[str, Callable[[], Response]]] = {
    "the record": (
        "POST /v3/images",
        lambda: problem(422, "Unprocessable Entity", "no", {"arch": ["Must be"]}),
    ),
    "the link": ("PATCH /v3/images", lambda: problem(400, "Bad Request", "no rootfs")),
    "the link with a crash": ("PATCH /v3/images", lambda: answer(500, {"message": "Internal Server Error"})),
    "the link for good": ("PATCH /v3/images", lambda: problem(409, "Conflict", "patch conflict")),
    "the client": ("POST /v3/images", lambda: answer(403, {"message": "RBAC: access denied"})),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_ims_refuses_is_told_in_its_words(system: System, small_set: Path, case: str) -> None:
    wanted, answered = REFUSALS[case]
    system.gateway.before = when(wanted, answered)
    body = json.loads(answered().get_data())
    refused(system, small_set, 4, str(body.get("detail") or body["message"]))


def test_an_ims_that_keeps_another_architecture_is_noticed(system: System, small_set: Path) -> None:
    def turn() -> None:
        for image in system.ims.tables["images"].values():
            image["arch"] = "x86_64"

    system.gateway.after = when("PATCH /v3/images", turn)
    refused(system, small_set, 4, "is not as it was sent", "x86_64")


def test_wrong_credentials_are_named_by_their_files(system: System, small_set: Path) -> None:
    (system.folder / "client-secret").write_text("wrong")
    refused(system, small_set, 4, "Invalid client", str(system.folder / "client-secret"))


SECRET_FILES: dict[str, tuple[Callable[[System], object], tuple[str, ...]]] = {
    "readable for others": (lambda at: (at.folder / "client-secret").chmod(0o644), ("0644", "chmod 600")),
    "missing": (lambda at: (at.folder / "client-secret").unlink(), ("No such file",)),
    "empty": (lambda at: (at.folder / "client-secret").write_text("\n"), ("is empty",)),
    "keys readable for the group": (lambda at: (at.folder / "s3-keys").chmod(0o640), ("0640", "s3-keys")),
    "keys of another form": (lambda at: (at.folder / "s3-keys").write_text("x"), ("aws_access_key_id",)),
}


@pytest.mark.parametrize("case", SECRET_FILES)
def test_a_secret_that_is_not_kept_well_is_refused(system: System, small_set: Path, case: str) -> None:
    spoil, words = SECRET_FILES[case]
    spoil(system)
    refused(system, small_set, 3, *words)


def test_a_name_that_cannot_be_is_refused(system: System, small_set: Path) -> None:
    refused(system, small_set, 4, "is no name", options=("--name", "../node"))


def same_size(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a root of the same size": ("rootfs", same_size),
    "a kernel of the same size": ("kernel", same_size),
    "a shorter root": ("rootfs", lambda path: path.write_bytes(b"short")),
    "no initrd": ("initrd", lambda path: path.unlink()),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_set_is_not_registered(system: System, small_set: Path, case: str) -> None:
    name, spoil = DAMAGE[case]
    spoil(small_set / "ims" / name)
    refused(system, small_set, 1, "damaged", name)


def test_a_kernel_for_another_architecture_is_not_registered(system: System, tmp_path: Path) -> None:
    refused(system, write_set(tmp_path, kernel=BZIMAGE), 1, "is for x86_64", "bzImage")


def test_a_set_without_files_for_ims_is_refused(system: System, small_set: Path) -> None:
    record = json.loads((small_set / "image.json").read_text())
    record["files"] = [item for item in record["files"] if item["path"] != "ims/initrd"]
    (small_set / "image.json").write_text(json.dumps(record))
    refused(system, small_set, 1, "ims/initrd", "outputs")


def test_a_set_for_x86_64_is_refused(system: System, small_set: Path) -> None:
    record = json.loads((small_set / "image.json").read_text())
    (small_set / "image.json").write_text(json.dumps({**record, "arch": "x86_64"}))
    refused(system, small_set, 4, "x86_64")


def test_without_a_configuration_the_section_is_named(system: System, small_set: Path) -> None:
    system.config.write_text("{}\n")
    refused(system, small_set, 2, "provisioners.ims", "docs/how-to/ims.md")


def test_without_boto3_the_extra_is_named(system: System, small_set: Path, tmp_path: Path) -> None:
    # A module in its place that cannot be imported: what a host without it would say.
    fake = tmp_path / "path"
    fake.mkdir()
    (fake / "boto3.py").write_text("raise ModuleNotFoundError(\"No module named 'boto3'\")\n")
    said: CommandResult = register_with(system, small_set, PYTHONPATH=str(fake))
    assert (said.status, "pip install 'crossbuild[ims]'" in said.stderr) == (3, True)
    assert system.is_empty()


def register_with(system: System, directory: Path, **env: str) -> CommandResult:
    return CommandLine(system.config)("register", "ims", str(directory), check=False, **env)


def test_a_service_that_dies_is_named_and_a_repetition_finishes_the_job(
    system: System, small_set: Path
) -> None:
    system.gateway.before = lambda request: page(404) if system.ims.tables["images"] else None
    said = register(system, small_set, check=False)
    assert (said.status, "Not everything could be taken back" in said.stderr) == (4, True)
    system.gateway.before = lambda _: None
    register(system, small_set)
    undo(system, small_set / "receipts/ims-1.json")
    assert system.is_empty()
