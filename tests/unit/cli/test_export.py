from __future__ import annotations

import pytest
from click.testing import CliRunner

from crossbuild.cli.builder import builder
from crossbuild.errors import UsageError
from crossbuild.host import addresses


@pytest.mark.parametrize(
    "option", [["--network", "10.0.0.0/8"], ["--sms-ip", "10.0.0.1"], ["--server", "kernel"],
               ["--read-write-for", "10.0.0.2"]],
)  # fmt: skip
def test_undo_takes_back_what_was_recorded_and_nothing_else(option: list[str]) -> None:
    result = CliRunner().invoke(builder, ["export", "--undo", *option])
    assert isinstance(result.exception, UsageError)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--network", "10.0.0.1/8"], "is not a network"),
        (["--sms-ip", "sms"], "is not an IP address"),
        ([], "not known from where"),
    ],
)
def test_wrong_words_are_said(options: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "read_interfaces", lambda: ())
    result = CliRunner().invoke(builder, ["export", *options])
    assert isinstance(result.exception, UsageError)
    assert message in result.exception.brief
