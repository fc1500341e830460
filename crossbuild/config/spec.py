"""A spec file becomes an ImageSpec: variables filled in, files read, accounts looked up."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from crossbuild import resources
from crossbuild.config.document import read_document, validate
from crossbuild.config.openhpc import sources_of
from crossbuild.config.schema import CheckSection, FileSection, KernelSection, SpecFile
from crossbuild.config.site import to_repositories
from crossbuild.distros import catalog
from crossbuild.distros.openhpc.choice import OpenHpcChoice, choose
from crossbuild.distros.release import Family, Release
from crossbuild.errors import SpecError, StorageError
from crossbuild.host.digests import content_digest
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind
from crossbuild.model.site import Site
from crossbuild.model.spec import (
    Account,
    AptRepository,
    CheckFile,
    FileSpec,
    ImageSpec,
    ImportedBase,
    KernelSpec,
    MountSpec,
    Repository,
    RpmRepository,
    ServiceSpec,
)

Kind = TypeVar("Kind", AptRepository, RpmRepository)

ACCOUNT_FILES = (Path("/etc/passwd"), Path("/etc/group"))
"""Where accounts of this host are, but for those of a directory service."""


def load_spec(path: Path, site: Site) -> ImageSpec:
    """Return the spec in *path*, complete; raise SpecError naming each wrong key by its path."""
    return spec_from(read_document(path), path, site)


def spec_from(document: Mapping[str, object], path: Path, site: Site) -> ImageSpec:
    """Return the spec that *document* describes; *path* names it in errors and is where its files lie."""
    variables = dict(site.variables)
    section = _section(document, path, site)
    distro = catalog.lookup(section.distro, section.release)
    asked = section.openhpc
    openhpc = choose(asked.release, distro, asked.groups, section.arch) if asked else None
    return ImageSpec(
        name=section.name,
        distro=section.distro,
        release=section.release,
        arch=section.arch,
        repositories=_repositories(section, distro, openhpc, path, site),
        packages=tuple(section.packages),
        kernel=_kernel(section.kernel, distro, section.arch) if section.kernel else None,
        mounts=tuple(MountSpec(**mount.model_dump()) for mount in section.mounts),
        accounts=tuple(_account(name, index, path) for index, name in enumerate(section.users.sync)),
        services=ServiceSpec(enable=tuple(section.services.enable), disable=tuple(section.services.disable)),
        files=tuple(_file(file, index, path, variables) for index, file in enumerate(section.files)),
        commands=tuple(section.commands),
        outputs=_outputs(section),
        openhpc=openhpc.packages if openhpc else (),
        base=_base(section.base, path) if section.base else None,
        checks=tuple(check for check in section.checks if isinstance(check, str)),
        tests=_tests(section, path),
    )


def files_of(path: Path, site: Site) -> tuple[Path, ...]:
    """Return the files of this host that the spec in *path* is made of, itself first; raise SpecError."""
    section = _section(read_document(path), path, site)
    sources = [path.parent / file.source for file in section.files if file.source is not None]
    sources += [path.parent / check.testinfra for check in section.checks if isinstance(check, CheckSection)]
    accounts = ACCOUNT_FILES if section.users.sync else ()
    # A folder's time tells nothing of the files below it.
    base = [place] if section.base and (place := path.parent / section.base).is_file() else []
    return tuple(dict.fromkeys((path, *sources, *accounts, *base)))


def openhpc_of(path: Path, site: Site, groups: Sequence[str] = ()) -> OpenHpcChoice:
    """Return what *groups* are for the spec in *path*, by default its own groups; raise SpecError."""
    section = _section(read_document(path), path, site)
    if section.openhpc is None:
        raise SpecError(
            f"{path} asks for nothing of OpenHPC.",
            resolution="Add the key `openhpc`, with the release that it is to be.",
        )
    distro = catalog.lookup(section.distro, section.release)
    return choose(section.openhpc.release, distro, groups or section.openhpc.groups, section.arch)


def _section(document: Mapping[str, object], path: Path, site: Site) -> SpecFile:
    return validate(SpecFile, _filled(document, dict(site.variables), path, ""), path)


def _filled(value: object, variables: Mapping[str, str], path: Path, place: str) -> object:
    """Fill in `{{ }}` in every text of a document, but for the content of files, which has its own rule."""
    if isinstance(value, str) and "{{" in value:
        return resources.render_text(value, variables, origin=f"{path}: {place.removeprefix('.')}")
    if isinstance(value, list):
        return [_filled(item, variables, path, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: _filled(item, variables, path, f"{place}.{key}") for key, item in value.items()}
    return value


def _repositories(
    section: SpecFile, distro: Release, openhpc: OpenHpcChoice | None, path: Path, site: Site
) -> tuple[Repository, ...]:
    """Return the spec's own sources, else the site's, else for dnf and zypper what the distribution has.

    OpenHPC's come after them, unless the spec names its sources itself.
    """
    named = to_repositories(section.repositories)
    found = named or dict(site.repositories).get(f"{section.distro}-{section.release}", ())
    if distro.family is Family.APT:
        _refuse_extra(section, frozenset(), distro, path)
        return _all_of_kind(AptRepository, found, distro, path)
    own = _all_of_kind(RpmRepository, found, distro, path)
    extra = (*section.extra_repositories, *(openhpc.extra if openhpc else ()))
    usable = own or distro.rpm.chosen(extra, site.mirrors)
    ids = frozenset(repository.id for repository in usable if section.arch in repository.arches)
    _refuse_extra(section, ids, distro, path)
    return (*usable, *sources_of(openhpc, site)) if openhpc and not named else usable


def _all_of_kind(
    kind: type[Kind], found: tuple[Repository, ...], distro: Release, path: Path
) -> tuple[Kind, ...]:
    matching = tuple(repository for repository in found if isinstance(repository, kind))
    if len(matching) < len(found):
        raise SpecError(
            f"{path} is not valid.",
            details=f"repositories: not all of them are for {distro.family}, which {distro.title} needs",
            resolution="docs/reference/spec.md tells what an entry needs.",
        )
    return matching


def _refuse_extra(section: SpecFile, usable: frozenset[str], distro: Release, path: Path) -> None:
    unknown = [name for name in section.extra_repositories if name not in usable]
    if unknown:
        raise SpecError(
            f"{path} is not valid.",
            details=f"extra_repositories: {distro.title} has no `{unknown[0]}` for {section.arch}",
            resolution="Correct the name, or describe the repository in `repositories:`.",
        )


def _kernel(section: KernelSection, distro: Release, arch: Architecture) -> KernelSpec:
    return KernelSpec(
        package=section.package or distro.kernel_package(arch),
        drivers=tuple(section.drivers),
        firmware=tuple(section.firmware),
        modprobe=tuple(section.modprobe),
        args=section.args if section.args is not None else f"console={arch.console},115200",
    )


def _outputs(section: SpecFile) -> tuple[OutputKind, ...]:
    if section.outputs is not None:
        return tuple(dict.fromkeys(section.outputs))
    return tuple(OutputKind) if section.kernel else (OutputKind.WAREWULF4,)


def _base(name: str, path: Path) -> ImportedBase:
    place = (path.parent / name).absolute()
    try:
        return ImportedBase(path=str(place), digest=content_digest(place))
    except (OSError, StorageError) as error:
        raise SpecError(
            f"{path} names a base that cannot be read.",
            details=f"base: {error}",
            resolution="Give a folder or a file that this user may read, whole.",
        ) from error


def _account(name: str, index: int, path: Path) -> Account:
    try:
        entry = pwd.getpwnam(name)
        group = grp.getgrgid(entry.pw_gid).gr_name
    except KeyError as error:
        raise SpecError(
            f"{path} asks for an account that this host does not have.",
            details=f"users.sync[{index}]: {name}",
            resolution=f"Create `{name}` on this host first: its nodes must use the same ids.",
        ) from error
    return Account(
        name=name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        group=group,
        gecos=entry.pw_gecos,
        home=entry.pw_dir,
        shell=entry.pw_shell,
    )


def _file(section: FileSection, index: int, path: Path, variables: Mapping[str, str]) -> FileSpec:
    return FileSpec(
        target=section.target,
        content=_content(section, index, path, variables),
        mode=int(section.mode, 8),
        owner=section.owner,
        group=section.group,
    )


def _tests(section: SpecFile, path: Path) -> tuple[CheckFile, ...]:
    found = []
    for index, check in enumerate(section.checks):
        if isinstance(check, CheckSection):
            source = path.parent / check.testinfra
            try:
                found.append(CheckFile(name=source.name, content=source.read_text(encoding="utf-8")))
            except (OSError, UnicodeDecodeError) as error:
                raise SpecError(
                    f"{path} names a file that cannot be read.",
                    details=f"checks[{index}].testinfra: {error}",
                ) from error
    return tuple(found)


def _content(section: FileSection, index: int, path: Path, variables: Mapping[str, str]) -> bytes:
    if (section.source is None) == (section.content is None):
        raise SpecError(f"{path} is not valid.", details=f"files[{index}]: give either `source` or `content`")
    if section.source is None:
        return str(section.content).encode()
    source = path.parent / section.source
    try:
        content = source.read_bytes()
        if source.suffix != ".j2":
            return content
        return resources.render_text(content.decode(), variables, origin=str(source)).encode()
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"{path} names a file that cannot be read.", details=f"files[{index}].source: {error}"
        ) from error
