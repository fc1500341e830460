"""What `wwsh` tells: objects of its datastore and attributes of nodes, in all versions from 3.8 on.

Its exit status tells nothing (wwsh counts modules that returned something false), and names that it is given
may be patterns: callers let only plain words through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossbuild.errors import ProvisionerError
from crossbuild.registrars.actions import Transcript

UNSET = "UNDEF"
"""How Warewulf writes that there is no value, and how it is told to have none."""

_FIELDS = ("name", "arch", "checksum", "size", "_id")
_NOTHING = re.compile(r"No matching objects found|No nodes found|No .*images found")
_ATTRIBUTE = re.compile(r'\s*(?P<node>\S+): (?P<key>\S+)\s*= "?(?P<value>.*?)"?\s*')
"""A line of `node print` and `provision print`: `%15s: %-16s = %s`."""


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """A bootstrap or a VNFS as the datastore has it; texts are empty where it has no value."""

    kind: str
    name: str
    id: str
    arch: str
    checksum: str
    size: str


class Wwsh:
    """Asks `wwsh`, and remembers what it complained about."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.transcript = Transcript("Warewulf 3")

    def stored(self, kind: str, *names: str) -> tuple[StoredObject, ...]:
        """Return the objects of *kind* (`bootstrap` or `vnfs`) with these *names*, by default all."""
        dumped = self.transcript.ask(("wwsh", "object", "jsondump", f"--type={kind}", *names))
        if (found := _from_json(kind, dumped.stdout)) is not None:
            return found
        # Before 2019, and so in 3.8, wwsh does not know `jsondump`.
        fields = ",".join(_FIELDS)
        printed = self.transcript.ask(
            ("wwsh", "object", "print", f"--type={kind}", f"--print={fields}", *names)
        )
        found = _from_table(kind, printed.stdout)
        if not found and not _NOTHING.search(printed.stdout + printed.stderr):
            raise ProvisionerError(
                "wwsh does not tell what it has.",
                details=f"Asked for each {kind}, it said:\n{printed.stdout}{printed.stderr}".strip(),
                resolution="Run it as root, and see that its database runs: `wwsh object print`.",
            )
        return found

    def nodes(self, names: Sequence[str] = ()) -> Mapping[str, Mapping[str, str]]:
        """Return the attributes of the nodes *names*, by default of all, with `provision` ones among them."""
        found: dict[str, dict[str, str]] = {}
        for module in ("node", "provision"):
            printed = self.transcript.ask(("wwsh", module, "print", *names))
            for node, key, value in _attributes(printed.stdout):
                found.setdefault(node, {})[key] = "" if value == UNSET else value
        return found


def _from_json(kind: str, text: str) -> tuple[StoredObject, ...] | None:
    """Return what a dump lists, None for what is no dump."""
    for line in text.splitlines():
        if line.startswith("["):
            try:
                return tuple(_object(kind, item) for item in json.loads(line))
            except (ValueError, TypeError, AttributeError):
                return None
    return None


def _object(kind: str, item: Mapping[str, Any]) -> StoredObject:
    name, arch, checksum, size, number = (_text(item.get(field.upper())) for field in _FIELDS)
    return StoredObject(kind=kind, name=name, id=number, arch=arch, checksum=checksum, size=size)


def _text(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    return "" if value is None else str(value)


def _from_table(kind: str, text: str) -> tuple[StoredObject, ...]:
    """Return the rows of `object print`: words of any width, one for each field, below a ruler."""
    _, _, body = text.partition("===")
    keys = [field.upper() for field in _FIELDS]
    rows = ([None if word == UNSET else word for word in line.split()] for line in body.splitlines()[1:])
    return tuple(_object(kind, dict(zip(keys, row, strict=True))) for row in rows if len(row) == len(keys))


def _attributes(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        if match := _ATTRIBUTE.fullmatch(line):
            yield match["node"], match["key"], match["value"]
