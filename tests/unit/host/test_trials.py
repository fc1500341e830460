from __future__ import annotations

import re

from crossbuild.formats.aarch64 import CODE_OFFSET, assemble
from crossbuild.host.trials import QUESTIONS, asking, computing, starting


def test_every_question_has_a_name_of_its_own_and_an_answer_of_64_bits() -> None:
    names = [question.name for question in QUESTIONS]
    assert len(set(names)) == len(names)
    assert not [name for name in names if "=" in name or '"' in name]
    assert all(0 <= question.answer < 1 << 64 for question in QUESTIONS)


def test_questions_use_only_the_memory_that_they_are_given() -> None:
    used = [int(at) for question in QUESTIONS for at in re.findall(r"sp, (\d+)", question.code)]
    assert used
    assert max(used) <= 256 - 8


def test_the_program_that_asks_holds_every_name() -> None:
    program = assemble(asking())
    assert all(f"{question.name}=".encode() in program for question in QUESTIONS)


def test_the_program_of_starts_has_as_much_code_as_it_has_blocks() -> None:
    none, one, many = (len(assemble(starting(blocks))) for blocks in (0, 1, 500))
    assert many - none == 500 * (one - none)


def test_the_program_that_computes_does_as_many_rounds_as_it_is_told() -> None:
    few, more = assemble(computing(100)), assemble(computing(101))
    assert [at for at, pair in enumerate(zip(few, more, strict=True)) if pair[0] != pair[1]] == [
        CODE_OFFSET + 6 * 4  # the lowest bits of its MOVZ's number
    ]
