"""The engine of a new builder follows from what answers, and the reason is said."""

from __future__ import annotations

import pytest

from crossbuild.builders.choosing import choose_engine
from crossbuild.errors import HostNotReadyError
from crossbuild.model.builder import EngineKind
from crossbuild.model.host import Engine


def engine(name: str, reason: str = "") -> Engine:
    return Engine(name=name, client="", socket="", reason=reason)


DOCKER, PODMAN = engine("docker"), engine("podman")
NO_DOCKER, NO_PODMAN = engine("docker", "Docker is silent."), engine("podman", "Podman is silent.")


@pytest.mark.parametrize(
    ("engines", "expected", "said"),
    [
        ((DOCKER, PODMAN), EngineKind.DOCKER, "docker answers"),
        ((NO_DOCKER, PODMAN), EngineKind.PODMAN, "podman answers"),
        ((NO_DOCKER, NO_PODMAN), EngineKind.SANDBOX, "Podman is silent."),
        ((), EngineKind.SANDBOX, "no engine was found"),
    ],
)
def test_the_first_engine_that_answers_is_taken(
    engines: tuple[Engine, ...], expected: EngineKind, said: str
) -> None:
    choice = choose_engine(None, engines, private=False)
    assert (choice.kind, said in choice.reason) == (expected, True)


def test_ordinary_users_need_no_engine() -> None:
    assert choose_engine(None, (DOCKER,), private=True).kind is EngineKind.SANDBOX


@pytest.mark.parametrize("wanted", EngineKind)
def test_the_one_that_is_wanted_is_taken(wanted: EngineKind) -> None:
    assert choose_engine(wanted, (DOCKER, PODMAN), private=False).kind is wanted


def test_one_that_is_wanted_and_does_not_answer_is_not_replaced() -> None:
    with pytest.raises(HostNotReadyError) as caught:
        choose_engine(EngineKind.PODMAN, (DOCKER, NO_PODMAN), private=False)
    assert "Podman is silent." in caught.value.details
