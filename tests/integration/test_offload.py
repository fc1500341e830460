"""Builds on hosts that are reached by SSH, compared with the same builds on this host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.node_rig import Host, running_hosts
from tests.integration.offload_rig import Management, management


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, ...]]:
    """Two hosts."""
    with running_hosts(2) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def server(hosts: tuple[Host, ...], tmp_path_factory: pytest.TempPathFactory) -> Management:
    """A management server that knows both."""
    return management(tmp_path_factory.mktemp("server"), hosts)


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
