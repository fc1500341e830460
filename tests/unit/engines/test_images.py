from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from docker.errors import APIError, BuildError, ImageNotFound

from crossbuild import resources
from crossbuild.engines import images
from crossbuild.engines.connection import EngineSession
from crossbuild.errors import ArtifactError, BuildFailedError
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import EngineKind

ARM = Architecture.AARCH64


class Engine:
    """Images by name, each with its architecture; a registry that has some more."""

    def __init__(self, here: Mapping[str, str], registry: Mapping[str, str] | None = None) -> None:
        self.here, self.registry = dict(here), registry or {}
        self.images = self.api = self

    def inspect_image(self, name: str) -> Mapping[str, object]:
        if name not in self.here:
            raise ImageNotFound("no such image")
        return {"Id": f"id of {name}", "Architecture": self.here[name], "RepoDigests": None}

    def pull(self, name: str, platform: str) -> None:
        assert platform == "linux/arm64"
        if name not in self.registry:
            raise APIError("404", explanation="manifest unknown")
        self.here[name] = self.registry[name]

    def remove(self, name: str) -> None:
        del self.here[name]

    def commit(self, container: str, repository: str, tag: str) -> None:
        self.here[f"{repository}:{tag}"] = "amd64"

    def build(self, **_: object) -> None:
        raise BuildError("step 2 failed", [{"stream": "one\ntwo\n"}, {"aux": {}}])


def session(engine: Engine) -> EngineSession:
    return EngineSession(kind=EngineKind.DOCKER, path="/nowhere", client=engine)


def test_an_image_that_is_here_is_not_pulled() -> None:
    assert images.acquire(session(Engine({"x": "arm64"})), "x", ARM) == "id of x"


def test_an_image_that_is_not_here_is_pulled_for_the_platform() -> None:
    assert images.acquire(session(Engine({}, {"x": "arm64"})), "x", ARM) == "id of x"


def test_an_image_of_the_users_is_refused_and_stays() -> None:
    engine = Engine({"x": "amd64"})
    with pytest.raises(ArtifactError, match="no image for aarch64"):
        images.acquire(session(engine), "x", ARM)
    assert "x" in engine.here


def test_a_digest_that_stood_for_another_architecture_is_asked_for_again() -> None:
    engine = Engine(
        {"x@sha256:1": "amd64", "x@sha256:2": "amd64"}, {"x@sha256:1": "arm64", "x@sha256:2": "amd64"}
    )
    assert images.acquire(session(engine), "x@sha256:1", ARM) == "id of x@sha256:1"
    with pytest.raises(ArtifactError, match="no image for aarch64"):
        images.acquire(session(engine), "x@sha256:2", ARM)
    assert "x@sha256:2" in engine.here


def test_a_pulled_image_of_another_architecture_is_refused_and_removed() -> None:
    engine = Engine({}, {"x": "amd64"})
    with pytest.raises(ArtifactError, match="no image for aarch64"):
        images.acquire(session(engine), "x", ARM)
    assert engine.here == {}


def test_an_image_that_cannot_be_had_is_told_with_other_ways() -> None:
    with pytest.raises(ArtifactError) as caught:
        images.acquire(session(Engine({})), "x", ARM)
    assert caught.value.details == "manifest unknown"
    assert "from a root" in caught.value.resolution


def test_a_commit_that_records_the_engines_own_architecture_is_refused_and_removed() -> None:
    engine = Engine({})
    with pytest.raises(ArtifactError, match="no image for aarch64"):
        images.commit(session(engine), "box", "localhost/x:one", ARM)
    assert engine.here == {}


def test_a_failed_build_says_its_last_lines() -> None:
    request = images.ImageBuild(
        dockerfile=resources.data_folder() / "dockerfiles/apt.Dockerfile", tag="x:1", arguments={}, labels={}
    )
    with pytest.raises(BuildFailedError) as caught:
        images.build(session(Engine({})), request, ARM)
    assert caught.value.details.splitlines() == ["step 2 failed", "one", "two"]


def test_only_tags_of_the_very_repository_are_its_own() -> None:
    found = [SimpleNamespace(tags=["l/x:base", "l/x:snapshot-a", "l/x/y:1", "l/xx:1"])]
    client = SimpleNamespace(images=SimpleNamespace(list=lambda name: found))
    assert images.tags_of(EngineSession(kind=EngineKind.DOCKER, path="", client=client), "l/x") == (
        "l/x:base",
        "l/x:snapshot-a",
    )
