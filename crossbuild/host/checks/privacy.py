"""Whether an ordinary user can build here: tried by going where such builds go."""

from __future__ import annotations

from crossbuild.errors import HostNotReadyError
from crossbuild.host.namespace import enter_namespace
from crossbuild.model.host import Check, HostFacts, Status
from crossbuild.model.site import Site

NAME = "private namespace"


def enter_and_judge(site: Site, facts: HostFacts) -> tuple[HostFacts, tuple[Check, ...]]:
    """Make this process root of a private namespace where that is possible; it stays there.

    What is checked afterwards is what builds of this user will find. Returns the facts that hold then.
    """
    try:
        inside = enter_namespace(site, facts)
    except HostNotReadyError as error:
        status, remedy = Status.WARNING, error.resolution
        return facts, (
            Check(name=NAME, status=status, brief=error.brief, details=error.details, remedy=remedy),
        )
    brief = "Builds of this user run in a private namespace, with a handler of their own."
    return inside, (Check(name=NAME, status=Status.OK, brief=brief),)
