"""IMS: images, recipes and remote build nodes of the REST API v3, with its rules and its gaps."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.fakes.ims import schema
from tests.fakes.ims.storage import Storage, UnreadableManifestError
from tests.fakes.ims.web import answer, nothing, problem

Record = dict[str, Any]
LINUX = ("sles12", "sles15", "centos7")
IMAGE = {"name": schema.filled("name"), "arch": schema.one_of(schema.ARCHES)}
RECIPE = {
    "name": schema.filled("name"),
    "arch": schema.one_of(schema.ARCHES),
    "recipe_type": schema.one_of(("kiwi-ng", "packer"), "Recipe type must be one of: {}."),
    "linux_distribution": schema.one_of(LINUX, "Recipe type must be one of: {}."),
    "template_dictionary": schema.pairs,
    "require_dkms": schema.flag,
}
PATCHED_RECIPE = {key: RECIPE[key] for key in ("arch", "require_dkms", "template_dictionary")}
DEFAULTS: dict[str, Record] = {
    "images": {"arch": "x86_64", "link": None, "metadata": {}},
    "recipes": {"arch": "x86_64", "link": None, "require_dkms": True, "template_dictionary": []},
}


class Ims:
    """Its records, and an answer for each request."""

    def __init__(self, s3: Any) -> None:
        self.storage = Storage(s3)
        self.tables: dict[str, dict[str, Record]] = {"images": {}, "recipes": {}}
        self.deleted: dict[str, dict[str, Record]] = {"images": {}, "recipes": {}}
        self.nodes: list[str] = []
        self.states: dict[str, Record] = {}

    def __call__(self, request: Request) -> Response:
        """Answer *request*, whose path begins behind the service's own address."""
        for pattern, methods in self._routes():
            if match := re.fullmatch(pattern, request.path):
                if request.method not in methods:
                    return answer(405, {"message": "The method is not allowed for the requested URL."})
                body, refusal = self._body(request)
                return refusal or methods[request.method](
                    *match.groups(), *([body] if body is not None else [])
                )
        return problem(404, "Not Found", "Requested resource does not exist.")

    def _routes(self) -> list[tuple[str, dict[str, Callable[..., Response]]]]:
        kinds = "(images|recipes)"
        return [
            (r"/version", {"GET": lambda: answer(200, {"version": "3.33.0"})}),
            (rf"/v3/{kinds}", {"GET": self._all, "POST": self._create}),
            (rf"/v3/{kinds}/([^/]+)", {"GET": self._one, "PATCH": self._patch, "DELETE": self._bury}),
            (rf"/v3/deleted/{kinds}/([^/]+)", {"GET": self._buried, "DELETE": self._destroy}),
            (r"/v3/remote-build-nodes", {"GET": lambda: answer(200, self._nodes()), "POST": self._add_node}),
            (r"/v3/remote-build-nodes/status", {"GET": self._all_states}),
            (r"/v3/remote-build-nodes/status/([^/]+)", {"GET": self._state}),
            (r"/v3/remote-build-nodes/([^/]+)", {"GET": self._node, "DELETE": self._drop_node}),
        ]

    def _body(self, request: Request) -> tuple[Any, Response | None]:
        if request.method not in {"POST", "PATCH"}:
            return None, None
        if request.mimetype != "application/json":
            return None, answer(415, {"message": "Did not attempt to load JSON data"})
        found = request.get_json(silent=True)
        if found is None:
            return None, answer(400, {"message": "The browser (or proxy) sent a request that is no JSON."})
        if not found:
            return None, problem(400, "Bad Request", "No input provided.")
        return found, None

    def _all(self, kind: str) -> Response:
        return answer(200, list(self.tables[kind].values()))

    def _create(self, kind: str, body: Any) -> Response:
        fields = {**(IMAGE if kind == "images" else RECIPE), "link": schema.link, "metadata": schema.strings}
        required = ("name",) if kind == "images" else ("name", "recipe_type", "linux_distribution")
        if errors := schema.body_errors(body, fields, required):
            return invalid(errors)
        moment = datetime.now().isoformat()  # noqa: DTZ005 - as IMS does, without a zone
        record = {**DEFAULTS[kind], **body, "id": str(uuid.uuid4()), "created": moment}
        self.tables[kind][record["id"]] = record
        return answer(201, record)

    def _one(self, kind: str, key: str) -> Response:
        return answer(200, self.tables[kind][key]) if key in self.tables[kind] else missing()

    def _patch(self, kind: str, key: str, body: Any) -> Response:
        if key not in self.tables[kind]:
            return missing()
        fields = {"link": schema.link, **({"arch": IMAGE["arch"]} if kind == "images" else PATCHED_RECIPE)}
        if errors := schema.body_errors(body, fields, ()):
            return invalid(errors)
        record = self.tables[kind][key]
        if "link" in body and (refusal := self._refuse_link(kind, record, body["link"])):
            return refusal
        record.update(body)
        return answer(200, record)

    def _refuse_link(self, kind: str, record: Record, link: dict[str, str]) -> Response | None:
        if record["link"] is not None:
            # The whole dictionary counts: another etag, or none, is another link.
            return None if record["link"] == link else problem(409, "Conflict", "patch conflict")
        taken = [item["link"]["path"] for item in self.tables[kind].values() if item["link"]]
        if kind == "recipes":
            if link["path"] in taken:
                return answer(500, {"message": "Internal Server Error"})
            if not self.storage.exists(link["path"]):
                return problem(422, "Unprocessable Entity", "The artifact cannot be validated.")
            return None
        try:
            return self.storage.refuse_image_link(link, taken)
        except UnreadableManifestError:
            return None  # IMS goes on, and the image has a manifest that nobody can read

    def _bury(self, kind: str, key: str) -> Response:
        if key not in self.tables[kind]:
            return missing()
        record = self.tables[kind].pop(key)
        if record["link"]:
            path = record["link"]["path"]
            bury = self.storage.bury if kind == "images" else self._bury_recipe
            record["link"] = {"path": bury(path, key), "etag": "", "type": "s3"}
        self.deleted[kind][key] = record
        return nothing()

    def _bury_recipe(self, path: str, _: str) -> str:
        return self.storage.move(path, "", "deleted/")

    def _buried(self, kind: str, key: str) -> Response:
        return answer(200, self.deleted[kind][key]) if key in self.deleted[kind] else missing()

    def _destroy(self, kind: str, key: str) -> Response:
        if key not in self.deleted[kind]:
            return missing()
        record = self.deleted[kind].pop(key)
        if record["link"]:
            destroy = self.storage.destroy if kind == "images" else self.storage.delete
            destroy(record["link"]["path"])
        return nothing()

    def _nodes(self) -> list[Record]:
        return [{"xname": name} for name in dict.fromkeys(self.nodes)]

    def _add_node(self, body: Any) -> Response:
        if errors := schema.body_errors(body, {"xname": schema.filled("xname")}, ("xname",)):
            return invalid(errors)
        self.nodes.append(body["xname"])
        return answer(201, body)

    def _node(self, name: str) -> Response:
        return answer(200, {"xname": name}) if name in self.nodes else missing()

    def _drop_node(self, name: str) -> Response:
        if name not in self.nodes:
            return missing()
        self.nodes = [other for other in self.nodes if other != name]
        return nothing()

    def _all_states(self) -> Response:
        return answer(200, [self._status(name) for name in dict.fromkeys(self.nodes)])

    def _state(self, name: str) -> Response:
        return answer(200, self._status(name)) if name in self.nodes else missing()

    def _status(self, name: str) -> Record:
        unreachable = "Unable to connect to node. Error: [Errno -2] Name or service not known"
        found = {
            "ableToRunJobs": False,
            "nodeArch": "Unknown",
            "numCurrentJobs": -1,
            "podmanStatus": "Unknown",
        }
        return {**found, "sshStatus": unreachable, **self.states.get(name, {}), "xname": name}


def missing() -> Response:
    return problem(404, "Not Found", "Requested resource does not exist. Re-run request with valid ID.")


def invalid(errors: Any) -> Response:
    return problem(422, "Unprocessable Entity", "Input data was understood, but failed validation.", errors)
