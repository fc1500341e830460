"""What Slurm says of all jobs of this server: one question for all processes that want to know."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crossbuild.host.locks import held
from crossbuild.nodes.slurm import SlurmJob, states

NUMBER = "slurm.id"
"""Of the folder of a job: its number in Slurm."""
FRESH = 2.0
"""Seconds for which an answer serves."""

Known = dict[str, dict[str, Any] | None]
"""Jobs by their numbers; None for one that Slurm has forgotten."""


class QueueWatch:
    """Asks Slurm, unless another process just has."""

    def __init__(self, jobs: Path, notes: Path) -> None:
        """Ask of everything in the folder *jobs*; *notes* is a file that processes share."""
        self._jobs, self._notes = jobs, notes

    def look(self, number: int) -> SlurmJob | None:
        """Return what Slurm knows of the job *number*, None where it has forgotten it.

        Raises SlurmAwayError while its controller does not answer.
        """
        with held(self._notes.with_name(f".{self._notes.name}.lock")):
            known = self._noted()
            if str(number) not in known:
                known = self._ask(number)
        found = known[str(number)]
        return SlurmJob(**found) if found else None

    def forget(self) -> None:
        """Have the next look ask again."""
        self._notes.unlink(missing_ok=True)

    def _noted(self) -> Known:
        """Return what Slurm said just now, to whichever process; nothing where that was too long ago."""
        try:
            if time.time() - self._notes.stat().st_mtime < FRESH:
                known: Known = json.loads(self._notes.read_bytes())
                return known
        except (OSError, ValueError):
            pass
        return {}

    def _ask(self, number: int) -> Known:
        numbers = {number, *self._numbers()}
        found = states(sorted(numbers))
        known: Known = {str(one): asdict(found[one]) if one in found else None for one in numbers}
        scratch = self._notes.with_name(f".{self._notes.name}.{os.getpid()}")
        scratch.write_text(json.dumps(known), encoding="utf-8")
        scratch.replace(self._notes)
        return known

    def _numbers(self) -> Iterator[int]:
        for path in self._jobs.glob(f"*/{NUMBER}"):
            with contextlib.suppress(OSError, ValueError):
                yield int(path.read_text(encoding="ascii"))
