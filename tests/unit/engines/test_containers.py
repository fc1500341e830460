from __future__ import annotations

from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest
from docker.errors import NotFound

from crossbuild.engines.connection import EngineSession
from crossbuild.engines.containers import ContainerSettings, install, settle
from crossbuild.errors import ArtifactError, HostNotReadyError
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import EngineKind, Mount

SETTINGS = ContainerSettings(
    name="box",
    image="localhost/x:base",
    arch=Architecture.AARCH64,
    mounts=(Mount(source=Path("/pub"), target=PurePosixPath("/opt/ohpc/pub"), read_only=True),),
    labels={"a": "b"},
)


class Engine:
    """Containers by name; what each is made of."""

    def __init__(self, *names: str, answer: tuple[int, bytes] = (0, b"aarch64\n")) -> None:
        self.boxes = dict.fromkeys(names, "old")
        self.answer = answer
        self.requests: list[dict[str, object]] = []
        self.api = self.containers = self

    def create_host_config(self, **settings: object) -> dict[str, object]:
        return settings

    def create_container(self, *, name: str, **settings: object) -> dict[str, str]:
        self.boxes[name] = "new"
        self.requests.append(settings)
        return {"Id": name}

    def start(self, name: str) -> None:
        assert name in self.boxes

    def stop(self, name: str, timeout: int) -> None:
        assert name in self.boxes

    def get(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(exec_run=lambda argv: self.answer)

    def inspect_container(self, name: str) -> dict[str, dict[str, object]]:
        if name not in self.boxes:
            raise NotFound("none")
        return {"Config": {"Labels": None}}

    def remove_container(self, name: str, *, force: bool, v: bool) -> None:
        if name not in self.boxes:
            raise NotFound("none")
        del self.boxes[name]

    def rename(self, old: str, new: str) -> None:
        assert new not in self.boxes
        self.boxes[new] = self.boxes.pop(old)


def session(engine: Engine) -> EngineSession:
    return EngineSession(kind=EngineKind.DOCKER, path="/nowhere", client=engine)


@pytest.mark.parametrize("names", [(), ("box",), ("box", "box.next"), ("box.next", "box.previous")])
def test_a_new_container_takes_the_place_of_the_old(names: tuple[str, ...]) -> None:
    engine = Engine(*names)
    install(session(engine), SETTINGS)
    assert engine.boxes == {"box": "new"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param((0, b"x86_64\n"), ArtifactError, id="another architecture"),
        pytest.param((126, b"exec /bin/uname: exec format error"), HostNotReadyError, id="no emulation"),
        pytest.param((127, b""), ArtifactError, id="nothing in it"),
    ],
)
def test_a_container_that_cannot_serve_leaves_the_old_one(
    answer: tuple[int, bytes], error: type[Exception]
) -> None:
    engine = Engine("box", answer=answer)
    with pytest.raises(error):
        install(session(engine), SETTINGS)
    assert engine.boxes == {"box": "old"}


@pytest.mark.parametrize(
    ("names", "left"),
    [
        pytest.param(("box",), {"box"}, id="nothing happened"),
        pytest.param(("box", "box.next"), {"box"}, id="killed while it was made"),
        pytest.param(("box.previous", "box.next"), {"box"}, id="killed between two names"),
        pytest.param(("box.previous",), {"box"}, id="somebody removed the new one"),
        pytest.param(("box", "box.previous"), {"box"}, id="killed before the old one went"),
        pytest.param(("box.next",), {"box.next"}, id="killed while the first one was made"),
    ],
)
def test_a_replacement_that_was_killed_is_finished(names: tuple[str, ...], left: set[str]) -> None:
    engine = Engine(*names)
    settle(session(engine), "box")
    assert set(engine.boxes) == left


def test_a_container_is_made_to_stay() -> None:
    engine = Engine()
    install(session(engine), SETTINGS)
    (request,) = engine.requests
    host = request["host_config"]
    assert isinstance(host, dict)
    assert host["init"] is True
    assert host["restart_policy"] == {"Name": "unless-stopped"}
    (mount,) = host["mounts"]
    assert (mount["Source"], mount["Target"], mount["ReadOnly"]) == ("/pub", "/opt/ohpc/pub", True)
    assert request["hostname"] == "aarch64"
