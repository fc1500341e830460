"""What came back from a service, or why nothing did, in words; also where a gateway answers in its stead."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Iterator

import requests

from crossbuild.errors import ProvisionerError
from crossbuild.model.ims import ImsAccess

LONGEST = 300
"""Characters of a foreign text that a message quotes."""
MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
ENOUGH = "Check that the service runs and the network path is open, then run the same command again."


class Answer:
    """The answer to one request."""

    def __init__(self, found: requests.Response) -> None:
        self.status = found.status_code
        self.ok = found.ok and not found.is_redirect
        self._found = found

    @property
    def page(self) -> bool:
        """Whether it is a page for people, as gateways and login forms send it."""
        return "html" in self._found.headers.get("Content-Type", "").lower()

    @property
    def text(self) -> str:
        """Its words, without markup, on one line."""
        return " ".join(html.unescape(MARKUP.sub(" ", self._found.text)).split())[:LONGEST]

    def json(self) -> object:
        """Return what it holds; None for what is no JSON."""
        try:
            return self._found.json()
        except ValueError:
            return None


def reason_of(answer: Answer) -> str:
    """Return why a request failed, in the words of whoever answered.

    IMS sends RFC 7807 with `errors` for single fields, Flask a `message`, Keycloak `error_description`.
    """
    status = f"HTTP status {answer.status}"
    body = answer.json()
    if not isinstance(body, dict):
        whose = "a page of a gateway or a login form, not of the service" if answer.page else "no JSON"
        return f"{status}: {whose}: {answer.text or '(nothing)'}"
    words = [str(body[key]) for key in ("detail", "message", "error_description", "error") if body.get(key)]
    words = words[:1] or [str(body.get("title", ""))]
    fields = "\n".join(_fields(body.get("errors")))
    return f"{status}: {words[0][:LONGEST]}\n{fields}".strip()


@contextlib.contextmanager
def reaching(url: str, access: ImsAccess) -> Iterator[None]:
    """Raise ProvisionerError naming *url* where the block gets no answer from it."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise ProvisionerError(
            f"The certificate of {url} is not trusted.",
            details=str(error)[:LONGEST],
            resolution=trust_advice(access),
        ) from error
    except requests.exceptions.RequestException as error:
        silent = isinstance(error, requests.exceptions.Timeout) or "Read timed out" in str(error)
        what = f"did not answer within {access.timeout} s" if silent else "cannot be reached"
        raise ProvisionerError(f"{url} {what}.", details=str(error)[:LONGEST], resolution=ENOUGH) from error


def trust_advice(access: ImsAccess) -> str:
    """Say what to do about a certificate; verification cannot be switched off."""
    if access.ca_bundle:
        return f"Put the site's CA certificate into {access.ca_bundle}, to which `ca_bundle` leads."
    return "Name the site's CA certificates with `ca_bundle` under `provisioners.ims` in the configuration."


def _fields(errors: object, path: str = "") -> Iterator[str]:
    """Yield `link.type: must be …` for the nested errors of single fields."""
    if isinstance(errors, dict):
        for key, below in errors.items():
            yield from _fields(below, f"{path}.{key}".lstrip("."))
    elif isinstance(errors, list):
        yield from (f"{path}: {str(text)[:LONGEST]}" for text in errors)
