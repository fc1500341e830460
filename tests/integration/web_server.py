"""A web server on loopback for the length of a test."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing about requests."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(folder: Path, place: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[str]:
    """Yield the address at which the files below *folder* are, for this host alone: *place*, or any free."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(place, handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{place[0]}:{server.server_port}"
        server.shutdown()
