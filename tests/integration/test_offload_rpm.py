"""Roots of RPM packages on a host that reaches no repository, compared with the same roots made here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.model.architecture import Architecture
from tests.integration.node_rig import Host, running_hosts
from tests.integration.offload_rig import Management, management
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like
from tests.integration.rpm_images import root_spec
from tests.integration.web_server import serving


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, ...]]:
    """One host."""
    with running_hosts(1) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def server(hosts: tuple[Host, ...], tmp_path_factory: pytest.TempPathFactory) -> Management:
    """A management server that knows it."""
    return management(tmp_path_factory.mktemp("server"), hosts)


@pytest.fixture(scope="module")
def address(rpm_repositories: tuple[MadeRepository, ...]) -> Iterator[str]:
    """Where this host, and no other one, reaches the repositories."""
    folder = rpm_repositories[0].path.parents[1]
    with serving(folder) as address:
        yield address


@pytest.mark.parametrize("like", list(Like))
def test_a_root_elsewhere_is_the_same(
    server: Management,
    address: str,
    rpm_repositories: tuple[MadeRepository, ...],
    like: Like,
    tmp_path: Path,
) -> None:
    made = next(one for one in rpm_repositories if (one.like, one.arch) == (like, Architecture.X86_64))
    spec = root_spec(made, tmp_path, ("nano",))
    folder = made.path.parents[1]
    text = spec.read_text().replace(f"file://{folder}", address).replace(f"dir://{folder}", address)
    spec = spec.with_name(f"{like}-root.yaml")
    spec.write_text(f"{text}arch: x86_64\n")
    elsewhere = server.build(spec, "--on", "host0")
    server.crossbuild("build", str(spec), "--on", "local", "--output", str(tmp_path / "here"))
    server.crossbuild("artifacts", "diff", str(elsewhere), str(tmp_path / "here" / spec.stem))
    assert server.folders() == []
