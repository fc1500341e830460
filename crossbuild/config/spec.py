"""A spec file becomes an ImageSpec: variables filled in, files read, accounts looked up."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Mapping
from pathlib import Path

from crossbuild import resources
from crossbuild.config.document import read_document, validate
from crossbuild.config.schema import FileSection, KernelSection, SpecFile
from crossbuild.config.site import to_repositories
from crossbuild.distros import catalog
from crossbuild.errors import SpecError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind
from crossbuild.model.site import Site
from crossbuild.model.spec import Account, FileSpec, ImageSpec, KernelSpec, MountSpec, ServiceSpec

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
    if section.openhpc is not None:
        raise SpecError(
            f"{path} is not valid.",
            details=f"openhpc: OpenHPC publishes no packages for {distro.title}",
            resolution="Remove the key, or choose a distribution that OpenHPC supports.",
        )
    own = to_repositories(section.repositories)
    return ImageSpec(
        name=section.name,
        distro=section.distro,
        release=section.release,
        arch=section.arch,
        repositories=own or dict(site.repositories).get(f"{section.distro}-{section.release}", ()),
        packages=tuple(section.packages),
        kernel=_kernel(section.kernel, distro, section.arch) if section.kernel else None,
        mounts=tuple(MountSpec(**mount.model_dump()) for mount in section.mounts),
        accounts=tuple(_account(name, index, path) for index, name in enumerate(section.users.sync)),
        services=ServiceSpec(enable=tuple(section.services.enable), disable=tuple(section.services.disable)),
        files=tuple(_file(file, index, path, variables) for index, file in enumerate(section.files)),
        commands=tuple(section.commands),
        outputs=_outputs(section),
    )


def files_of(path: Path, site: Site) -> tuple[Path, ...]:
    """Return the files of this host that the spec in *path* is made of, itself first; raise SpecError."""
    section = _section(read_document(path), path, site)
    sources = (path.parent / file.source for file in section.files if file.source is not None)
    accounts = ACCOUNT_FILES if section.users.sync else ()
    return tuple(dict.fromkeys((path, *sources, *accounts)))


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


def _kernel(section: KernelSection, distro: catalog.Release, arch: Architecture) -> KernelSpec:
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
