"""Secrets are read from files that nobody else can read, and shown nowhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from crossbuild.errors import HostNotReadyError
from crossbuild.registrars.ims.credentials import S3Keys, _refuse_shared, read_s3_keys, read_secret
from tests.fakes.ims.system import write_secret

KEYS = "[default]\naws_access_key_id = A\naws_secret_access_key = p%ss=word\n"


def test_a_secret_comes_without_its_newline(tmp_path: Path) -> None:
    write_secret(tmp_path / "secret", "open sesame\n")
    assert read_secret(tmp_path / "secret") == "open sesame"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
def test_a_secret_that_others_can_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    write_secret(path, "x")
    path.chmod(mode)
    with pytest.raises(HostNotReadyError) as caught:
        read_secret(path)
    assert f"{mode:04o}" in caught.value.details
    assert f"chmod 600 {path}" in caught.value.resolution


def test_another_users_secret_is_refused(tmp_path: Path) -> None:
    write_secret(tmp_path / "secret", "x")
    found = list((tmp_path / "secret").stat())
    found[stat.ST_UID] = 12345
    with pytest.raises(HostNotReadyError, match="another user"):
        _refuse_shared(tmp_path / "secret", os.stat_result(found))


def test_keys_are_read_as_they_stand(tmp_path: Path) -> None:
    write_secret(tmp_path / "keys", f"{KEYS}aws_session_token = t\n")
    found = read_s3_keys(tmp_path / "keys")
    assert found == S3Keys(access_key="A", secret_key="p%ss=word", session_token="t")


def test_keys_do_not_show_themselves() -> None:
    shown = repr(S3Keys(access_key="A", secret_key="hidden1", session_token="hidden2"))
    assert "A" in shown
    assert "hidden" not in shown


@pytest.mark.parametrize(
    "text", ["", "aws_secret_access_key = hidden", KEYS.replace("default", "other"), "[default]\nhidden"]
)
def test_what_is_no_file_of_keys_is_an_error_that_quotes_nothing(tmp_path: Path, text: str) -> None:
    write_secret(tmp_path / "keys", text)
    with pytest.raises(HostNotReadyError) as caught:
        read_s3_keys(tmp_path / "keys")
    error = caught.value
    assert "hidden" not in f"{error.brief}{error.details}{error.resolution}{error.__cause__}"
