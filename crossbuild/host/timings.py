"""How long each kind of work took on this host, so that the next estimate is a fair one."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Timings:
    """Seconds by kind of work, remembered in one file; losing it costs nothing but accuracy."""

    def __init__(self, file: Path) -> None:
        """*file* need not exist."""
        self._file = file
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        self._known: dict[str, float] = known if isinstance(known, dict) else {}

    def estimate(self, key: str, default: float) -> float:
        """Return how long *key* took last time, else *default*."""
        value = self._known.get(key, default)
        return float(value) if isinstance(value, int | float) else default

    def remember(self, key: str, seconds: float) -> None:
        """Keep *seconds* for *key*."""
        self._known[key] = round(seconds, 3)
        scratch = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(self._known, indent=1, sort_keys=True), encoding="utf-8")
        scratch.replace(self._file)
