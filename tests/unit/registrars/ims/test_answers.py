"""Why a request failed is told in the words of whoever answered."""

from __future__ import annotations

import json

import pytest
import requests

from crossbuild.registrars.ims.answers import Answer, reason_of


def answered(status: int, body: object, kind: str = "application/json") -> Answer:
    found = requests.Response()
    found.status_code = status
    found._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    found.headers["Content-Type"] = kind
    return Answer(found)


PAGE = "<html><style>p {}</style><body><h1>502&nbsp;Bad   Gateway</h1><script>x</script></body></html>"
NESTED = {"status": 422, "title": "Unprocessable Entity", "detail": "failed validation.", "errors": {}}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            answered(
                422,
                {**NESTED, "errors": {"link": {"type": ["Type must be one of: s3."]}, "name": ["a", "b"]}},
            ),
            "HTTP status 422: failed validation.\nlink.type: Type must be one of: s3.\nname: a\nname: b",
            id="fields",
        ),
        pytest.param(
            answered(422, {**NESTED, "errors": []}), "HTTP status 422: failed validation.", id="no fields"
        ),
        pytest.param(
            answered(400, {"status": 400, "title": "Bad status"}), "HTTP status 400: Bad status", id="title"
        ),
        pytest.param(
            answered(500, {"message": "Internal Server Error"}),
            "HTTP status 500: Internal Server Error",
            id="Flask",
        ),
        pytest.param(
            answered(401, {"error": "unauthorized_client", "error_description": "Invalid client"}),
            "HTTP status 401: Invalid client",
            id="Keycloak",
        ),
        pytest.param(
            answered(502, PAGE, "text/html"),
            "HTTP status 502: a page of a gateway or a login form, not of the service: 502 Bad Gateway",
            id="gateway",
        ),
        pytest.param(answered(200, "", "text/plain"), "HTTP status 200: no JSON: (nothing)", id="nothing"),
    ],
)
def test_reason(answer: Answer, reason: str) -> None:
    assert reason_of(answer) == reason


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (204, True), (302, False), (404, False), (503, False)]
)
def test_a_redirect_is_no_success(status: int, ok: bool) -> None:
    found = requests.Response()
    found.status_code = status
    found.headers["Location"] = "https://login.example.org/"
    assert Answer(found).ok is ok
