"""The keys of a spec; docs/reference/spec.md explains each of them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from crossbuild.config.values import (
    AccountName,
    Fingerprint,
    ImageName,
    InsidePath,
    Line,
    Mode,
    PackageName,
    RepositoryId,
    Section,
    UnitName,
    Word,
)
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind
from crossbuild.model.spec import is_address


class RepositorySection(Section):
    """An entry of `repositories:`: for apt with `suites`, for dnf and zypper with an `id`."""

    id: RepositoryId | None = None
    uris: list[Word] = Field(min_length=1)
    suites: list[Word] = []
    components: list[Word] = []
    signed_by: str = ""
    fingerprints: list[Fingerprint] = []
    gpgcheck: bool = True
    repo_gpgcheck: bool = False

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        of_apt = (self.suites, self.components)
        if self.id is None and not (all(of_apt) and self.signed_by):
            raise ValueError(
                "needs `suites`, `components` and `signed_by` for apt, or an `id` for dnf and zypper"
            )
        if self.id is None and (self.fingerprints or not self.gpgcheck or self.repo_gpgcheck):
            raise ValueError(
                "`fingerprints`, `gpgcheck` and `repo_gpgcheck` are for dnf and zypper: give an `id`"
            )
        if self.id is not None and any(of_apt):
            raise ValueError("has an `id`, for dnf and zypper: `suites` and `components` are for apt")
        if (self.gpgcheck or self.repo_gpgcheck) and not self.signed_by:
            raise ValueError("needs `signed_by`, or both `gpgcheck: false` and `repo_gpgcheck: false`")
        if is_address(self.signed_by) and not self.fingerprints:
            raise ValueError("`signed_by` is an address: `fingerprints` must say which keys it may give")
        return self


class KernelSection(Section):
    """`kernel:`."""

    package: PackageName | None = None
    drivers: list[Word] = []
    firmware: list[Word] = []
    modprobe: list[Line] = []
    args: Line | None = None


class MountSection(Section):
    """An entry of `mounts:`."""

    source: Word
    target: InsidePath
    type: Word
    options: Word = "defaults"


class UsersSection(Section):
    """`users:`."""

    sync: list[AccountName] = []


class ServicesSection(Section):
    """`services:`."""

    enable: list[UnitName] = []
    disable: list[UnitName] = []


class FileSection(Section):
    """An entry of `files:`."""

    source: str | None = None
    content: str | None = None
    target: InsidePath
    mode: Mode = "0644"
    owner: AccountName = "root"
    group: AccountName = "root"


class CheckSection(Section):
    """An entry of `checks:` that names a file."""

    testinfra: str


class OpenHpcSection(Section):
    """`openhpc:`."""

    release: str
    groups: list[str] = []


class SpecFile(Section):
    """A spec."""

    name: ImageName
    distro: str
    release: str
    # Not strict: YAML has text where the enumeration is meant.
    arch: Annotated[Architecture, Field(strict=False)] = Architecture.AARCH64
    base: Annotated[str, Field(min_length=1)] | None = None
    openhpc: OpenHpcSection | None = None
    repositories: list[RepositorySection] = []
    extra_repositories: list[RepositoryId] = []
    packages: list[PackageName] = []
    kernel: KernelSection | Literal[False] = KernelSection()
    mounts: list[MountSection] = []
    users: UsersSection = UsersSection()
    services: ServicesSection = ServicesSection()
    files: list[FileSection] = []
    commands: list[Line] = []
    checks: list[Line | CheckSection] = []
    outputs: list[Annotated[OutputKind, Field(strict=False)]] | None = None

    @model_validator(mode="after")
    def _outputs_need_a_kernel(self) -> Self:
        needing = [kind for kind in self.outputs or () if kind is not OutputKind.WAREWULF4]
        if self.kernel is False and needing:
            raise ValueError(
                f"`outputs` asks for {needing[0]}, which boots the image's kernel: `kernel: false` forbids it"
            )
        return self
