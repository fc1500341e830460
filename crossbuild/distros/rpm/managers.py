"""dnf and zypper: the command lines of each, and what their answers say."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from crossbuild.distros.release import Family, Release
from crossbuild.distros.rpm.repositories import CACHE
from crossbuild.model.plan import ROOT, WORK, PinnedPackage
from crossbuild.model.spec import ImageSpec

COLUMNS = 6
"""Of dnf's table: name, architecture, version, repository, size, unit. A long word breaks the line."""
TAG = re.compile(r"</?(?:description|message|option|progress|prompt|stream|text)\b[^>]*>|<\?xml[^>]*>")
SOLVABLE = re.compile(r'<solvable type="package" name="(?P<name>[^"]+)" edition="(?P<version>[^"]+)"')


@dataclass(frozen=True, kw_only=True)
class Manager:
    """One package manager; words are as in the steps of a plan, with ROOT and WORK in them."""

    program: str
    common: Callable[[ImageSpec, Release], tuple[str, ...]]
    """How every one of its command lines begins."""
    refresh: tuple[str, ...]
    install: tuple[str, ...]
    simulate: tuple[str, ...]
    simulated: Callable[[str], Iterator[PinnedPackage]]
    """What the answer to *simulate* lists."""
    declined: str
    """What that answer says where it could be done; the exit status may be another than 0 then."""
    download: tuple[str, ...]
    names: tuple[str, ...]
    """Asks for every package there is."""
    named: re.Pattern[str]
    """Finds their names in the answer."""
    search: tuple[str, ...]
    """Asks for the repositories of a package."""
    found_in: re.Pattern[str]
    """Finds them in the answer."""
    metadata: str
    """Pattern of a repository's repomd.xml in the cache; `{id}` stands for the repository."""
    handled: re.Pattern[str]


def _dnf(spec: ImageSpec, release: Release) -> tuple[str, ...]:
    return (
        "dnf",
        f"--config={WORK}/rpm/dnf.conf",
        f"--installroot={ROOT}",
        f"--forcearch={spec.arch}",
        f"--releasever={release.rpm.releasever}",
        "--noplugins",  # the host's may change what is installed
    )


def _zypper(_spec: ImageSpec, release: Release) -> tuple[str, ...]:
    return (
        "zypper",
        f"--root={ROOT}",
        f"--reposd-dir={WORK}/rpm/repos.d",
        f"--cache-dir={ROOT}{CACHE}",
        f"--releasever={release.rpm.releasever}",
        "--non-interactive",
    )


def dnf_table(output: str) -> Iterator[PinnedPackage]:
    """Yield the packages that dnf's table of a transaction lists as new, or in new versions."""
    words: list[str] = []
    wanted = False
    for line in output.splitlines():
        if line[:1] not in {"", " "}:
            wanted = line.startswith(("Installing", "Upgrading")) and line.endswith(":")
            words = []
        elif wanted:
            words += line.split()
        if len(words) == COLUMNS:
            yield PinnedPackage(name=words[0], version=words[2])
            words = []


def spoken(output: str) -> str:
    """Return *output*, which may be zypper's XML, as zypper would have told it to a person."""
    lines = (html.unescape(TAG.sub("", line)) for line in output.splitlines())
    return "\n".join(line for line in lines if line.strip())


def zypper_summary(output: str) -> Iterator[PinnedPackage]:
    """Yield the packages that zypper's summary in XML lists."""
    for match in SOLVABLE.finditer(output):
        yield PinnedPackage(name=match["name"], version=match["version"])


MANAGERS: Mapping[Family, Manager] = {
    Family.DNF: Manager(
        program="dnf",
        common=_dnf,
        refresh=("--assumeyes", "makecache", "--refresh"),
        install=("--assumeyes", "install"),
        simulate=("--assumeno", "install"),
        simulated=dnf_table,
        declined="Operation aborted.",
        download=("--assumeyes", "--downloadonly", "install"),
        names=("--quiet", "repoquery", "--queryformat=name=%{name}"),
        named=re.compile(r"^name=(.+)$", re.MULTILINE),
        search=("--quiet", "repoquery", "--queryformat=repository=%{repoid}"),
        found_in=re.compile(r"^repository=(.+)$", re.MULTILINE),
        metadata="cache/{id}-*/repodata/repomd.xml",
        handled=re.compile(r"  (?:Installing|Verifying) +: (?P<name>\S+)"),
    ),
    Family.ZYPPER: Manager(
        program="zypper",
        common=_zypper,
        refresh=("refresh", "--force"),
        install=("--no-refresh", "install", "--auto-agree-with-licenses", "--no-recommends"),
        simulate=(
            "--no-refresh", "--xmlout", "install", "--dry-run",
            "--auto-agree-with-licenses", "--no-recommends",
        ),
        simulated=zypper_summary,
        declined="<install-summary",
        download=(
            "--no-refresh", "install", "--download-only", "--auto-agree-with-licenses", "--no-recommends",
        ),
        names=("--no-refresh", "--xmlout", "search", "--type=package"),
        named=re.compile(r'<solvable [^>]*name="([^"]+)"'),
        search=("--no-refresh", "--xmlout", "search", "--match-exact", "--details"),
        found_in=re.compile(r'<solvable [^>]*repository="([^"]+)"'),
        metadata="raw/{id}/repodata/repomd.xml",
        handled=re.compile(r"(?:\(\d+/\d+\) Installing:|Retrieving package) (?P<name>\S+)"),
    ),
}  # fmt: skip
