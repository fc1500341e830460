"""What IMS accepts in a body, with the words in which it refuses the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Errors = dict[str, Any]
Check = Callable[[Any], Any]
"""Returns what is wrong with a value: a list of messages, or such lists by field; nothing if it is right."""

ARCHES = ("aarch64", "x86_64")
MISSING = "Missing data for required field."


def text(value: Any) -> Any:
    return [] if isinstance(value, str) else ["Not a valid string."]


def filled(name: str) -> Check:
    def check(value: Any) -> Any:
        return text(value) or ([] if value else [f"{name} field must not be blank"])

    return check


def one_of(choices: tuple[str, ...], words: str = "Must be one of: {}.") -> Check:
    def check(value: Any) -> Any:
        return text(value) or ([] if value in choices else [words.format(", ".join(choices))])

    return check


def flag(value: Any) -> Any:
    return [] if isinstance(value, bool) else ["Not a valid boolean."]


def link(value: Any) -> Any:
    fields = {"path": filled("path"), "etag": text, "type": one_of(("s3",), "Type must be one of: {}.")}
    return body_errors(value, fields, required=("path", "type"))


def strings(value: Any) -> Any:
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return []
    return ["Not a valid mapping type."]


def pairs(value: Any) -> Any:
    """Check a list of `{key, value}`."""
    right = isinstance(value, list) and all(
        isinstance(item, dict)
        and set(item) == {"key", "value"}
        and all(isinstance(one, str) for one in item.values())
        for item in value
    )
    return [] if right else ["Invalid type."]


def body_errors(body: Any, fields: Mapping[str, Check], required: tuple[str, ...]) -> Errors | list[str]:
    """Return what is wrong with *body*, by field as it is nested."""
    if not isinstance(body, dict):
        return ["Invalid input type."]
    errors: Errors = {name: [MISSING] for name in required if name not in body}
    for name, value in body.items():
        found = fields[name](value) if name in fields else ["Unknown field."]
        if found:
            errors[name] = found
    return errors
