"""Records of builders come back as they were written, and what is wrong with them is said in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.builders import store
from crossbuild.errors import CrossbuildError, StorageError, UsageError
from crossbuild.model.builder import Builder
from crossbuild.model.site import Site
from tests.unit.builders.records import BUILDER


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(state=tmp_path, prefix=tmp_path, qemu=None, variables=(), repositories=())


def saved(site: Site, builder: Builder = BUILDER) -> Path:
    record = store.places(site, builder.name).record
    record.parent.mkdir(parents=True)
    store.save(site, builder)
    return record


def test_a_record_comes_back_as_it_was(site: Site) -> None:
    saved(site)
    assert store.load(site, "one") == BUILDER
    assert store.builder_names(site) == ("one",)


def test_an_update_keeps_the_rest(site: Site) -> None:
    saved(site)
    store.update(site, "one", lambda found: replace(found, interrupted=False))
    assert store.load(site, "one") == replace(BUILDER, interrupted=False)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"name": 1}', "\x00"])
def test_a_damaged_record_is_told_with_its_place(site: Site, content: str) -> None:
    record = saved(site)
    record.write_text(content)
    with pytest.raises(CrossbuildError) as caught:
        store.load(site, "one")
    assert str(record) in caught.value.details


def test_a_builder_that_is_not_there_is_told_with_those_that_are(site: Site) -> None:
    saved(site)
    with pytest.raises(UsageError) as caught:
        store.load(site, "other")
    assert "one" in caught.value.details
    assert "crossbuild builder create other" in caught.value.resolution


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", "a b", "a..b", "x" * 65, "ü", "a\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(site: Site, name: str) -> None:
    with pytest.raises(UsageError):
        store.places(site, name)


def test_a_folder_without_a_record_is_no_builder(site: Site) -> None:
    store.places(site, "half").folder.mkdir(parents=True)
    assert store.builder_names(site) == ()


def test_a_run_that_ended_leaves_no_word(site: Site) -> None:
    saved(site)
    with store.changing(site, "one"):
        assert not store.interrupted_runs(site, "one")
    assert not store.interrupted_runs(site, "one")


def test_a_run_that_was_killed_is_told_once(site: Site) -> None:
    saved(site)
    mark = store.places(site, "one").open / "4711"
    mark.parent.mkdir()
    mark.touch()
    assert store.interrupted_runs(site, "one")
    assert not store.interrupted_runs(site, "one")


def test_a_disk_that_cannot_be_written_is_told_in_words(site: Site) -> None:
    with pytest.raises(StorageError):
        store.save(site, BUILDER)


def test_what_is_discarded_is_gone(site: Site) -> None:
    record = saved(site)
    store.discard(site, "one")
    assert not record.parent.exists()
    assert store.builder_names(site) == ()
    store.discard(site, "one")
