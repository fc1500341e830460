"""Builds on hosts that are reached by SSH, compared with the same builds on this host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.executors import trees
from tests.integration.node_rig import Host
from tests.integration.offload_fixtures import hosts
from tests.integration.offload_rig import Management, events, quick_management

__all__ = ["hosts"]


@pytest.fixture(scope="module")
def server(hosts: tuple[Host, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Management]:
    """A management server that knows both; they have no trees yet."""
    with quick_management(tmp_path_factory.mktemp("server"), hosts) as server:
        yield server


def test_a_build_elsewhere_gives_the_same_set(server: Management, tmp_path: Path) -> None:
    spec = server.spec("same")
    elsewhere = server.build(spec, "--on", "host0")
    here = tmp_path / "here"
    server.crossbuild("build", str(spec), "--output", str(here), "--on", "local")
    server.crossbuild("artifacts", "diff", str(elsewhere), str(here / "same"))
    build = json.loads((elsewhere / "image.json").read_text())["build"]
    assert (build["venue"], build["executor"]) == ("host0", "remote")
    assert "host0 was asked for" in build["venue_reason"]
    assert server.folders() == []


def test_a_root_that_is_there_already_grows_on_a_node_as_it_does_here(
    server: Management, tmp_path: Path
) -> None:
    (base,) = server.trees.glob("base-*.tar.zst")
    (tmp_path / "root").mkdir()
    trees.unpack(base, tmp_path / "root")
    spec = server.spec("grown")
    spec.write_text(f"{spec.read_text()}base: {tmp_path}/root\n")
    elsewhere = server.build(spec, "--on", "host1")
    server.crossbuild("build", str(spec), "--output", str(tmp_path / "here"), "--on", "local")
    server.crossbuild("artifacts", "diff", str(elsewhere), str(tmp_path / "here/grown"))
    assert json.loads((elsewhere / "image.json").read_text())["build"]["venue"] == "host1"


def test_the_tree_that_roots_grow_from_travels_once(server: Management) -> None:
    def arrived(motd: str) -> set[int]:
        """Build an image and return the sizes of what came home."""
        with server.building(server.spec("again", motd=motd), "--on", "host0") as process:
            said = list(events(process))
        assert said[-1]["event"] == "build-finished"
        # Progress is not told at every byte, but at the last one.
        progress = [one for one in said if one["event"] == "progress" and one["phase"] == "return"]
        return {one["total"] for one in progress if one["done"] == one["total"]}

    before = set(server.site.returned.glob("*.tar"))
    arrived("one")
    kept = set(server.site.returned.glob("*.tar"))
    tree = max(kept, key=lambda path: path.stat().st_mtime)
    assert kept <= before | {tree}
    sizes = arrived("two")
    assert len(sizes) == 1
    assert max(sizes) < tree.stat().st_size / 20
    assert set(server.site.returned.glob("*.tar")) == kept
    # It is fetched again where it is damaged, and the image is the same.
    with tree.open("r+b") as file:
        file.truncate(1000)
    assert tree.stat().st_size not in arrived("three")
    assert set(server.site.returned.glob("*.tar")) == kept
