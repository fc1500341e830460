"""What a configuration file said is remembered for exactly that file, and trusted from its owner alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.config import remembered
from crossbuild.config.remembered import key_of, recall, remember
from crossbuild.config.site import load_site
from crossbuild.errors import SpecError
from crossbuild.model.builder import EngineKind, Mount
from crossbuild.model.ims import ImsAccess
from crossbuild.model.offload import Fallback, OffloadDefaults, SlurmDefaults
from crossbuild.model.site import BuilderDefaults, RecipeDefaults, Site
from crossbuild.model.spec import AptRepository, RpmRepository

SITE = Site(
    state=Path("/srv/a b"),
    prefix=Path("/srv/ü"),
    qemu=Path("/opt/qemu"),
    variables=(("sms_ip", "192.0.2.1"),),
    repositories=(
        (
            "debian-12",
            (AptRepository(uris=("file:/a",), suites=("x", "y"), components=("main",), signed_by="k"),),
        ),
        (
            "rocky-9",
            (
                RpmRepository(
                    id="baseos",
                    uris=("file:/b",),
                    signed_by="k",
                    fingerprints=("F",),
                    gpgcheck=True,
                    repo_gpgcheck=False,
                ),
            ),
        ),
    ),
    mirrors=(("http://a/", "http://b/"),),
    ims=ImsAccess(
        api="https://a.test/apis/ims",
        gateway="https://a.test/apis",
        token_endpoint="https://a.test/token",
        client_id="c",
        client_secret_file=Path("/s"),
        ca_bundle=None,
        s3_endpoint="https://s3.test",
        s3_credentials_file=Path("/k"),
        bucket="boot-images",
        recipe_bucket="ims",
        timeout=5,
    ),
    offload=OffloadDefaults(on="arm1", fallback=Fallback.FAIL, patience=60),
    slurm=SlurmDefaults(folder=Path("/shared"), partition="arm", options=("--qos=q",)),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/crossbuild"


BUILDERS = BuilderDefaults(
    engine=EngineKind.PODMAN,
    mounts=(Mount.parse("/srv/a b:/b:ro"),),
    recipes=(
        ("rocky9", RecipeDefaults(base_image="x@sha256:0", repositories=Path("/r"), openhpc=False)),
        ("centos7", RecipeDefaults()),
    ),
)


@pytest.mark.parametrize(
    "site",
    [
        SITE,
        replace(SITE, qemu=None, variables=(), repositories=(), ims=None),
        replace(SITE, builders=BUILDERS),
    ],
)
def test_a_site_comes_back_as_it_was(site: Site) -> None:
    remember("key", site)
    assert recall("key") == site


def test_nothing_is_known_under_another_key() -> None:
    remember("key", SITE)
    assert recall("other") is None


@pytest.mark.parametrize(
    ("content", "circumstances"),
    [(b"a: 2", ("x", 0)), (b"a: 1", ("x", 1)), (b"a: 1", ("x",)), (b"", ("x", 0))],
)
def test_another_file_or_user_has_another_key(content: bytes, circumstances: tuple[object, ...]) -> None:
    assert key_of(content, circumstances) != key_of(b"a: 1", ("x", 0))


def test_another_format_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(b"", ())
    monkeypatch.setattr(remembered, "FORMAT", 0)
    assert key_of(b"", ()) != before


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": 1}', '{"other": "/a"}', "\x00"])
def test_damage_is_forgotten(cache: Path, content: str) -> None:
    remember("key", SITE)
    (cache / "site-key.json").write_text(content)
    assert recall("key") is None


def test_what_others_can_write_is_not_trusted(cache: Path) -> None:
    remember("key", SITE)
    (cache / "site-key.json").chmod(0o622)
    assert recall("key") is None


def test_where_nothing_can_be_written_nothing_is_remembered(cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("a file in the way")
    remember("key", SITE)
    assert recall("key") is None


def test_several_files_are_remembered_and_the_oldest_goes(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "KEPT", 2)
    for number, key in enumerate(("one", "two", "three")):
        remember(key, SITE)
        os.utime(cache / f"site-{key}.json", (number, number))
    assert [recall(key) for key in ("one", "two", "three")] == [None, SITE, SITE]


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    for state in ("/one", "/two"):
        file.write_text(f"state: {state}\n")
        assert [load_site(file).state, load_site(file).state] == [Path(state)] * 2


def test_a_wrong_file_is_told_again_and_again(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("state: here\n")
    for _ in range(2):
        with pytest.raises(SpecError):
            load_site(file)
