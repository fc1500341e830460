"""What the user asked for, validated and complete: one image."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass

from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""Of images, roots and builders: Warewulf, IMS, container engines and file names all allow this."""


@dataclass(frozen=True, kw_only=True)
class AptRepository:
    """A package repository, as one stanza of apt's deb822 format (sources.list(5))."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str
    """Path on this host of the keyring whose keys may sign it, or an armoured key block itself."""


@dataclass(frozen=True, kw_only=True)
class RpmRepository:
    """A package repository, as one section of a .repo file (dnf.conf(5), zypper(8))."""

    id: str
    uris: tuple[str, ...]
    """Base addresses, tried in this order; they may hold the variables of dnf.conf(5)."""
    signed_by: str
    """The keys that may sign it: a path on this host, an address, or an armoured key block itself."""
    fingerprints: tuple[str, ...]
    """Of those keys, only these count; empty: all of them. An address needs them."""
    gpgcheck: bool
    """Whether each package must be signed."""
    repo_gpgcheck: bool
    """Whether its metadata must be signed."""
    arches: tuple[Architecture, ...] = tuple(Architecture)
    """What it is for."""


Repository = AptRepository | RpmRepository


@dataclass(frozen=True, kw_only=True)
class KernelSpec:
    """The kernel of the image and what of it the Warewulf 3 bootstrap carries."""

    package: str
    drivers: tuple[str, ...]
    """Module names, or prefixes of paths below the module folder such as `kernel/drivers/net/`."""
    firmware: tuple[str, ...]
    """Shell patterns below `lib/firmware`."""
    modprobe: tuple[str, ...]
    """Modules, with options, that the Warewulf 3 initramfs loads by name."""
    args: str
    """The kernel command line."""


@dataclass(frozen=True, kw_only=True)
class MountSpec:
    """A line of the image's fstab(5)."""

    source: str
    target: str
    type: str
    options: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """A system account made before any package is installed, with the ids it has on this host."""

    name: str
    uid: int
    gid: int
    group: str
    gecos: str
    home: str
    shell: str


@dataclass(frozen=True, kw_only=True)
class FileSpec:
    """A file of the image, its content already rendered."""

    target: str
    content: bytes
    mode: int
    owner: str
    group: str


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """systemd units that are enabled or disabled in the image."""

    enable: tuple[str, ...]
    disable: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ImportedBase:
    """A root or an image that is there already, on which packages are installed."""

    path: str
    """On this host."""
    digest: str
    """Of what it holds."""


@dataclass(frozen=True, kw_only=True)
class CheckFile:
    """A file for pytest with testinfra, which `crossbuild boot` runs against the booted machine."""

    name: str
    content: str


@dataclass(frozen=True, kw_only=True)
class ImageSpec:
    """What the user asked for; every field is already validated and defaulted."""

    name: str
    distro: str
    release: str
    arch: Architecture
    repositories: tuple[Repository, ...]
    """All of one kind, that of the distribution's family. Empty, for apt: this host's own sources for that
    release."""
    packages: tuple[str, ...]
    kernel: KernelSpec | None
    mounts: tuple[MountSpec, ...]
    accounts: tuple[Account, ...]
    services: ServiceSpec
    files: tuple[FileSpec, ...]
    commands: tuple[str, ...]
    """Run by `/bin/sh -e -c` inside the root, in this order, after everything else is in place."""
    outputs: tuple[OutputKind, ...]
    openhpc: tuple[str, ...] = ()
    """Packages of the groups of OpenHPC that were asked for, installed like `packages`."""
    base: ImportedBase | None = None
    """In place of the distribution's smallest root."""
    checks: tuple[str, ...] = ()
    """Commands that must succeed in the booted machine, run by `/bin/sh -e -c`."""
    tests: tuple[CheckFile, ...] = ()

    @property
    def unverified(self) -> tuple[str, ...]:
        """Ids of repositories whose packages nobody need have signed."""
        of_rpm = (one for one in self.repositories if isinstance(one, RpmRepository))
        return tuple(one.id for one in of_rpm if not one.gpgcheck)

    @property
    def digest(self) -> str:
        """Same request, same digest; where a base lies does not count."""
        return digest_of({**asdict(self), "base": self.base and self.base.digest})


def is_name(text: str) -> bool:
    """Say whether *text* can name an image, a root or a builder."""
    return bool(NAME.fullmatch(text)) and ".." not in text


def is_address(key: str) -> bool:
    """Say whether *key*, of a repository, has to be fetched; otherwise it is on this host."""
    return key.startswith(("http://", "https://"))


def digest_of(value: object) -> str:
    """Return the sha256 of *value* in a canonical JSON form."""
    canonical = json.dumps(value, sort_keys=True, default=_as_text)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _as_text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
