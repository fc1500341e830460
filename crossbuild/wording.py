"""Sizes, spans of time and foreign text for people, the same in the terminal and on pages."""

from __future__ import annotations

from datetime import UTC, datetime


def size_text(size: int) -> str:
    """Return *size* bytes in the decimal units of a disk's label: `482 B`, `1.2 MB`, `3.4 GB`."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def duration_text(seconds: float) -> str:
    """Return a span of time in words: `3.2 s`, `42 s`, `3 min 12 s`, `1 h 05 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def moment_text(moment: str) -> str:
    """Return a time that RFC 3339 spells as people do: `2026-11-21 15:06 UTC`; any other text as it is."""
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when.tzinfo else moment


def printable(text: str) -> str:
    r"""Return *text* with everything that could steer a terminal or a page as an escape such as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    # A byte that is not UTF-8 travels as a lone surrogate (PEP 383): show the byte itself.
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else ascii(character)[1:-1]
