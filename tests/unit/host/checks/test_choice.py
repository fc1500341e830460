from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossbuild.host.binfmt import aarch64_handler
from crossbuild.host.checks.choice import choice_check, judge_choice
from crossbuild.host.qemu import Emulator
from crossbuild.model.host import Handler, HostFacts, Status
from tests.unit.host.hosts import BARE, OTHER, OWN, READY

HELD = Emulator(path="/opt/qemu-9", version="9.1", static=True)


@pytest.mark.parametrize(
    ("handler", "held", "configured", "outdated", "status", "words"),
    [
        pytest.param(OWN, HELD, "", False, Status.OK, "names none", id="nothing configured"),
        pytest.param(OWN, HELD, HELD.path, False, Status.OK, "as the configuration says", id="configured"),
        pytest.param(
            OWN, None, HELD.path, False, Status.WARNING, "another qemu than /opt/qemu-9", id="other"
        ),
        pytest.param(OTHER, None, HELD.path, False, Status.WARNING, "another qemu than", id="theirs"),
        pytest.param(OWN, None, "", False, Status.WARNING, "no longer installed", id="upgraded"),
        pytest.param(OTHER, None, "", False, Status.WARNING, "of another owner", id="theirs, unknown"),
        pytest.param(OWN, HELD, HELD.path, True, Status.WARNING, "before it was replaced", id="half done"),
    ],
)
def test_the_handler_must_run_the_qemu_that_it_should(
    handler: Handler, held: Emulator | None, configured: str, outdated: bool, status: Status, words: str
) -> None:
    check = judge_choice(handler, held, configured, outdated=outdated)
    assert check.status is status
    assert words in check.brief
    wanted = f"sudo crossbuild setup{f' --qemu {configured}' if configured else ''}"
    assert check.remedy == (wanted if status is Status.WARNING else "")


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        pytest.param((), "no program is there", id="missing"),
        pytest.param((replace(HELD, version=""),), "does not run as qemu-aarch64", id="not qemu"),
        pytest.param((replace(HELD, static=False),), "dynamically linked", id="dynamic"),
    ],
)
def test_a_configured_qemu_that_cannot_serve_is_named_even_where_another_one_could(
    found: tuple[Emulator, ...], fault: str
) -> None:
    check = choice_check((*found, replace(HELD, path="/usr/bin/qemu")), READY, HELD.path)
    assert check.status is Status.WARNING
    assert fault in check.brief
    assert check.remedy


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A folder in the place of binfmt_misc, where crossbuild's handler was registered in the year 2100."""
    (tmp_path / "table").mkdir()
    register(tmp_path / "table", OWN, 2100)
    return tmp_path / "table"


def register(table: Path, handler: Handler, year: int) -> None:
    entry = table / handler.name
    entry.touch()
    os.utime(entry, (0, datetime(year, 1, 1, tzinfo=UTC).timestamp()))


def joined(folder: Path) -> HostFacts:
    """A host whose handler was joined from the second of two qemu programs in *folder*."""
    for name, content in {"one": "qemu 1", "two": "qemu 2", "joined": "front qemu 2"}.items():
        (folder / name).write_text(content)
    return replace(READY, handlers=(aarch64_handler(str(folder / "joined"), "POF"),))


def test_the_qemu_is_recognised_in_the_file_that_was_joined_from_it(tmp_path: Path, table: Path) -> None:
    facts = joined(tmp_path)
    one, two = (replace(HELD, path=str(tmp_path / name)) for name in ("one", "two"))
    assert choice_check((one, two), facts, two.path, table).status is Status.OK
    assert choice_check((one, two), facts, one.path, table).status is Status.WARNING
    assert two.path in choice_check((one, two), facts, mount_point=table).brief
    assert "no longer installed" in choice_check((one,), facts, mount_point=table).brief


def test_an_interpreter_that_was_replaced_after_registering_is_noticed(tmp_path: Path, table: Path) -> None:
    facts = joined(tmp_path)
    two = replace(HELD, path=str(tmp_path / "two"))
    register(table, OWN, 2000)
    check = choice_check((two,), facts, two.path, table)
    assert check.status is Status.WARNING
    assert "before it was replaced" in check.brief


@pytest.mark.parametrize(("year", "words"), [(2101, "was registered after"), (2099, "runs qemu 9.1")])
def test_a_handler_that_came_later_than_the_own_one_is_named(
    tmp_path: Path, table: Path, year: int, words: str
) -> None:
    facts = joined(tmp_path)
    register(table, OTHER, year)
    both = replace(facts, handlers=(*facts.handlers, OTHER))
    check = choice_check((replace(HELD, path=str(tmp_path / "two")),), both, mount_point=table)
    assert words in check.brief
    assert check.remedy == ("sudo crossbuild setup" if year == 2101 else "")


def test_without_a_handler_there_is_nothing_to_say() -> None:
    assert choice_check((HELD,), BARE).status is Status.SKIPPED
