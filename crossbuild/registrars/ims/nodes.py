"""Remote build nodes of IMS: hosts that run its jobs, reached by SSH as root."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from crossbuild.errors import ProvisionerError, UsageError
from crossbuild.registrars.ims.gateway import Gateway

XNAME = re.compile(r"x\d{1,4}c\d{1,3}s\d{1,3}b\d{1,3}n\d{1,3}")
"""Of a node, as HSM writes it: cabinet, chassis, slot, controller, node."""
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?")
RESERVED = "status"
"""A node of that name would hide the list of states behind it."""


@dataclass(frozen=True, kw_only=True)
class NodeStatus:
    """What IMS finds when it looks at a node now."""

    xname: str
    able: bool
    """Whether IMS gives it jobs."""
    arch: str
    """`aarch64`, `x86_64`, or why that is not known: some distributions do not answer IMS's `uname -i`."""
    jobs: int
    """How many it runs; -1 where that is not known."""
    ssh: str
    podman: str


class RemoteBuildNodes:
    """The list that IMS keeps, and its look at each of them."""

    def __init__(self, gateway: Gateway, api: str) -> None:
        self._gateway = gateway
        self._url = f"{api}/v3/remote-build-nodes"

    def all(self) -> tuple[str, ...]:
        """Return the names of all nodes."""
        found = self._gateway.get(self._url)
        return tuple(_text(item, "xname", self._url) for item in _list(found, self._url))

    def create(self, name: str) -> bool:
        """Add a node and read it back; False if it is there already, which IMS does not mind and we do."""
        refuse_name(name)
        if name in self.all():
            return False
        self._gateway.post(self._url, {"xname": name})
        if name not in self.all():
            raise _not_done(name, "does not list it afterwards")
        return True

    def delete(self, name: str) -> bool:
        """Take a node off the list; False if it is not there."""
        if name not in self.all():
            return False
        self._gateway.delete(f"{self._url}/{quote(name, safe=':')}")
        if name in self.all():
            raise _not_done(name, "still lists it afterwards")
        return True

    def status(self, names: Sequence[str]) -> tuple[NodeStatus, ...]:
        """Return the state of the nodes *names*, or of all; IMS asks them now, one after the other."""
        if not names:
            found = self._gateway.get(f"{self._url}/{RESERVED}")
            return tuple(_status(item, self._url) for item in _list(found, self._url))
        return tuple(self._one(name) for name in names)

    def _one(self, name: str) -> NodeStatus:
        refuse_name(name)
        found = self._gateway.find(f"{self._url}/{RESERVED}/{quote(name, safe=':')}")
        if found is None:
            raise ProvisionerError(
                f"IMS has no remote build node {name}.",
                resolution=f"Add it with `crossbuild ims remote-build-nodes create {name}`.",
            )
        return _status(found, self._url)


def refuse_name(name: str) -> None:
    """Raise UsageError for what is no name of a host: IMS takes anything, and hands it to ssh."""
    if not HOST.fullmatch(name) or name == RESERVED:
        raise UsageError(
            f"{name!r} is no name of a node.",
            details="IMS takes any text, and then looks for a host of that name.",
            resolution="Name the node by its xname, such as x3000c0s19b4n0, or as a host name.",
        )


def _status(value: object, url: str) -> NodeStatus:
    if not isinstance(value, dict):
        raise _strange(url, value)
    jobs = value.get("numCurrentJobs")
    return NodeStatus(
        xname=_text(value, "xname", url),
        able=value.get("ableToRunJobs") is True,
        arch=str(value.get("nodeArch", "")),
        jobs=jobs if isinstance(jobs, int) else -1,
        ssh=str(value.get("sshStatus", "")),
        podman=str(value.get("podmanStatus", "")),
    )


def _list(value: object, url: str) -> list[object]:
    if not isinstance(value, list):
        raise _strange(url, value)
    return value


def _text(value: object, key: str, url: str) -> str:
    if not isinstance(value, dict) or not isinstance(value.get(key), str):
        raise _strange(url, value)
    return str(value[key])


def _not_done(name: str, what: str) -> ProvisionerError:
    return ProvisionerError(
        f"IMS said yes, and {what}: {name}.", resolution="Look into the log of the pod cray-ims."
    )


def _strange(url: str, value: object) -> ProvisionerError:
    return ProvisionerError(
        f"{url} answered with something that is no remote build node.",
        details=str(value)[:300],
        resolution="Check that `api` is the address of an IMS of CSM 1.5.1 or later.",
    )
