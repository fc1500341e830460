from __future__ import annotations

import pytest

from crossbuild.booting.warewulf4 import share_of


@pytest.mark.parametrize(
    ("arguments", "share"),
    [
        ("", 50),
        ("console=ttyAMA0", 50),
        ("quiet initramfs_options=size=90% ro", 90),
        ("initramfs_options=mode=755,size=75%", 75),
        ("initramfs_options=size=2G", 50),
        ("my.initramfs_options=size=90%", 50),
        ("initramfs_options=size=0%", 50),
    ],
)
def test_the_share_of_memory_is_what_the_kernel_is_told(arguments: str, share: int) -> None:
    assert share_of(arguments) == share
