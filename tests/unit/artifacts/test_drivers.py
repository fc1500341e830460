"""Choosing kernel modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.artifacts.drivers import read_index, select

DEP = """\
kernel/drivers/net/virtio_net.ko.xz: kernel/net/core/failover.ko.xz kernel/drivers/virtio/virtio.ko.xz
kernel/net/core/failover.ko.xz:
kernel/drivers/virtio/virtio.ko.xz: kernel/drivers/virtio/virtio-ring.ko.xz
kernel/drivers/virtio/virtio-ring.ko.xz:
kernel/drivers/net/bonding/bonding.ko.xz:
kernel/fs/xfs/xfs.ko:
"""
BUILTIN = "kernel/fs/ext4/ext4.ko\nkernel/drivers/block/loop.ko\n"
VIRTIO_NET = (
    "kernel/drivers/net/virtio_net.ko.xz",
    "kernel/drivers/virtio/virtio-ring.ko.xz",
    "kernel/drivers/virtio/virtio.ko.xz",
    "kernel/net/core/failover.ko.xz",
)


@pytest.mark.parametrize(
    ("entry", "modules", "unknown"),
    [
        pytest.param("virtio_net", VIRTIO_NET, (), id="name, with what it needs, and what that needs"),
        pytest.param("virtio-net", VIRTIO_NET, (), id="hyphen for underscore"),
        pytest.param("virtio_ring", VIRTIO_NET[1:2], (), id="underscore for hyphen"),
        pytest.param("kernel/fs/", ("kernel/fs/xfs/xfs.ko",), (), id="beginning of a path"),
        pytest.param(
            "kernel/drivers/virtio/", VIRTIO_NET[1:3], (), id="a folder that is called like a module"
        ),
        pytest.param("xfs", ("kernel/fs/xfs/xfs.ko",), (), id="a name comes before a path"),
        pytest.param("ext4", (), (), id="built in by name"),
        pytest.param("kernel/drivers/block/", (), (), id="built in by path"),
        pytest.param("mlx5_core", (), ("mlx5_core",), id="unknown name"),
        pytest.param("kernel/drivers/gpu/", (), ("kernel/drivers/gpu/",), id="unknown path"),
    ],
)
def test_entry_selects(
    tmp_path: Path, entry: str, modules: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    (tmp_path / "modules.dep").write_text(DEP)
    (tmp_path / "modules.builtin").write_text(BUILTIN)
    found = select(read_index(tmp_path), [entry])
    assert (found.modules, found.unknown) == (modules, unknown)
