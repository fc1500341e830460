"""One HTTP session with the services behind a site's API gateway: TLS always verified, tokens kept valid."""

from __future__ import annotations

import os

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from crossbuild.errors import HostNotReadyError, ProvisionerError
from crossbuild.model.ims import ImsAccess
from crossbuild.registrars.ims.answers import ENOUGH, Answer, reaching, reason_of
from crossbuild.registrars.ims.tokens import Tokens

CONNECT_SECONDS = 10.0
RETRIES = Retry(
    total=4,
    read=1,
    other=0,  # a certificate that is not trusted will not be trusted in a moment either
    status_forcelist=(502, 503, 504),  # what a gateway says while a service restarts
    # A POST that was lost on the way may have been done: nobody repeats it.
    allowed_methods=("GET", "PATCH", "DELETE"),
    backoff_factor=0.5,
    raise_on_status=False,
)
UNAUTHORIZED, NOT_FOUND = 401, 404


class Gateway:
    """Sends JSON and returns JSON; everything that is refused is a ProvisionerError."""

    def __init__(self, access: ImsAccess) -> None:
        self._access = access
        self._session = _session(access)
        self._tokens = Tokens(access, self._session)

    def find(self, url: str) -> object | None:
        """Return what is at *url*, None where that is nothing."""
        answer = self._send("GET", url, None)
        return None if answer.status == NOT_FOUND and not answer.page else self._accepted("GET", url, answer)

    def get(self, url: str) -> object:
        """Return what is at *url*."""
        return self._accepted("GET", url, self._send("GET", url, None))

    def post(self, url: str, body: object) -> object:
        """Send *body* to *url*, once."""
        return self._accepted("POST", url, self._send("POST", url, body))

    def patch(self, url: str, body: object) -> object:
        """Change what is at *url*."""
        return self._accepted("PATCH", url, self._send("PATCH", url, body))

    def delete(self, url: str) -> None:
        """Delete what is at *url*; it may be gone already."""
        answer = self._send("DELETE", url, None)
        if answer.status != NOT_FOUND or answer.page:
            self._accepted("DELETE", url, answer)

    def _send(self, method: str, url: str, body: object) -> Answer:
        answer = self._once(method, url, body)
        if answer.status == UNAUTHORIZED and self._tokens.renew():
            # A token may end in the middle of a registration, or be withdrawn.
            answer = self._once(method, url, body)
        return answer

    def _once(self, method: str, url: str, body: object) -> Answer:
        headers = {"Accept": "application/json", **self._tokens.header()}
        with reaching(url, self._access):
            # A redirect leads to a login form, not to the service.
            return Answer(
                self._session.request(method, url, json=body, headers=headers, allow_redirects=False)
            )

    def _accepted(self, method: str, url: str, answer: Answer) -> object:
        body = answer.json()
        if answer.ok and (body is not None or method == "DELETE"):
            return body
        raise ProvisionerError(
            f"{method} {url} was not accepted.",
            details=reason_of(answer),
            resolution=_advice(answer, self._access),
        )


def _advice(answer: Answer, access: ImsAccess) -> str:
    if answer.status in {UNAUTHORIZED, 403}:
        client = f"the client {access.client_id}" if access.token_endpoint else "requests without a token"
        return f"Let {client} use this service, or correct `provisioners.ims` in the configuration."
    if answer.status in RETRIES.status_forcelist or answer.status >= 500:
        return ENOUGH
    return "Correct what is named above, then run the same command again."


class _PatientSession(requests.Session):
    """A session with a time-out on every request."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self._seconds = seconds

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        options["timeout"] = (CONNECT_SECONDS, self._seconds)
        return super().send(request, **options)  # type: ignore[arg-type]


def _session(access: ImsAccess) -> requests.Session:
    if access.ca_bundle and not access.ca_bundle.is_file():
        raise HostNotReadyError(
            f"The CA certificates in {access.ca_bundle} are not there.",
            resolution="Put them there, or correct `provisioners.ims.ca_bundle` in the configuration.",
        )
    session = _PatientSession(access.timeout)
    # The environment's proxies lead away from the management network, and its .netrc would replace the token.
    session.trust_env = False
    session.verify = os.fspath(access.ca_bundle) if access.ca_bundle else True
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
    return session
