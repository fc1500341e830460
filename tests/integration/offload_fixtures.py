"""What tests of builds elsewhere share: two hosts, and a management server whose trees they have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.node_rig import Host, running_hosts
from tests.integration.offload_rig import Management, quick_management


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, ...]]:
    """Two hosts."""
    with running_hosts(2) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def server(hosts: tuple[Host, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Management]:
    """A management server that knows both, each with the base of all images in its cache."""
    with quick_management(tmp_path_factory.mktemp("server"), hosts) as server:
        server.warm(*(host.space / "crossbuild-jobs" for host in hosts))
        yield server


@pytest.fixture
def nothing_is_left(server: Management) -> Iterator[None]:
    """Fails where a test leaves a job, a lease or a process."""
    yield
    server.require_nothing_left()
