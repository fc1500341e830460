"""A mirror of Debian with no more than small roots are made of: apt resolves from it in a tenth of the time.

It is made once, of the packages that a first build has fetched from the real one. It has the trees that other
builds from it begin with; they name the address of the mirror, which so is always the same.
"""

from __future__ import annotations

import email.utils
import hashlib
import os
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
PLACE = (f"127.0.93.{1 + int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:])}", 8093)
"""Where this process shows it."""
CAT = "/usr/lib/apt/apt-helper"
"""It reads indexes, however they are compressed."""


@dataclass(frozen=True, kw_only=True)
class SmallMirror:
    """What `web_server.serving` shows at PLACE."""

    folder: Path
    spec: str

    def trees(self, address: str) -> Path:
        """Return what builds from it at *address* begin with, as it lies in a cache; made now if need be."""
        state = self.folder / re.sub(r"\W+", "-", address)
        if not (state / "complete").exists():
            _build(self.spec, state, self.settings(address))
            (state / "complete").touch()
        return state / "cache/layers"

    def settings(self, address: str) -> str:
        """Return the part of a site's configuration that names it, found at *address*."""
        source = f"uris: [{address}], suites: [{SUITE}], components: [main], signed_by: {self.folder}/{KEY}"
        return f"repositories: {{debian-12: [{{{source}}}]}}\n"


def make_small_mirror(folder: Path, spec: str) -> SmallMirror:
    """Return the mirror below *folder* of what *spec* needs, made now unless it is there."""
    mirror = SmallMirror(folder=folder, spec=spec)
    if not (folder / KEY).is_file():
        scratch = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        _fetch(scratch, spec)
        _index(scratch)
        shutil.rmtree(scratch / "first")
        scratch.rename(folder)
    return mirror


def _fetch(folder: Path, spec: str) -> None:
    """Build *spec* once, and put the packages that this took into a pool."""
    _build(spec, folder / "first")
    (folder / "pool").mkdir()
    for package in (folder / f"first/cache/apt/archives/{ARCHITECTURE}").glob("*.deb"):
        # What stands for a colon would be decoded on the way.
        package.rename(folder / "pool" / package.name.replace("%3a", "-"))


def _build(spec: str, state: Path, settings: str = "") -> None:
    """Build *spec* with *state* as the state folder, and the output in there, too."""
    state.mkdir(exist_ok=True)
    config, file = state / "config.yaml", state / "spec.yaml"
    config.write_text(f"state: {state}\nprefix: {state}/prefix\n{settings}")
    file.write_text(spec)
    CommandLine(config)("build", str(file), "--on", "local", "--output", str(state / "out"))


def _stanzas(folder: Path) -> Iterator[str]:
    """Yield what the real indexes say of each package in the pool: not all of that is in the package."""
    pool = {file_digests(file).sha256: file.relative_to(folder) for file in (folder / "pool").iterdir()}
    for lists in (folder / "first/cache/apt/indexes").glob("*/lists/*_Packages*"):
        for stanza in capture([CAT, "cat-file", str(lists)]).stdout.split("\n\n"):
            found = re.search(r"^SHA256: (\w+)$", stanza, re.MULTILINE)
            if found and found[1] in pool:
                place = f"Filename: {pool.pop(found[1])}"
                yield re.sub(r"^Filename: .*$", place, stanza.strip("\n"), flags=re.MULTILINE) + "\n"


def _published(folder: Path) -> str:
    """Return the date of the newest real index."""
    lists = (folder / "first/cache/apt/indexes").glob("*/lists/*InRelease")
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
