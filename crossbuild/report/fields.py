"""JSON that others may have written or damaged, read without surprises: what does not fit is not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_MOST = 1e18
"""More than any size in bytes or time in seconds."""


class Fields:
    """An object of JSON whose values are asked for by key and kind."""

    def __init__(self, value: object) -> None:
        """Take any value; one that is no object has no keys."""
        self._values: Mapping[str, object] = value if isinstance(value, dict) else {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def text(self, key: str) -> str:
        """Return the text or number of *key* as text, empty where it has none."""
        value = self._values.get(key)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def number(self, key: str) -> float | None:
        """Return the number of *key*, None where it has none or one that nothing measured can be."""
        value = self._values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return value if 0 <= value <= _MOST else None

    def amount(self, key: str) -> float:
        """Return the number of *key*, 0 where it has none."""
        return self.number(key) or 0

    def count(self, key: str) -> int:
        """Return the number of *key* as a whole one, 0 where it has none."""
        return int(self.amount(key))

    def flag(self, key: str) -> bool:
        """Tell whether *key* is true."""
        return self._values.get(key) is True

    def section(self, key: str) -> Fields:
        """Return the object of *key*."""
        return Fields(self._values.get(key))

    def sections(self, key: str) -> tuple[Fields, ...]:
        """Return the objects in the list of *key*."""
        return objects(self._values.get(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts in the list of *key*."""
        value = self._values.get(key)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return the keys and texts of the object of *key*, in its order."""
        value = self._values.get(key)
        return tuple((name, str(item)) for name, item in value.items()) if isinstance(value, dict) else ()

    def named_sections(self, key: str) -> tuple[tuple[str, Fields], ...]:
        """Return the keys and objects of the object of *key*, in its order."""
        value = self._values.get(key)
        return tuple((name, Fields(item)) for name, item in value.items()) if isinstance(value, dict) else ()


def objects(value: object) -> tuple[Fields, ...]:
    """Return the objects in *value*, none where it is no list."""
    return tuple(Fields(item) for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def read_json(path: Path) -> object:
    """Return what the file *path* holds, None where it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
