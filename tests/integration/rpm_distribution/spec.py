"""Writes the spec file of a whole distribution: every package is a subpackage of one source package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crossbuild.host.command import environment
from crossbuild.model.architecture import Architecture
from tests.integration.rpm_distribution.debs import Deb, rpm_version
from tests.integration.rpm_distribution.dependencies import Dependencies
from tests.integration.rpm_distribution.layout import LIB64
from tests.integration.rpm_distribution.table import Like, Row

EPOCH = 1_700_000_000
"""SOURCE_DATE_EPOCH of every package and index."""
RELEASE_SUFFIX: Mapping[Like, str] = {Like.EL: "el9", Like.SUSE: "lp155"}
SPECIAL = re.compile(r"[\\*{}\" ]")
"""Characters that mean more than themselves in a list of files, and cannot be quoted there."""
HEADER = """\
Name: distribution
Version: 1
Release: 1
Summary: The source of every package
License: various
%description
Nothing of its own.
"""


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What Debian's archive does not tell about a file, or tells otherwise."""

    mode: str
    owner: str
    group: str
    directive: str = ""
    """Such as `%caps(cap_net_raw=p)`, `%ghost`, `%config(noreplace)`."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What goes into the spec besides the repacked packages."""

    macros: str
    fragments: Sequence[str]
    """Parts of specs, which stay as they are."""
    attributes: Mapping[str, Attributes]
    install: str
    """A script that fills the build root."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What one RPM package is made of."""

    row: Row
    debs: tuple[Deb, ...]
    dependencies: tuple[Dependencies, ...]
    files: frozenset[str]
    """Relative to the root."""
    folders: frozenset[str]

    def joined(self, other: Content) -> Content:
        """Return what one package has whose files are in two rows; the version is that of this one."""
        return replace(
            self,
            debs=tuple(dict.fromkeys((*self.debs, *other.debs))),
            dependencies=tuple(dict.fromkeys((*self.dependencies, *other.dependencies))),
            files=self.files | other.files,
            folders=self.folders | other.folders,
        )


def render_spec(
    contents: Iterable[Content],
    like: Like,
    parts: Parts,
) -> str:
    """Return the whole spec."""
    contents = tuple(contents)
    # A package that takes a few files of another does not replace it.
    whole = (content for content in contents if not content.row.only)
    owners = {deb.name: content.row.name for content in whole for deb in content.debs}
    packages = (_render_package(content, owners, like, parts.attributes) for content in contents)
    return "\n".join([parts.macros, HEADER, *packages, "%install", parts.install, *parts.fragments])


def read_attributes(text: str) -> Mapping[str, Attributes]:
    """Return the lines `path mode owner group [directive]` of *text* by path."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            path, mode, owner, group, *directive = line.split(maxsplit=4)
            found[path] = Attributes(mode=mode, owner=owner, group=group, directive="".join(directive))
    return found


def _render_package(
    content: Content, owners: Mapping[str, str], like: Like, attributes: Mapping[str, Attributes]
) -> str:
    name = content.row.name
    version, release = rpm_version(content.debs[0].version)
    lines = [
        f"%package -n {name}",
        f"Version: {version}",
        f"Release: {release}.{RELEASE_SUFFIX[like]}",
        f"Summary: {name}, made from {' '.join(deb.name for deb in content.debs)}",
        # They were asked for already: rpmbuild would start a process for each file.
        "AutoReqProv: no",
        *content.row.preamble,
        *(f"Provides: {provided}" for found in content.dependencies for provided in found.provides),
        *(f"Requires: {needed}" for found in content.dependencies for needed in found.requires),
        *(f"Requires: {other}" for other in _required(content, owners)),
        f"%description -n {name}",
        "For tests.",
        f"%files -n {name}",
        "%defattr(-,root,root,-)",
        *(f"%dir {_listed(path)}" for path in sorted(content.folders)),
        *(_file_line(path, attributes) for path in sorted(content.files)),
        *content.row.files,
        *(_cache_scriptlets(name) if like is Like.SUSE and _is_library(content) else ()),
    ]
    return "\n".join(lines) + "\n"


def _is_library(content: Content) -> bool:
    return content.row.name.startswith("lib") and any(path.startswith(LIB64) for path in content.files)


def _cache_scriptlets(name: str) -> tuple[str, ...]:
    """openSUSE runs ldconfig for each package of libraries, Enterprise Linux once for all of them."""
    return (f"%post -n {name} -p /sbin/ldconfig", f"%postun -n {name} -p /sbin/ldconfig")


def _required(content: Content, owners: Mapping[str, str]) -> tuple[str, ...]:
    """Of alternatives the first that is there; what nobody has is Debian's own affair."""
    found = []
    for deb in content.debs:
        for alternatives in deb.depends:
            owner = next((owners[name] for name in alternatives if name in owners), None)
            if owner and owner != content.row.name:
                found.append(owner)
    return tuple(sorted(set(found)))


def _file_line(path: str, attributes: Mapping[str, Attributes]) -> str:
    given = attributes.get(f"/{path}")
    if given:
        return f"%attr({given.mode},{given.owner},{given.group}) {given.directive} {_listed(path)}"
    if path.startswith("etc/"):
        return f"%config(noreplace) {_listed(path)}"
    return _listed(path)


def _listed(path: str) -> str:
    return "/" + SPECIAL.sub("?", path).replace("%", "%%")


def render_install(trees: Sequence[Path], script: str) -> str:
    """Return a script that puts *trees* into the build root, later ones on top, and then does *script*."""
    copies = (f"cp --archive --remove-destination {tree}/. %{{buildroot}}/" for tree in trees)
    return "\n".join(["mkdir --parents %{buildroot}", *copies, script])


def rpmbuild_command(spec: Path, work: Path, rpms: Path, arch: Architecture) -> list[str]:
    """Return the command line that makes every package of *spec* below *rpms*."""
    macros = {
        "_topdir": str(work),
        "_rpmdir": str(rpms),
        "_build_name_fmt": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        "_binary_payload": "w1.gzdio",
        "_buildhost": "localhost",
        "_buildshell": "/bin/bash",
        "_build_id_links": "none",
        "_unpackaged_files_terminate_build": "0",
        "__os_install_post": "%{nil}",
        "__check_files": "%{nil}",
        "debug_package": "%{nil}",
        "use_source_date_epoch_as_buildtime": "1",
        "clamp_mtime_to_source_date_epoch": "1",
    }
    defines = (word for name, value in macros.items() for word in ("--define", f"{name} {value}"))
    return ["rpmbuild", "-bb", "--target", f"{arch}-linux", *defines, str(spec)]


def reproducible() -> dict[str, str]:
    """Return the environment of whatever writes bytes that are kept."""
    return environment({"SOURCE_DATE_EPOCH": str(EPOCH)})
