"""Where OpenHPC's packages come from at this site, and whose keys are believed."""

from __future__ import annotations

from crossbuild.distros.openhpc.choice import OpenHpcChoice
from crossbuild.distros.release import Release, filled
from crossbuild.errors import SpecError
from crossbuild.model.architecture import Architecture
from crossbuild.model.site import Site
from crossbuild.model.spec import RpmRepository, is_address


def sources_of(
    choice: OpenHpcChoice, distro: Release, arch: Architecture, site: Site
) -> tuple[RpmRepository, ...]:
    """Return OpenHPC's own package sources: what the site has for its series, else what OpenHPC publishes."""
    named = dict(site.repositories).get(f"openhpc-{choice.series}", ())
    own = tuple(repository for repository in named if isinstance(repository, RpmRepository))
    if own:
        return tuple(filled(repository, distro.rpm.releasever, arch) for repository in own)
    return tuple(
        repository.filled(distro.rpm.releasever, arch, site.mirrors) for repository in choice.repositories
    )


def refuse_unknown_keys(repositories: tuple[RpmRepository, ...]) -> None:
    """Raise SpecError for a source whose keys would have to be fetched and that nobody knows beforehand."""
    for repository in repositories:
        if is_address(repository.signed_by) and not repository.fingerprints:
            raise SpecError(
                f"crossbuild does not know the key of the package source `{repository.id}`.",
                details=f"Any key that {repository.signed_by} gives would have to be believed.",
                resolution="Get the key from where you trust it, and name its file as `signed_by` of that"
                " source under `repositories:` of the configuration. docs/how-to/openhpc/keys.md shows it.",
            )
