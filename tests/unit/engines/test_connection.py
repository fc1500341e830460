from __future__ import annotations

import errno

import pytest
from docker.errors import APIError, DockerException

from crossbuild.engines.connection import in_words, require_recent, told
from crossbuild.errors import CrossbuildError, HostNotReadyError, StorageError, UsageError
from crossbuild.model.builder import EngineKind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("write /var/lib/docker/tmp/x: no space left on device", StorageError),
        ("invalid reference format: repository name must be lowercase", UsageError),
        ("invalid mount config for type bind: bind source path does not exist: /x", UsageError),
        ("('Connection aborted.', ConnectionRefusedError(111, 'Connection refused'))", HostNotReadyError),
        ("dial unix /var/run/docker.sock: connect: permission denied", HostNotReadyError),
        ("exec /bin/sleep: exec format error", HostNotReadyError),
        ("stat /usr/libexec/podman/catatonit: no such file or directory", HostNotReadyError),
    ],
)
def test_what_an_engine_says_becomes_an_error_with_a_remedy(
    message: str, kind: type[CrossbuildError]
) -> None:
    error = in_words(EngineKind.PODMAN, APIError("500 Server Error", explanation=message))
    assert type(error) is kind
    assert error.details == message
    assert error.resolution
    assert "{" not in error.brief + error.resolution


def test_a_full_disk_of_this_process_is_one_too() -> None:
    error = in_words(EngineKind.DOCKER, OSError(errno.ENOSPC, "whatever"))
    assert isinstance(error, StorageError)


def test_what_nobody_foresaw_keeps_its_words() -> None:
    with pytest.raises(CrossbuildError) as caught, told(EngineKind.DOCKER):
        raise DockerException("the moon is in the wrong phase")
    assert type(caught.value) is CrossbuildError
    assert "moon" in caught.value.details


def test_errors_of_crossbuild_pass() -> None:
    with pytest.raises(UsageError), told(EngineKind.DOCKER):
        raise UsageError("no")


@pytest.mark.parametrize("version", ["1.24", "1.39"])
def test_an_old_engine_is_refused(version: str) -> None:
    with pytest.raises(HostNotReadyError) as caught:
        require_recent(EngineKind.DOCKER, version)
    assert version in caught.value.details


@pytest.mark.parametrize("version", ["1.40", "1.41", "1.100", "2.0"])
def test_a_recent_engine_serves(version: str) -> None:
    require_recent(EngineKind.DOCKER, version)
