"""What crossbuild knows of one release of a distribution: values that `definitions/` fills in."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crossbuild.model.architecture import Architecture
from crossbuild.model.spec import RpmRepository


class Family(enum.StrEnum):
    """Distributions that share a package manager."""

    APT = "apt"
    DNF = "dnf"
    ZYPPER = "zypper"


class DatabaseBackend(enum.StrEnum):
    """In which form rpm keeps its database, as its macro `_db_backend` spells it."""

    BDB = "bdb"
    NDB = "ndb"
    SQLITE = "sqlite"


@dataclass(frozen=True, kw_only=True)
class RpmDatabase:
    """Where a release's own rpm looks for its database, and in which form; the host's may do otherwise."""

    path: str
    backend: DatabaseBackend


@dataclass(frozen=True, kw_only=True)
class KnownRepository:
    """A repository that a distribution publishes."""

    id: str
    uris: tuple[str, ...]
    """Base addresses, tried in this order; `$releasever` and `$basearch` are filled in (dnf.conf(5))."""
    vault: str = ""
    """Where it lies once the mirrors have dropped it: tried last."""
    key: str
    """Address of the keys that sign it; `$basearch` is filled in."""
    fingerprints: tuple[str, ...]
    """Of these keys. Empty where they are not known: then the site must name the keys that it trusts."""
    signs_metadata: bool
    """Whether repomd.xml has a signature of its own, as the packages have."""
    enabled: bool
    """Whether an image gets it without asking."""
    arches: tuple[Architecture, ...] = tuple(Architecture)

    def at(self, mirrors: Iterable[tuple[str, str]]) -> RpmRepository:
        """Return it as an image uses it, with what *mirrors* says instead of its addresses."""
        uris = (*self.uris, self.vault) if self.vault else self.uris
        return RpmRepository(
            id=self.id,
            uris=tuple(_mirrored(uri, mirrors) for uri in uris),
            signed_by=_mirrored(self.key, mirrors),
            fingerprints=self.fingerprints,
            gpgcheck=True,
            repo_gpgcheck=self.signs_metadata,
            arches=self.arches,
        )


@dataclass(frozen=True, kw_only=True)
class AptSource:
    """What apt needs to know of a release."""

    codename: str
    keyring: str
    """Keyring that signs it where a source of this host names none, a path on this host."""


@dataclass(frozen=True, kw_only=True)
class RpmSource:
    """What dnf or zypper needs to know of a release."""

    releasever: str
    """What `$releasever` stands for in addresses."""
    platform: str
    """dnf's `module_platform_id`; empty where there are no modules."""
    repositories: tuple[KnownRepository, ...]
    base: tuple[str, ...]
    """The smallest root: what Warewulf 3's wwmkchroot installs, by the names of this release."""
    database: RpmDatabase

    def chosen(self, extra: Iterable[str], mirrors: Iterable[tuple[str, str]]) -> tuple[RpmRepository, ...]:
        """Return the repositories of an image: what is always there, and *extra* by id."""
        named = set(extra)
        return tuple(
            repository.at(mirrors)
            for repository in self.repositories
            if repository.enabled or repository.id in named
        )


@dataclass(frozen=True, kw_only=True)
class Initramfs:
    """How a release calls its initramfs, and what makes one."""

    packages: tuple[str, ...]
    name: str
    """Below /boot; `{version}` stands for the kernel's."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release of one distribution."""

    distro: str
    release: str
    title: str
    family: Family
    source: AptSource | RpmSource
    kernel_packages: Mapping[Architecture, str]
    initramfs: Initramfs
    squashfs_compression: str
    """The best of mksquashfs' compressors that the release's own kernels read."""

    @property
    def apt(self) -> AptSource:
        """What apt needs, of a release of its family."""
        assert isinstance(self.source, AptSource)
        return self.source

    @property
    def rpm(self) -> RpmSource:
        """What dnf or zypper needs, of a release of their families."""
        assert isinstance(self.source, RpmSource)
        return self.source

    def kernel_package(self, arch: Architecture) -> str:
        """Name the package that brings the newest kernel of the release."""
        return self.kernel_packages[arch]


def _mirrored(address: str, mirrors: Iterable[tuple[str, str]]) -> str:
    for original, mirror in mirrors:
        if address.startswith(original):
            return mirror + address.removeprefix(original)
    return address
