"""Where OpenHPC's packages come from at this site."""

from __future__ import annotations

from crossbuild.distros.openhpc.choice import OpenHpcChoice
from crossbuild.errors import SpecError
from crossbuild.model.site import Site
from crossbuild.model.spec import RpmRepository


def sources_of(choice: OpenHpcChoice, site: Site) -> tuple[RpmRepository, ...]:
    """Return what the site has for the series, else what OpenHPC publishes.

    Raises SpecError where the site's entry is not for RPM packages.
    """
    entry = f"openhpc-{choice.series}"
    named = dict(site.repositories).get(entry, ())
    own = tuple(repository for repository in named if isinstance(repository, RpmRepository))
    if len(own) < len(named):
        raise SpecError(
            "The configuration is not valid.",
            details=f"repositories.{entry}: each entry needs an `id`, as OpenHPC has RPM packages alone",
            resolution="docs/reference/configuration.md tells what an entry needs.",
        )
    return own or tuple(repository.at(site.mirrors) for repository in choice.repositories)
