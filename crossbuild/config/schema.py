"""The keys of a spec and of the site's configuration; docs/reference/spec.md explains each of them."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind
from crossbuild.model.spec import is_address, is_name

PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]+(:[a-z0-9]+)?(=[A-Za-z0-9.+~^_:-]+)?")
ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]+")
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]*")
FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError(
            "must be 1 to 64 letters, digits, `_`, `.` or `-`, begin with a letter or digit, and hold no `..`"
            " (Warewulf, IMS and file names all allow this)"
        )
    return value


def _package(value: str) -> str:
    if not PACKAGE.fullmatch(value):
        raise ValueError(f"{value!r} is not a package name")
    return value


def _account(value: str) -> str:
    if not ACCOUNT.fullmatch(value):
        raise ValueError(f"{value!r} is not an account name")
    return value


def _unit(value: str) -> str:
    if not UNIT.fullmatch(value):
        raise ValueError(f"{value!r} is not a unit name")
    return value


def _repository(value: str) -> str:
    if not REPOSITORY.fullmatch(value):
        raise ValueError(f"{value!r} is not the id of a repository")
    return value


def _fingerprint(value: str) -> str:
    fingerprint = value.replace(" ", "").upper()
    if not FINGERPRINT.fullmatch(fingerprint):
        raise ValueError("must be the whole fingerprint of a key, as `gpg --show-keys` prints it")
    return fingerprint


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute() or ".." in path.parts or _has_control(value):
        raise ValueError("must be an absolute path inside the image, without `..` or control characters")
    return str(path)


def _mode(value: str) -> str:
    if not re.fullmatch(r"0?[0-7]{3,4}", value):
        raise ValueError("must be an octal mode in quotes, such as '0644'")
    return value


def _one_field(value: str) -> str:
    if not value or re.search(r"\s", value):
        raise ValueError("must not be empty or hold white space: it becomes a field of fstab(5)")
    return value


def _one_line(value: str) -> str:
    if _has_control(value):
        raise ValueError("must be one line without control characters")
    return value


def _has_control(value: str) -> bool:
    return any(ord(character) < 32 or ord(character) == 127 for character in value)


ImageName = Annotated[str, AfterValidator(_name)]
PackageName = Annotated[str, AfterValidator(_package)]
AccountName = Annotated[str, AfterValidator(_account)]
UnitName = Annotated[str, AfterValidator(_unit)]
RepositoryId = Annotated[str, AfterValidator(_repository)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
InsidePath = Annotated[str, AfterValidator(_inside)]
Mode = Annotated[str, AfterValidator(_mode)]
Word = Annotated[str, AfterValidator(_one_field)]
Line = Annotated[str, AfterValidator(_one_line)]


class Section(BaseModel):
    """Part of a file: unknown keys are errors, and nothing is converted to make it fit."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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
    outputs: list[Annotated[OutputKind, Field(strict=False)]] | None = None

    @model_validator(mode="after")
    def _outputs_need_a_kernel(self) -> Self:
        needing = [kind for kind in self.outputs or () if kind is not OutputKind.WAREWULF4]
        if self.kernel is False and needing:
            raise ValueError(
                f"`outputs` asks for {needing[0]}, which boots the image's kernel: `kernel: false` forbids it"
            )
        return self


class SiteFile(Section):
    """`/etc/crossbuild/config.yaml`."""

    state: Annotated[Path, Field(strict=False)] | None = None
    prefix: Annotated[Path, Field(strict=False)] | None = None
    qemu: Annotated[Path, Field(strict=False)] | None = None
    variables: dict[str, str] = {}
    repositories: dict[str, list[RepositorySection]] = {}
    mirrors: dict[Word, Word] = {}
