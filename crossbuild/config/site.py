"""The site's configuration: /etc/crossbuild/config.yaml, or the user's own file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crossbuild.config.remembered import key_of, recall, remember
from crossbuild.errors import SpecError
from crossbuild.model.builder import Mount
from crossbuild.model.ims import ImsAccess
from crossbuild.model.offload import OffloadDefaults, SlurmDefaults
from crossbuild.model.site import BuilderDefaults, RecipeDefaults, Site
from crossbuild.model.spec import AptRepository, Repository, RpmRepository

if TYPE_CHECKING:
    from crossbuild.config.schema import RepositorySection
    from crossbuild.config.site_schema import BuildersSection, ImsSection, OffloadSection, SlurmSection

SYSTEM_FILE = Path("/etc/crossbuild/config.yaml")
SYSTEM_STATE = Path("/var/lib/crossbuild")
SYSTEM_PREFIX = Path("/opt/ohpc-aarch64")
"""Where the users of cross-sms-aarch64 have their roots and their exported tree."""


def load_site(path: Path | None = None) -> Site:
    """Return the configuration in *path*, else the user's, else the system's, else the defaults.

    Raises SpecError if a file that was named is missing, or if one is wrong.
    """
    chosen = path or site_file()
    try:
        content = chosen.read_bytes() if chosen else b""
    except OSError as error:
        raise SpecError(f"Cannot read {chosen}.", details=str(error)) from error
    key = key_of(content, (chosen, os.geteuid(), _default_state()))
    site = recall(key)
    if site is None:
        site = _checked(chosen)
        remember(key, site)
    return site


def _checked(chosen: Path | None) -> Site:
    # Loaded here: what checks files takes longer to load than most of what a run does.
    from crossbuild.config.document import read_document, validate
    from crossbuild.config.site_schema import SiteFile

    section = validate(SiteFile, read_document(chosen), chosen) if chosen else SiteFile()
    for key in ("state", "prefix", "qemu", "tools"):
        value = getattr(section, key)
        if value is not None and not value.is_absolute():
            raise SpecError(f"{chosen} is not valid.", details=f"{key}: must be an absolute path")
    # Where the system's file puts state and roots only root may write: other users have places of their own.
    shared = chosen == SYSTEM_FILE and os.geteuid() != 0
    return Site(
        state=(None if shared else section.state) or _default_state(),
        prefix=(None if shared else section.prefix) or _default_prefix(),
        qemu=section.qemu,
        tools=section.tools,
        variables=tuple(sorted(section.variables.items())),
        repositories=tuple(
            (name, to_repositories(stanzas)) for name, stanzas in section.repositories.items()
        ),
        # The longest first: what says more wins.
        mirrors=tuple(sorted(section.mirrors.items(), key=lambda item: (-len(item[0]), item[0]))),
        builders=_builders(section.builders),
        ims=_to_ims(section.provisioners.ims),
        offload=_to_offload(section.offload),
        slurm=_to_slurm(section.slurm),
    )


def _builders(section: BuildersSection) -> BuilderDefaults:
    return BuilderDefaults(
        engine=section.engine,
        mounts=tuple(Mount.parse(text) for text in section.mounts),
        recipes=tuple(
            (
                name,
                RecipeDefaults(
                    base_image=recipe.base_image,
                    repositories=recipe.repositories,
                    openhpc=recipe.openhpc,
                    openhpc_sha256=recipe.openhpc_sha256,
                ),
            )
            for name, recipe in sorted(section.recipes.items())
        ),
    )


def site_file() -> Path | None:
    """Return the configuration that is read where none is named, None where there is none."""
    return next((file for file in candidates() if file.is_file()), None)


def candidates(named: Path | None = None) -> tuple[Path, ...]:
    """Return the files of which the first that exists is read: the one *named*, or the usual ones."""
    return (named.absolute(),) if named else (_user_file(), SYSTEM_FILE)


def to_repositories(stanzas: list[RepositorySection]) -> tuple[Repository, ...]:
    """Return the model values of a `repositories:` list."""
    return tuple(_to_repository(stanza) for stanza in stanzas)


def _to_repository(stanza: RepositorySection) -> Repository:
    if stanza.id is None:
        return AptRepository(
            uris=tuple(stanza.uris),
            suites=tuple(stanza.suites),
            components=tuple(stanza.components),
            signed_by=stanza.signed_by,
        )
    return RpmRepository(
        id=stanza.id,
        uris=tuple(stanza.uris),
        signed_by=stanza.signed_by,
        fingerprints=tuple(stanza.fingerprints),
        gpgcheck=stanza.gpgcheck,
        repo_gpgcheck=stanza.repo_gpgcheck,
    )


def _to_ims(section: ImsSection | None) -> ImsAccess | None:
    if section is None:
        return None
    return ImsAccess(
        api=section.api,
        gateway=section.gateway or section.api.removesuffix("/ims"),
        token_endpoint=section.token_endpoint or "",
        client_id=section.client_id or "",
        client_secret_file=section.client_secret_file,
        ca_bundle=section.ca_bundle,
        s3_endpoint=section.s3_endpoint,
        s3_credentials_file=section.s3_credentials_file,
        bucket=section.bucket,
        recipe_bucket=section.recipe_bucket,
        timeout=section.timeout,
    )


def _to_offload(section: OffloadSection) -> OffloadDefaults:
    return OffloadDefaults(on=section.to, fallback=section.fallback, patience=section.patience)


def _to_slurm(section: SlurmSection) -> SlurmDefaults:
    return SlurmDefaults(
        folder=section.folder,
        partition=section.partition,
        constraint=section.constraint,
        account=section.account,
        time=section.time,
        options=tuple(section.options),
    )


def _user_file() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "crossbuild/config.yaml"


def _default_state() -> Path:
    if os.geteuid() == 0:
        return SYSTEM_STATE
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "crossbuild"


def _default_prefix() -> Path:
    return SYSTEM_PREFIX if os.geteuid() == 0 else _default_state() / "prefix"
