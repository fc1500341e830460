"""What the lines that apt and dpkg print say about how far they are."""

from __future__ import annotations

import re

HANDLED = re.compile(r"(?:Unpacking|Setting up) (?P<name>[^\s:]+)")


def package_handled(line: str) -> str | None:
    """Return the package that a line says was unpacked or configured, each of which happens once."""
    match = HANDLED.match(line)
    return match["name"] if match else None
