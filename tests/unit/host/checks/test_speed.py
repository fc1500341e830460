"""Whether builds can be accelerated, by what was found on a host."""

from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.host.checks import speed
from crossbuild.host.interpreter import NAME
from crossbuild.model.host import Handler, HostFacts, Status
from tests.unit.host.hosts import OWN, READY, without

PAGE = 0x1000


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "front"
    path.write_bytes(b"this version")
    monkeypatch.setattr(speed, "FRONT", path)
    monkeypatch.setattr(speed, "is_outdated", lambda handler: handler.name == "outdated")
    return path


def joined(folder: Path, front: bytes) -> Handler:
    path = folder / NAME
    path.write_bytes(bytes(PAGE) + front + b"qemu")
    return replace(OWN, interpreter=str(path))


def host(handler: Handler) -> HostFacts:
    return replace(READY, handlers=(handler,))


@pytest.mark.usefixtures("front")
def test_all_that_is_needed_is_there(tmp_path: Path) -> None:
    assert speed.speed_check(host(joined(tmp_path, b"this version"))).status is Status.OK


@pytest.mark.usefixtures("front")
def test_a_handler_of_another_version_is_to_be_registered_again(tmp_path: Path) -> None:
    check = speed.speed_check(host(joined(tmp_path, b"that version")))
    assert (check.status, check.remedy) == (Status.WARNING, "sudo crossbuild setup")
    assert "another version" in check.brief


@pytest.mark.usefixtures("front")
def test_a_handler_that_holds_a_replaced_file_is_to_be_registered_again(tmp_path: Path) -> None:
    check = speed.speed_check(host(replace(joined(tmp_path, b"this version"), name="outdated")))
    assert check.status is Status.WARNING


@pytest.mark.usefixtures("front")
@pytest.mark.parametrize("handlers", [(), (OWN,)])
def test_plain_qemu_does_not_accelerate(handlers: tuple[Handler, ...]) -> None:
    check = speed.speed_check(replace(READY, handlers=handlers))
    assert (check.status, check.remedy) == (Status.WARNING, "sudo crossbuild setup")


@pytest.mark.usefixtures("front")
def test_patchelf_is_needed(tmp_path: Path) -> None:
    facts = without(host(joined(tmp_path, b"this version")), "patchelf")
    assert speed.speed_check(facts).remedy == "sudo apt-get install --no-install-recommends patchelf"


def test_without_the_compiled_program_a_compiler_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "FRONT", tmp_path / "missing")
    assert "gcc" in speed.speed_check(READY).remedy


def test_nothing_is_emulated_on_an_arm_host() -> None:
    assert speed.speed_check(replace(READY, machine="aarch64")).status is Status.OK
