"""Locks of the Hardware State Manager (HSM API v2, `/locks`)."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request, Response

from tests.fakes.ims.web import answer

KNOWN = ("x3000c0s19b4n0", "x3000c0s19b3n0")


class Locks:
    """Which of the system's nodes are locked."""

    def __init__(self) -> None:
        self.locked: set[str] = set()

    def __call__(self, request: Request) -> Response:
        names: list[str] = request.get_json()["ComponentIDs"]
        match request.path:
            case "/locks/lock":
                return self._change(names, lock=True)
            case "/locks/unlock":
                return self._change(names, lock=False)
            case "/locks/status":
                return answer(200, {"Components": [self._state(name) for name in names if name in KNOWN]})
        return answer(404, {"title": "Not Found", "detail": "no such page", "status": 404})

    def _change(self, names: list[str], *, lock: bool) -> Response:
        failures = [
            {"ID": name, "Reason": "NotFound" if name not in KNOWN else "Locked" if lock else "Unlocked"}
            for name in names
            if name not in KNOWN or (name in self.locked) == lock
        ]
        if failures:
            # All or none, the processing model `rigid`.
            return answer(400, {"title": "Bad Request", "detail": f"{failures[0]}", "status": 400})
        self.locked = self.locked | set(names) if lock else self.locked - set(names)
        counts = {"Total": len(names), "Success": len(names), "Failure": 0}
        return answer(200, {"Counts": counts, "Success": {"ComponentIDs": names}, "Failure": []})

    def _state(self, name: str) -> dict[str, Any]:
        return {"ID": name, "Locked": name in self.locked, "Reserved": False, "ReservationDisabled": False}
