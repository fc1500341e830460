"""The exec table: which aarch64 programs may be replaced by their twins, as crossbuild-exec reads it.

table.h describes the format; it is the other half of this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

HEAD = "crossbuild-exec 1"
MAX_SIZE = 1 << 20
"""Bytes; crossbuild-exec takes a longer table for a damaged one."""

_PATH = re.compile(r"/[!-~]+")
"""Printable ASCII: a blank ends the path of a rule. No distribution names its programs otherwise."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CHOICE = re.compile(r"[!-+\--{}~]+")
"""Without blanks, commas and vertical bars."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A variable that a rule may add to the environment of a twin; programs that it starts do not get it."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One program that may be replaced, and when. An argument is given whole, or as a beginning and `*`."""

    path: PurePosixPath
    """Where the program lies in the root, with all links resolved."""
    size: int
    """Of its twin, in bytes: one of another size is not the file that the rule is about."""
    original: int | None = None
    """Of the root's own program, in bytes: at that path may also lie another one, put there by somebody."""
    first: tuple[str, ...] = ()
    """If any, the arguments must begin with one of these: one word, or several with blanks between them."""
    none: tuple[str, ...] = ()
    """No argument may be one of these."""
    sets: tuple[str, ...] = ()
    """Names of settings; a value that the caller has set itself stays."""
    owns: tuple[str, ...] = ()
    """Names of settings; a caller who has set one to another value gets qemu."""
    absent: tuple[PurePosixPath, ...] = ()
    """None of these may be there in the root."""


def render_table(rules: Iterable[Rule], settings: Sequence[Setting] = ()) -> bytes:
    """Return the file; raise ValueError for what it cannot hold. Two rules for one path are an error."""
    known = {setting.name for setting in settings}
    lines = sorted(_line(rule, known).encode() for rule in rules)
    paths = [line.split(b" ", 1)[0] for line in lines]
    if len(set(paths)) != len(paths):
        raise ValueError("two rules for one path")
    # The order is that of the paths: a blank sorts before every character that a path may hold.
    content = b"".join(line + b"\n" for line in [HEAD.encode(), *map(_setting_line, settings), *lines])
    if len(content) > MAX_SIZE:
        raise ValueError(f"the table has {len(content)} bytes, more than {MAX_SIZE}")
    return content


def _setting_line(setting: Setting) -> bytes:
    if not _NAME.fullmatch(setting.name) or re.search(r"[\n\0]", setting.value):
        raise ValueError(f"not a variable: {setting}")
    return f"set {setting}".encode()


def _line(rule: Rule, known: set[str]) -> str:
    if not _PATH.fullmatch(str(rule.path)):
        raise ValueError(f"not a path for a rule: {rule.path}")
    if unknown := {*rule.sets, *rule.owns} - known:
        raise ValueError(f"{rule.path}: no setting has the name {', '.join(sorted(unknown))}")
    first = tuple("|".join(choice.split(" ")) for choice in rule.first)
    choices = [*(word for choice in first for word in choice.split("|")), *rule.none]
    if wrong := [choice for choice in choices if not _CHOICE.fullmatch(choice)]:
        raise ValueError(f"{rule.path}: not an argument for a rule: {wrong[0]!r}")
    if odd := [path for path in rule.absent if not _PATH.fullmatch(str(path)) or "," in str(path)]:
        raise ValueError(f"{rule.path}: not a path for a rule: {odd[0]}")
    original = () if rule.original is None else (str(rule.original),)
    conditions = {
        "of": original,
        "first": first,
        "none": rule.none,
        "set": rule.sets,
        "own": rule.owns,
        "absent": tuple(map(str, rule.absent)),
    }
    words = [f"{name}={','.join(values)}" for name, values in conditions.items() if values]
    return " ".join([str(rule.path), str(rule.size), *words])
