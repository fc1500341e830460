"""Which of the host's package sources serve an image."""

from pathlib import Path

import pytest

from crossbuild.distros.apt.sources import as_deb822, choose_sources
from crossbuild.distros.catalog import lookup
from crossbuild.errors import HostNotReadyError
from crossbuild.model.architecture import Architecture
from crossbuild.model.spec import AptRepository

BOOKWORM = lookup("debian", "12")
ARM = Architecture.AARCH64


def host(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    for name, text in files.items():
        (tmp_path / "sources.list.d" / name.replace("_", ".")).write_text(text)
    return tmp_path


def test_deb822_sources_of_the_release_are_taken_and_those_of_others_are_not(tmp_path: Path) -> None:
    folder = host(
        tmp_path,
        a_sources="""\
Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates nonsense
Components: main
  contrib
Signed-By: /usr/share/keyrings/k.gpg

Types: deb
URIs: http://vendor.example/x
Suites: stable
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
""",
    )
    assert choose_sources((), BOOKWORM, ARM, folder) == (
        AptRepository(
            uris=("http://mirror.example/debian",),
            suites=("bookworm", "bookworm-updates"),
            components=("main", "contrib"),
            signed_by="/usr/share/keyrings/k.gpg",
        ),
    )


def test_one_line_sources_are_read_with_their_options(tmp_path: Path) -> None:
    folder = host(
        tmp_path,
        a_list="deb [signed-by=/k.gpg trusted=yes] http://m.example/d bookworm-security main # note\n"
        "deb [arch=amd64] http://other.example/d bookworm main\n"
        "# deb http://off.example/d bookworm main\n",
    )
    (found,) = choose_sources((), BOOKWORM, ARM, folder)
    assert (found.uris, found.suites, found.signed_by) == (
        ("http://m.example/d",),
        ("bookworm-security",),
        "/k.gpg",
    )


def test_a_host_of_another_release_lends_its_mirrors(tmp_path: Path) -> None:
    folder = host(tmp_path, a_list="deb http://m.example/d trixie-updates main\n")
    (found,) = choose_sources((), BOOKWORM, ARM, folder)
    assert found.suites == ("bookworm-updates",)
    assert found.signed_by == BOOKWORM.apt.keyring


def test_a_host_without_sources_of_that_distribution_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HostNotReadyError) as caught:
        choose_sources((), BOOKWORM, ARM, host(tmp_path))
    assert "repositories" in caught.value.resolution


def test_nothing_ever_says_trusted() -> None:
    stanza = as_deb822([AptRepository(uris=("u",), suites=("s",), components=("c",), signed_by="k\n\nl")])
    assert "rusted" not in stanza
    assert "Signed-By: \n k\n .\n l\n" in stanza
