"""Where a build is to run, asked of this host and its records."""

from __future__ import annotations

from crossbuild.errors import UsageError
from crossbuild.host.facts import inspect_host
from crossbuild.model.offload import AUTO, LOCAL
from crossbuild.model.plan import Venue
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec
from crossbuild.nodes.store import NodeStore
from crossbuild.planning.venues import choose_venue


def venue_of(spec: ImageSpec, site: Site, *, emulator_only: bool = False) -> Venue:
    """Return where the root of *spec* is to be made; raise UsageError where that cannot be."""
    on = site.offload.on
    if emulator_only and on not in {AUTO, LOCAL}:
        raise UsageError(f"Nothing is emulated on {on}.", resolution="Leave out `--emulator-only`.")
    host = inspect_host()
    return choose_venue(LOCAL if emulator_only else on, spec.arch, host, NodeStore(site.state).all())
