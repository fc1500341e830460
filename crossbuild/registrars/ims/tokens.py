"""Bearer tokens for the API gateway, by OAuth 2.0 client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import time
from collections.abc import Callable

import requests

from crossbuild.errors import ProvisionerError
from crossbuild.model.ims import ImsAccess
from crossbuild.registrars.ims.answers import Answer, reaching, reason_of
from crossbuild.registrars.ims.credentials import read_secret

MARGIN = 30.0
"""Seconds before its end from which a token is not used any more: a request takes time, too."""


class Tokens:
    """Hands out a token that is valid, and gets another one when it is not."""

    def __init__(
        self, access: ImsAccess, session: requests.Session, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._access = access
        self._session = session
        self._clock = clock
        self._token = ""
        self._ends = 0.0

    def header(self) -> dict[str, str]:
        """Return what a request must carry; nothing where the site's IMS wants no token."""
        if not self._access.token_endpoint:
            return {}
        if not self._token or self._clock() >= self._ends:
            self._fetch()
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Forget the token that was refused; say whether another one can be got."""
        self._token = ""
        return bool(self._access.token_endpoint)

    def _fetch(self) -> None:
        access = self._access
        assert access.client_secret_file  # the schema has all three or none
        form = {
            "grant_type": "client_credentials",
            "client_id": access.client_id,
            "client_secret": read_secret(access.client_secret_file),
        }
        with reaching(access.token_endpoint, access):
            found = self._session.post(access.token_endpoint, data=form, allow_redirects=False)
        answer = Answer(found)
        body = answer.json()
        if not answer.ok or not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
            raise ProvisionerError(
                f"{access.token_endpoint} gives no token to the client {access.client_id}.",
                details=reason_of(answer),
                resolution=f"Check `client_id` in the configuration, and {access.client_secret_file}.",
            )
        self._token = body["access_token"]
        self._ends = self._clock() + _seconds(body.get("expires_in")) - MARGIN


def _seconds(value: object) -> float:
    # Without a statement about its life (RFC 6749, 5.1) it is used until it is refused.
    return float(value) if isinstance(value, int | float) and value > 0 else float("inf")
