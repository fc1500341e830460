"""Waiting for a host that cannot be reached: a little longer each time, and not for ever."""

from __future__ import annotations

import time

from crossbuild.errors import CrossbuildError
from crossbuild.host.locks import NoticeSink

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between attempts to reach a host again."""


class Patience:
    """Lets attempts fail for so many seconds on end; whatever is heard in between makes it whole again."""

    def __init__(self, seconds: float, notice: NoticeSink) -> None:
        """*notice* hears of every attempt that failed."""
        self._seconds, self._notice = seconds, notice
        self.renew()

    def renew(self) -> None:
        """Forget what failed: the host is there."""
        self._lost: float | None = None
        self._pause = FIRST_PAUSE

    def spend(self, error: CrossbuildError, what: str) -> None:
        """Wait before the next attempt, *error* having ended the last one; raise it where none is left.

        *what* goes on there meanwhile, as a sentence.
        """
        self._lost = self._lost or time.monotonic()
        left = self._seconds - (time.monotonic() - self._lost)
        if left <= 0:
            raise error
        self._notice(f"{error.brief} {what}; trying again.")
        time.sleep(min(self._pause, left))
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
