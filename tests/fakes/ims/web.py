"""Requests and answers, and a server on loopback that counts and, where a test says so, disturbs them."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

Application = Callable[[Any, Any], Any]
Disturbance = Callable[[Request], Response | None]


@dataclass
class Site:
    """A running server: what it was asked, and what a test lets go wrong."""

    url: str
    asked: list[str] = field(default_factory=list)
    """`METHOD /path?query` of each request, in the order of arrival."""
    before: Disturbance = lambda _: None
    """Sees each request first; what it returns is the answer."""
    after: Disturbance = lambda _: None
    """Sees each request when it was done, before its answer goes out."""


@contextlib.contextmanager
def serving(application: Application, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve a WSGI *application* on a free port while the block runs."""
    site = Site(url="")

    def front(environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        site.asked.append(f"{request.method} {request.full_path.removesuffix('?')}")
        answer = site.before(request)
        if answer is None:
            answer = Response.from_app(application, environ)
            answer = site.after(request) or answer
        return answer(environ, start_response)

    server = make_server("127.0.0.1", 0, front, threaded=True, ssl_context=tls)
    site.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(status: int, body: object) -> Response:
    """Return *body* as JSON."""
    return Response(json.dumps(body), status, content_type="application/json")


def nothing() -> Response:
    """Return what IMS says of a deletion."""
    return Response(b"", 204, content_type="application/json")


def problem(status: int, title: str, detail: str, errors: object = None) -> Response:
    """Return an error as IMS writes most of them: RFC 7807 without `type` and `instance`."""
    body = {"status": status, "title": title, "detail": detail}
    if errors is not None:
        body["errors"] = errors
    return Response(json.dumps(body), status, content_type="application/problem+json")


def page(status: int) -> Response:
    """Return what a gateway says when nobody is behind it."""
    text = "<html><head><title>Bad Gateway</title></head><body><h1>upstream connect error</h1></body></html>"
    return Response(text, status, content_type="text/html")
