"""Records of nodes are whole, are found again, and are refused where they are not ours."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.errors import CrossbuildError, UsageError
from crossbuild.nodes.store import NodeStore
from tests.unit.nodes.values import KEY, make_node

FULL = make_node(folder=PurePosixPath("/srv/b"), labels=(("rack", "7"), ("xname", "x1")), drained="why")


@pytest.fixture
def store(tmp_path: Path) -> NodeStore:
    return NodeStore(tmp_path)


def test_a_node_is_found_as_it_was_added(store: NodeStore) -> None:
    assert store.all() == ()
    store.add(FULL)
    assert (store.load("arm1"), store.all()) == (FULL, (FULL,))
    assert store.known_hosts("arm1").read_text() == f"{KEY}\n"


def test_a_name_is_taken_once(store: NodeStore) -> None:
    store.add(FULL)
    with pytest.raises(UsageError, match="already"):
        store.add(make_node())
    assert store.load("arm1") == FULL


@pytest.mark.parametrize("name", ["auto", "local", "slurm", "../x", "", "a/b", "-x"])
def test_a_name_that_means_something_else_is_refused(store: NodeStore, name: str) -> None:
    with pytest.raises(UsageError):
        store.add(make_node(name=name))
    assert store.all() == ()


def test_changes_at_the_same_time_are_all_kept(store: NodeStore) -> None:
    store.add(make_node(slots=1))
    with ThreadPoolExecutor(8) as pool:
        more = [
            pool.submit(store.update, "arm1", lambda node: replace(node, slots=node.slots + 1))
            for _ in range(40)
        ]
    assert all(done.result() for done in more)
    assert store.load("arm1").slots == 41


def test_a_node_that_is_removed_leaves_nothing(store: NodeStore) -> None:
    store.add(make_node())
    store.remove("arm1")
    assert [path.name for path in store.folder.iterdir() if path.name != ".lock"] == []
    for gone in (lambda: store.remove("arm1"), lambda: store.load("arm1")):
        with pytest.raises(UsageError, match="no node"):
            gone()


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"arch": "sparc"}, {"slots": 0}, {"name": "../x"}, {"labels": None}, {"host_keys": None}],
    ids=str,
)
def test_a_damaged_record_is_named(store: NodeStore, change: dict[str, object]) -> None:
    store.add(make_node())
    record = store.folder / "arm1.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), **change}))
    with pytest.raises(CrossbuildError, match="damaged") as caught:
        store.all()
    assert str(record) in caught.value.details
