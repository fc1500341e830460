"""Where packages come from: the spec's repositories, else what this host itself trusts (sources.list(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from crossbuild.distros.catalog import codenames
from crossbuild.distros.release import Release
from crossbuild.errors import HostNotReadyError
from crossbuild.model.architecture import Architecture
from crossbuild.model.spec import AptRepository, Repository

HOST_SOURCES = Path("/etc/apt")
POCKETS = ("", "-updates", "-security")
ONE_LINE = re.compile(
    r"deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)"
)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A source of this host, whatever the format of its file."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str
    architectures: tuple[str, ...]


def choose_sources(
    asked: tuple[Repository, ...], release: Release, arch: Architecture, folder: Path = HOST_SOURCES
) -> tuple[AptRepository, ...]:
    """Return *asked* if the spec names repositories, else this host's own for that release.

    A host that runs another release of the same distribution lends its mirrors under the other codename.
    Sources of third parties are left out. Raises HostNotReadyError if nothing is left.
    """
    named = tuple(repository for repository in asked if isinstance(repository, AptRepository))
    if named:
        return named
    found = tuple(_for_release(host_entries(folder), release, arch))
    if not found:
        raise HostNotReadyError(
            f"This host has no package sources for {release.title}.",
            details=f"None of the entries in {folder} is of {release.distro}.",
            resolution="Name them: `repositories:` in the spec, or the entry"
            f" `{release.distro}-{release.release}` of `repositories:` in /etc/crossbuild/config.yaml.",
        )
    return found


def as_deb822(repositories: Iterable[AptRepository]) -> str:
    """Return *repositories* in apt's deb822 format. Signatures are always checked: nothing says `Trusted`."""
    stanzas = []
    for repository in repositories:
        key = repository.signed_by.strip()
        if "\n" in key:
            key = "".join(f"\n {line or '.'}" for line in key.splitlines())
        fields = {
            "Types": "deb",
            "URIs": " ".join(repository.uris),
            "Suites": " ".join(repository.suites),
            "Components": " ".join(repository.components),
            "Signed-By": key,
        }
        stanzas.append("".join(f"{name}: {value}\n" for name, value in fields.items()))
    return "\n".join(stanzas)


def host_entries(folder: Path) -> Iterator[_Entry]:
    """Yield the enabled binary sources of this host in the order in which apt reads them."""
    parts = folder / "sources.list.d"
    for path in [folder / "sources.list", *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))]:
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            yield from (_deb822_entries if path.suffix == ".sources" else _one_line_entries)(text)


def _one_line_entries(text: str) -> Iterator[_Entry]:
    for line in text.splitlines():
        match = ONE_LINE.fullmatch(line.split("#")[0].strip())
        if match:
            options = dict(item.split("=", 1) for item in (match["options"] or "").split() if "=" in item)
            yield _Entry(
                uris=(match["uri"],),
                suites=(match["suite"],),
                components=tuple(match["components"].split()),
                signed_by=options.get("signed-by", ""),
                architectures=tuple(filter(None, options.get("arch", "").split(","))),
            )


def _deb822_entries(text: str) -> Iterator[_Entry]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no":
            yield _Entry(
                uris=tuple(fields.get("uris", "").split()),
                suites=tuple(fields.get("suites", "").split()),
                components=tuple(fields.get("components", "").split()),
                signed_by=fields.get("signed-by", ""),
                architectures=tuple(fields.get("architectures", "").split()),
            )


def _fields(stanza: str) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace() and name:
            fields[name] += "\n" + line.strip()
        elif ":" in line:
            name, value = (part.strip() for part in line.split(":", 1))
            name = name.lower()
            fields[name] = value
    return fields


def _for_release(entries: Iterable[_Entry], release: Release, arch: Architecture) -> Iterator[AptRepository]:
    names = {
        codename + pocket: release.apt.codename + pocket
        for codename in codenames(release.distro)
        for pocket in POCKETS
    }
    for entry in entries:
        suites = tuple(dict.fromkeys(names[suite] for suite in entry.suites if suite in names))
        if suites and (not entry.architectures or arch.debian in entry.architectures):
            yield AptRepository(
                uris=entry.uris,
                suites=suites,
                components=entry.components,
                signed_by=entry.signed_by or release.apt.keyring,
            )
