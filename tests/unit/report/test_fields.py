"""JSON of any content is read without an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossbuild.report.fields import Fields, objects, read_json

ODD: list[Any] = [
    None,
    True,
    -1,
    float("nan"),
    float("inf"),
    10**400,
    1.5,
    "text",
    [],
    ["a", 1, {}],
    {},
    {"k": 1},
]


@pytest.mark.parametrize("value", ODD, ids=lambda value: str(value)[:9])
def test_every_question_has_an_answer_of_its_kind(value: Any) -> None:
    for fields in (Fields({"key": value}), Fields(value)):
        assert isinstance(fields.text("key"), str)
        assert isinstance(fields.count("key"), int)
        assert isinstance(fields.flag("key"), bool)
        assert fields.amount("key") >= 0
        assert isinstance(fields.section("key"), Fields)
        assert all(isinstance(one, Fields) for one in fields.sections("key"))
        assert all(isinstance(one, str) for one in fields.texts("key"))
        assert all(isinstance(one, Fields) for _, one in fields.named_sections("key"))
        assert all(isinstance(one, str) for pair in fields.pairs("key") for one in pair)


def test_what_fits_is_there() -> None:
    fields = Fields({"a": "x", "b": 2.5, "c": {"d": 1}, "e": [{"f": 1}, 3], "g": ["h", 3], "i": True})
    assert (fields.text("a"), fields.number("b"), fields.count("b")) == ("x", 2.5, 2)
    assert fields.section("c").pairs("d") == ()
    assert fields.pairs("c") == (("d", "1"),)
    assert [(name, one.count("f")) for name, one in Fields({"k": {"n": {"f": 4}}}).named_sections("k")] == [
        ("n", 4)
    ]
    assert [one.count("f") for one in fields.sections("e")] == [1]
    assert (fields.texts("g"), fields.flag("i"), fields.flag("a")) == (("h",), True, False)


def test_objects_of_what_is_no_list_are_none() -> None:
    assert (objects("text"), objects(None), objects({"a": 1})) == ((), (), ())


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, b"\xff"])
def test_a_damaged_file_is_no_file(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert (read_json(path), read_json(tmp_path / "missing")) == (None, None)
