"""What a package manager answered, kept for as long as it would say the same.

To resolve packages takes apt, dnf and zypper a second of processor time each; every plan and every build ask
for the same two or three lists as long as neither the spec nor the sources change.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from crossbuild.host.workspace import surplus
from crossbuild.model.spec import digest_of

KEPT = 64
"""How many answers stay; the one that was used longest ago goes first."""


class Answers:
    """The answers for one set of sources, safe under several builds at once."""

    def __init__(self, folder: Path) -> None:
        """*folder* need not exist; nothing else is in it."""
        self._folder = folder

    def ask(self, question: object, answer: Callable[[], str]) -> str:
        """Return what *answer* gave when this *question* was first asked, or gives now.

        The *question* names all that the answer depends on: words, settings, and the state of the sources.
        """
        place = self._folder / digest_of(question)
        found = _read(place)
        if found is None:
            found = answer()
            # A disk without room is told of by whoever cannot do without.
            with contextlib.suppress(OSError):
                self._keep(place, found)
        return found

    def _keep(self, place: Path, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        scratch = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            scratch.write_text(f"{_digest(text)}\n{text}", encoding="utf-8")
            scratch.rename(place)
        finally:
            scratch.unlink(missing_ok=True)
        for path in surplus(self._folder.glob("[!.]*"), KEPT):
            path.unlink(missing_ok=True)


def edition(program: Path) -> tuple[int, int] | None:
    """Return what two versions of *program* differ in: size and time, which packages bring along."""
    with contextlib.suppress(FileNotFoundError):
        status = program.stat()
        return status.st_size, status.st_mtime_ns
    return None


def _read(place: Path) -> str | None:
    """Return the answer at *place*; None where there is none, or not all of it, as after a loss of power."""
    try:
        digest, _, text = place.read_text(encoding="utf-8").partition("\n")
        os.utime(place)
    except (OSError, UnicodeDecodeError):
        return None
    return text if digest == _digest(text) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
