"""A token is got when it is needed, and again before it ends."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from crossbuild.errors import ProvisionerError
from crossbuild.model.ims import ImsAccess
from crossbuild.registrars.ims.tokens import MARGIN, Tokens
from tests.fakes.ims.system import write_secret


def access(folder: Path, endpoint: str = "https://sso.test/token") -> ImsAccess:
    write_secret(folder / "secret", "s3cret")
    return ImsAccess(
        api="https://ims.test",
        gateway="https://test",
        token_endpoint=endpoint,
        client_id="c",
        client_secret_file=folder / "secret",
        ca_bundle=None,
        s3_endpoint="https://s3.test",
        s3_credentials_file=folder / "keys",
        bucket="b",
        recipe_bucket="r",
        timeout=1,
    )


class Endpoint:
    """Gives out numbered tokens that live for 100 seconds, or the answer that it is told."""

    def __init__(self, answer: dict[str, Any] | None = None, status: int = 200) -> None:
        self.forms: list[dict[str, str]] = []
        self._answer, self._status = answer, status
        self._numbers = itertools.count(1)

    def post(self, _: str, *, data: dict[str, str], allow_redirects: bool) -> requests.Response:
        assert not allow_redirects
        self.forms.append(data)
        found = requests.Response()
        found.status_code = self._status
        body = self._answer or {"access_token": f"t{next(self._numbers)}", "expires_in": 100}
        found._content = json.dumps(body).encode()
        return found


def tokens(access: ImsAccess, endpoint: Endpoint, now: list[float]) -> Tokens:
    return Tokens(access, cast("requests.Session", endpoint), clock=lambda: now[0])


def test_one_token_serves_until_shortly_before_its_end(tmp_path: Path) -> None:
    endpoint, now = Endpoint(), [0.0]
    found = tokens(access(tmp_path), endpoint, now)
    headers = []
    for moment in (0.0, 100 - MARGIN - 1, 100 - MARGIN):
        now[0] = moment
        headers.append(found.header()["Authorization"])
    assert headers == ["Bearer t1", "Bearer t1", "Bearer t2"]
    assert endpoint.forms[0] == {
        "grant_type": "client_credentials",
        "client_id": "c",
        "client_secret": "s3cret",
    }


def test_a_refused_token_is_replaced(tmp_path: Path) -> None:
    found = tokens(access(tmp_path), Endpoint(), [0.0])
    found.header()
    assert found.renew()
    assert found.header() == {"Authorization": "Bearer t2"}


def test_without_an_endpoint_there_is_no_token(tmp_path: Path) -> None:
    found = tokens(access(tmp_path, endpoint=""), Endpoint(), [0.0])
    assert (found.header(), found.renew()) == ({}, False)


@pytest.mark.parametrize(
    ("answer", "status"),
    [({"error": "invalid_client"}, 401), ({"token_type": "Bearer"}, 200), ({"access_token": None}, 200)],
)
def test_an_endpoint_that_gives_none_is_named_without_the_secret(
    tmp_path: Path, answer: dict[str, Any], status: int
) -> None:
    with pytest.raises(ProvisionerError) as caught:
        tokens(access(tmp_path), Endpoint(answer, status), [0.0]).header()
    error = caught.value
    assert "https://sso.test/token" in error.brief
    assert "s3cret" not in f"{error.brief}{error.details}{error.resolution}"
