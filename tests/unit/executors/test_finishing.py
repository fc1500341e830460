"""A finished root does not show where it was made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crossbuild.executors.finishing import OF_ROOT, clean


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_folders_that_apt_gives_away_on_some_hosts_are_roots(tmp_path: Path) -> None:
    others = "/var/cache/man"
    for name in (*OF_ROOT, others):
        folder = tmp_path / name[1:]
        folder.mkdir(parents=True)
        os.chown(folder, 42, 0)
    clean(tmp_path, ())
    assert [(tmp_path / name[1:]).stat().st_uid for name in (*OF_ROOT, others)] == [0, 0, 42]
