"""The distributions as data: every one of them complete, and a minor release is a value more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crossbuild.distros.catalog import RELEASES
from crossbuild.distros.definitions import almalinux, openeuler, rocky
from crossbuild.distros.openhpc.choice import releases_for
from crossbuild.distros.release import Family, Release
from crossbuild.model.architecture import Architecture

RPM = [
    pytest.param(entry, id=f"{entry.distro}-{entry.release}")
    for entry in RELEASES
    if entry.family is not Family.APT
]


@pytest.mark.parametrize("release", RPM)
def test_every_repository_has_pinned_keys_and_an_encrypted_address(release: Release) -> None:
    for repository in release.rpm.repositories:
        assert repository.fingerprints
        assert all(len(fingerprint) == 40 for fingerprint in repository.fingerprints)
        assert all(uri.startswith("https://") for uri in (*repository.uris, repository.key))


@pytest.mark.parametrize("release", RPM)
@pytest.mark.parametrize("arch", Architecture)
def test_ids_name_one_repository_for_each_architecture(release: Release, arch: Architecture) -> None:
    ids = [repository.id for repository in release.rpm.repositories if arch in repository.arches]
    assert len(set(ids)) == len(ids) > 0


@pytest.mark.parametrize("release", RPM)
def test_the_smallest_root_is_of_the_distribution_and_lists_nothing_twice(release: Release) -> None:
    base = release.rpm.base
    assert {"bash", "rpm", "filesystem"} <= set(base)
    assert len(set(base)) == len(base)
    assert any(name.endswith("-release") for name in base)


@pytest.mark.parametrize(
    ("make", "mirror", "vault"),
    [
        (
            rocky.ROCKY.release,
            "https://dl.rockylinux.org/pub/rocky/$releasever/BaseOS/$basearch/os/",
            "https://dl.rockylinux.org/vault/rocky/$releasever/BaseOS/$basearch/os/",
        ),
        (
            almalinux.ALMALINUX.release,
            "https://repo.almalinux.org/almalinux/$releasever/BaseOS/$basearch/os/",
            "https://vault.almalinux.org/$releasever/BaseOS/$basearch/os/",
        ),
    ],
)
def test_a_minor_release_is_looked_for_on_mirrors_and_then_in_the_vault(
    make: Callable[[str], Release], mirror: str, vault: str
) -> None:
    minor, major = make("9.4"), make("9")
    assert minor.rpm.releasever == "9.4"
    assert minor.rpm.repositories[0].at(()).uris == (mirror, vault)
    assert major.rpm.repositories[0].at(()).uris == (mirror,)


def test_a_minor_release_is_otherwise_its_major_one() -> None:
    minor, major = rocky.ROCKY.release("9.4"), rocky.ROCKY.release("9")
    assert minor.rpm.base == major.rpm.base
    assert minor.rpm.platform == "platform:el9"
    assert minor.rpm.repositories[0].fingerprints == major.rpm.repositories[0].fingerprints
    assert releases_for(minor) == releases_for(major)


def test_a_service_pack_of_openeuler_stands_in_addresses_only() -> None:
    release = openeuler._release("24.03", "SP3")
    assert (release.release, release.rpm.releasever) == ("24.03", "24.03-LTS-SP3")
