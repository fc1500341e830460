"""Values of the model as JSON and back, for another process of the same version of crossbuild.

The reader is told which type it is to find, and refuses everything else: a record that is damaged, or was
written by another version, becomes no value at all.
"""

from __future__ import annotations

import base64
import enum
import types
import typing
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import PurePath
from typing import Any, TypeVar

Value = TypeVar("Value")
KIND = "is"
"""Beside a dataclass's own fields: its name, which tells the members of a union apart."""
PLAIN = (str, int, float, bool)


def encode(value: object) -> Any:
    """Return what `json` writes for *value*: a dataclass, an enum, a path, bytes, or a tuple of these."""
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, PLAIN):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if is_dataclass(value):
        own = {field.name: encode(getattr(value, field.name)) for field in fields(value)}
        return {KIND: type(value).__name__, **own}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def decode(kind: type[Value], document: Any) -> Value:
    """Return the *kind* that `encode` wrote as *document*; raise ValueError for anything else."""
    found = _decode(kind, document)
    return typing.cast("Value", found)


def _decode(kind: Any, document: Any) -> object:
    origin = typing.get_origin(kind)
    if origin in {typing.Union, types.UnionType}:
        return _member(typing.get_args(kind), document)
    if origin is tuple:
        return _items(typing.get_args(kind), document)
    return _dataclass(kind, document) if is_dataclass(kind) else _single(kind, document)


def _single(kind: Any, document: Any) -> object:
    if kind in PLAIN:
        return _plain(kind, document)
    if kind is bytes:
        return base64.b64decode(_plain(str, document), validate=True)
    if issubclass(kind, enum.Enum | PurePath):
        return kind(_plain(str, document))
    raise TypeError(f"{kind} has no form in JSON")


def _plain(kind: Any, document: Any) -> Any:
    # A whole number serves where a fraction may stand; nothing else is taken for something else.
    if type(document) is not kind and not (kind is float and type(document) is int):
        raise ValueError(f"{document!r} is no {kind.__name__}")
    return document


def _member(kinds: tuple[Any, ...], document: Any) -> object:
    if document is None and type(None) in kinds:
        return None
    named = document.get(KIND) if isinstance(document, dict) else None
    others = [kind for kind in kinds if kind is not type(None)]
    for kind in others:
        if len(others) == 1 or kind.__name__ == named:
            return _decode(kind, document)
    raise ValueError(f"{named!r} is none of {', '.join(kind.__name__ for kind in others)}")


def _items(kinds: tuple[Any, ...], document: Any) -> tuple[object, ...]:
    if not isinstance(document, list):
        raise ValueError(f"{document!r} is no list")  # noqa: TRY004 -- what a file says, not what a caller does
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_decode(kinds[0], item) for item in document)
    return tuple(_decode(kind, item) for kind, item in zip(kinds, document, strict=True))


def _dataclass(kind: Any, document: Any) -> object:
    hints = _hints(kind)
    if not isinstance(document, dict) or document.get(KIND) != kind.__name__:
        raise ValueError(f"this is no {kind.__name__}")
    if set(document) != {KIND, *hints}:
        raise ValueError(f"a {kind.__name__} has other keys: {sorted(set(document) ^ {KIND, *hints})}")
    return kind(**{name: _decode(hint, document[name]) for name, hint in hints.items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    known = typing.get_type_hints(kind)
    return {field.name: known[field.name] for field in fields(kind)}
