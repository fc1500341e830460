"""Where packages of dnf and zypper come from: the spec, the site, else what the distribution publishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.config.site import load_site
from crossbuild.config.spec import load_spec
from crossbuild.errors import SpecError
from crossbuild.model.spec import ImageSpec, RpmRepository

SPEC = 'name: node\ndistro: rocky\nrelease: "9"\nkernel: false\n'
OWN = "repositories: [{id: own, uris: [file:///srv/$basearch], signed_by: /k}]\n"


def load(tmp_path: Path, text: str, config: str = "") -> ImageSpec:
    (tmp_path / "spec.yaml").write_text(text)
    (tmp_path / "config.yaml").write_text(f"state: {tmp_path}/state\n{config}")
    return load_spec(tmp_path / "spec.yaml", load_site(tmp_path / "config.yaml"))


def ids(spec: ImageSpec) -> list[str]:
    return [one.id for one in spec.repositories if isinstance(one, RpmRepository)]


def test_without_a_word_it_is_what_the_distribution_enables(tmp_path: Path) -> None:
    assert ids(load(tmp_path, SPEC)) == ["baseos", "appstream", "extras"]


def test_further_repositories_of_the_distribution_are_named_by_id(tmp_path: Path) -> None:
    assert ids(load(tmp_path, SPEC + "extra_repositories: [epel, crb]\n"))[3:] == ["crb", "epel"]
    with pytest.raises(SpecError) as caught:
        load(tmp_path, SPEC + "extra_repositories: [powertools]\n")
    assert "powertools" in caught.value.details


def test_the_spec_comes_before_the_site_and_the_site_before_the_distribution(tmp_path: Path) -> None:
    site = "repositories: {rocky-9: [{id: site, uris: [http://m/], gpgcheck: false}]}\n"
    assert ids(load(tmp_path, SPEC, site)) == ["site"]
    assert ids(load(tmp_path, SPEC + OWN, site)) == ["own"]


def test_one_entry_replaces_the_addresses_of_a_distribution_and_keeps_its_fingerprints(
    tmp_path: Path,
) -> None:
    mirrors = 'mirrors: {"https://dl.rockylinux.org/": "http://m/", "https://dl.rockylinux.org/pub/": "http://n/"}\n'
    first = load(tmp_path, SPEC, mirrors).repositories[0]
    assert isinstance(first, RpmRepository)
    assert first.uris[0] == "http://n/rocky/$releasever/BaseOS/$basearch/os/"
    assert first.uris[1].startswith("http://m/vault/")
    assert first.signed_by.startswith("http://n/")
    assert first.fingerprints


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ("{id: a, uris: [http://m/]}", "signed_by"),
        ("{id: a, uris: [http://m/], signed_by: http://m/key}", "fingerprints"),
        ("{id: a, uris: [http://m/], signed_by: /k, suites: [x]}", "suites"),
        ("{id: a b, uris: [http://m/], signed_by: /k}", "id of a repository"),
        ("{id: a, uris: [http://m/], signed_by: /k, fingerprints: [350D275D]}", "whole fingerprint"),
        ("{uris: [http://m/], suites: [a], components: [b], signed_by: /k}", "not all of them are for dnf"),
        ("{uris: [http://m/], suites: [a], components: [b], signed_by: /k, gpgcheck: false}", "give an `id`"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(tmp_path: Path, entry: str, word: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(tmp_path, SPEC + f"repositories: [{entry}]\n")
    assert word in caught.value.details


def test_apt_has_no_repositories_by_id(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="not valid"):
        load(tmp_path, SPEC.replace('rocky\nrelease: "9"', 'debian\nrelease: "12"') + OWN)
