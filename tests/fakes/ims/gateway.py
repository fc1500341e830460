"""The API gateway of a system: tokens, and the services behind their paths."""

from __future__ import annotations

import secrets
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.fakes.ims.hsm import Locks
from tests.fakes.ims.service import Ims
from tests.fakes.ims.web import answer

CLIENT, SECRET = "admin-client", "open sesame & more"
TOKEN_PATH = "/keycloak/realms/shasta/protocol/openid-connect/token"


class Gateway:
    """Lets through who carries a token that it gave out."""

    def __init__(self, ims: Ims) -> None:
        self.ims = ims
        self.locks = Locks()
        self.tokens: set[str] = set()
        self.given = 0
        self.open = False
        """Whether no token is needed, as inside the mesh of a system."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == TOKEN_PATH:
            return self._token(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self.open and token not in self.tokens:
            return answer(401, {"message": "Jwt verification fails"})
        for prefix, service in (("/apis/ims", self.ims), ("/apis/smd/hsm/v2", self.locks)):
            if request.path.startswith(f"{prefix}/"):
                inner = Request({**request.environ, "PATH_INFO": request.path.removeprefix(prefix)})
                return service(inner)
        return answer(404, {"message": "no such service"})

    def _token(self, request: Request) -> Response:
        form = request.form
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            words = "Invalid client or Invalid client credentials"
            return answer(401, {"error": "unauthorized_client", "error_description": words})
        if form.get("grant_type") != "client_credentials":
            return answer(400, {"error": "unsupported_grant_type"})
        token = secrets.token_urlsafe(32)
        self.tokens.add(token)
        self.given += 1
        return answer(200, {"access_token": token, "expires_in": 300, "token_type": "Bearer"})
