"""Answers are given again while nothing changes, and never half."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from crossbuild.distros import answers
from crossbuild.distros.answers import Answers, edition


class Asked:
    """Answers with a number, and counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return f"answer {self.times}\nüber\n"


@pytest.fixture
def asked() -> Asked:
    return Asked()


def test_what_was_asked_before_is_not_asked_again(tmp_path: Path, asked: Asked) -> None:
    said = [Answers(tmp_path / "answers").ask(["words", 1], asked) for _ in range(3)]
    assert said == ["answer 1\nüber\n"] * 3
    assert asked.times == 1


@pytest.mark.parametrize("other", [["words", 2], ["other", 1], ["words"], ["words", "1"]])
def test_another_question_or_state_is_asked(tmp_path: Path, asked: Asked, other: list[object]) -> None:
    Answers(tmp_path).ask(["words", 1], asked)
    assert Answers(tmp_path).ask(other, asked) == "answer 2\nüber\n"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: b"", id="nothing"),
        pytest.param(lambda whole: whole[:-1], id="cut off"),
        pytest.param(lambda whole: bytes(len(whole)), id="zeros"),
        pytest.param(lambda whole: whole.replace("ü".encode(), b"\xfc"), id="no text"),
    ],
)
def test_half_an_answer_is_none(tmp_path: Path, asked: Asked, damage: Callable[[bytes], bytes]) -> None:
    Answers(tmp_path).ask("question", asked)
    (place,) = tmp_path.iterdir()
    place.write_bytes(damage(place.read_bytes()))
    assert [Answers(tmp_path).ask("question", asked) for _ in range(2)] == ["answer 2\nüber\n"] * 2


def test_what_fails_is_asked_again(tmp_path: Path, asked: Asked) -> None:
    def fail() -> str:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Answers(tmp_path).ask("question", fail)
    assert Answers(tmp_path).ask("question", asked) == "answer 1\nüber\n"


def test_the_answers_used_last_stay(tmp_path: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "KEPT", 2)
    kept = Answers(tmp_path)
    for number, question in enumerate("ab"):
        kept.ask(question, asked)
        for place in tmp_path.iterdir():
            os.utime(place, (number, number))
    kept.ask("a", asked)
    kept.ask("c", asked)
    assert kept.ask("a", asked) == "answer 1\nüber\n"
    assert kept.ask("b", asked) == "answer 4\nüber\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_where_nothing_can_be_kept_every_question_is_asked(tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "answers").write_text("a file, where a folder would have to be made")
    said = [Answers(tmp_path / "answers").ask("question", asked) for _ in range(2)]
    assert said == ["answer 1\nüber\n", "answer 2\nüber\n"]


def test_another_version_of_a_program_is_another_edition(tmp_path: Path) -> None:
    program = tmp_path / "program"
    assert edition(program) is None
    program.write_bytes(b"one")
    before = edition(program)
    program.write_bytes(b"other")
    assert edition(program) != before
