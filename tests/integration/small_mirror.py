"""A mirror of Debian with no more than small roots are made of: apt resolves from it in a tenth of the time.

It is made once, of the packages that a first build has fetched from the real one, and has that build's trees.
"""

from __future__ import annotations

import email.utils
import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossbuild.host.command import capture
from crossbuild.host.digests import file_digests
from tests.integration.conftest import CommandLine
from tests.integration.rpm_distribution.signing import new_key

SUITE, ARCHITECTURE = "bookworm", "amd64"
"""mmdebstrap takes packages of that code name only for the base."""
KEY = "key.asc"
CAT = "/usr/lib/apt/apt-helper"
"""It reads indexes, however they are compressed."""


@dataclass(frozen=True, kw_only=True)
class SmallMirror:
    """What `web_server.serving` shows, and the trees that a build from it begins with."""

    folder: Path

    @property
    def trees(self) -> Path:
        """As they lie in a cache."""
        return self.folder / "state/cache/layers"

    def settings(self, address: str) -> str:
        """Return the part of a site's configuration that names it, found at *address*."""
        source = f"uris: [{address}], suites: [{SUITE}], components: [main], signed_by: {self.folder}/{KEY}"
        return f"repositories: {{debian-12: [{{{source}}}]}}\n"


def make_small_mirror(folder: Path, spec: str) -> SmallMirror:
    """Return the mirror below *folder* of what *spec* needs, made now unless it is there."""
    mirror = SmallMirror(folder=folder)
    if not (folder / KEY).is_file():
        scratch = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        _fetch(scratch, spec)
        _index(scratch)
        scratch.rename(folder)
    return mirror


def _fetch(folder: Path, spec: str) -> None:
    """Build *spec* once, and put the packages that this took into a pool."""
    (folder / "config.yaml").write_text(f"state: {folder}/state\nprefix: {folder}/prefix\n")
    (folder / "spec.yaml").write_text(spec)
    words = ("build", str(folder / "spec.yaml"), "--on", "local", "--output", str(folder / "out"))
    CommandLine(folder / "config.yaml")(*words)
    shutil.rmtree(folder / "out")
    (folder / "pool").mkdir()
    for package in (folder / f"state/cache/apt/archives/{ARCHITECTURE}").glob("*.deb"):
        # What stands for a colon would be decoded on the way.
        package.rename(folder / "pool" / package.name.replace("%3a", "-"))


def _stanzas(folder: Path) -> Iterator[str]:
    """Yield what the real indexes say of each package in the pool: not all of that is in the package."""
    pool = {file_digests(file).sha256: file.relative_to(folder) for file in (folder / "pool").iterdir()}
    for lists in (folder / "state/cache/apt/indexes").glob("*/lists/*_Packages*"):
        for stanza in capture([CAT, "cat-file", str(lists)]).stdout.split("\n\n"):
            found = re.search(r"^SHA256: (\w+)$", stanza, re.MULTILINE)
            if found and found[1] in pool:
                place = f"Filename: {pool.pop(found[1])}"
                yield re.sub(r"^Filename: .*$", place, stanza.strip("\n"), flags=re.MULTILINE) + "\n"


def _published(folder: Path) -> str:
    """Return the date of the newest real index: times in the trees that are kept were cut off there."""
    lists = (folder / "state/cache/apt/indexes").glob("*/lists/*InRelease")
    dates = (re.search(r"^Date: (.*)$", file.read_text(), re.MULTILINE) for file in lists)
    return max((date[1] for date in dates if date), key=email.utils.parsedate_to_datetime)


def _index(folder: Path) -> None:
    """Write what apt wants to know of the pool, and sign it."""
    suite = folder / "dists" / SUITE
    index = suite / "main" / f"binary-{ARCHITECTURE}" / "Packages"
    index.parent.mkdir(parents=True)
    index.write_text("\n".join(_stanzas(folder)), encoding="utf-8")
    content = index.read_bytes()
    release = {
        "Origin": "tests",
        "Suite": SUITE,
        "Codename": SUITE,
        "Date": _published(folder),
        "Architectures": ARCHITECTURE,
        "Components": "main",
        "SHA256": f"\n {hashlib.sha256(content).hexdigest()} {len(content)} {index.relative_to(suite)}",
    }
    (suite / "Release").write_text("".join(f"{key}: {value}\n" for key, value in release.items()))
    with new_key(folder / KEY) as signer:
        signer.sign_within(suite / "Release", suite / "InRelease")
