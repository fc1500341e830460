"""The web server that stands for a provisioner's, or for S3: a few files, each at its own path."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BLOCK = 1 << 20


class Server:
    """Serves *files* by their paths; *on_request* hears of each path that is there."""

    def __init__(self, files: Mapping[str, Path], address: tuple[str, int]) -> None:
        """Take the address, for port 0 a port that is free; nobody is answered before `serving`."""
        self.files = dict(files)
        self.on_request: Callable[[str], None] = lambda _path: None
        self._server = _Quiet(address, self._handler())
        self.port = int(self._server.server_address[1])

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Answer requests while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, name="web server", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._begin()

            def do_GET(self) -> None:
                path = self._begin()
                if path is not None:
                    with path.open("rb") as file:
                        shutil.copyfileobj(file, self.wfile, BLOCK)

            def _begin(self) -> Path | None:
                name = self.path.partition("?")[0]
                path = server.files.get(name)
                if path is None:
                    self.send_error(HTTPStatus.NOT_FOUND)
                    return None
                server.on_request(name)
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Length", str(path.stat().st_size))
                self.send_header("Content-Type", "application/octet-stream")
                self.end_headers()
                return path

            def log_message(self, *_arguments: object) -> None:
                """Say nothing: stderr belongs to the person at the terminal."""

        return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: a machine that ends in the middle of a request is no matter of the server's."""
