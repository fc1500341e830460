"""A finished root does not show where it was made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crossbuild.executors.finishing import DAY, MADE, OF_ROOT, clamp_times, clean, mark_made


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_folders_that_apt_gives_away_on_some_hosts_are_roots(tmp_path: Path) -> None:
    others = "/var/cache/man"
    for name in (*OF_ROOT, others):
        folder = tmp_path / name[1:]
        folder.mkdir(parents=True)
        os.chown(folder, 42, 0)
    clean(tmp_path, ())
    assert [(tmp_path / name[1:]).stat().st_uid for name in (*OF_ROOT, others)] == [0, 0, 42]


def test_copies_of_the_hosts_own_files_do_not_have_its_modes(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for name, mode in (("hostname", 0o755), ("resolv.conf", 0o600), ("machine-id", 0o444), ("hosts", 0o600)):
        path = tmp_path / "etc" / name
        path.write_text("sms\n")
        path.chmod(mode)
    clean(tmp_path, ("/etc/hosts",))
    found = {path.name: (path.stat().st_mode & 0o777, path.stat().st_size) for path in tmp_path.rglob("*/*")}
    assert found == {
        "hostname": (0o644, 0),
        "resolv.conf": (0o644, 0),
        "machine-id": (0o444, 0),
        "hosts": (0o600, 4),
    }


def test_an_image_does_not_show_when_its_tree_was_kept(tmp_path: Path) -> None:
    """The one build made the tree, and the other finishes it, when the package sources are newer."""
    packaged, first, between, second = 1_500_000_000, 1_600_000_000, 1_600_000_007, 1_700_000_000
    for name, time in {"packaged": packaged, "made": between, "fine": packaged}.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ns=(0, time * 1_000_000_000 + 5))
    (tmp_path / "link").symlink_to("nowhere")
    mark_made(tmp_path, first)
    assert times(tmp_path) == {"packaged": packaged, "made": MADE, "fine": packaged, "link": MADE}
    os.utime(tmp_path / "fine")
    clamp_times(tmp_path, second)
    assert times(tmp_path) == {"packaged": packaged, "made": second, "fine": second, "link": second}


def test_an_account_does_not_show_when_its_tree_was_kept(tmp_path: Path) -> None:
    first, second = 20_000 * DAY + 5, 20_010 * DAY + 5
    shadow = tmp_path / "etc/shadow"
    shadow.parent.mkdir()
    shadow.write_text("old:*:19000:0:99999:7:::\nmade:!:20000::::::\nlater:!:20003::::::\nnever:!*:::::::\n")
    shadow.chmod(0o640)
    mark_made(tmp_path, first)
    with shadow.open("a") as file:
        file.write("own:!:20012::::::\nfirst:!:0::::::\n")
    clamp_times(tmp_path, second)
    assert [line.split(":")[2] for line in shadow.read_text().splitlines()] == [
        *("19000", "20010", "20010", ""),
        *("20010", "0"),
    ]
    assert shadow.stat().st_mode & 0o777 == 0o640
    assert times(shadow.parent) == {"shadow": second}


def times(folder: Path) -> dict[str, float]:
    """Return when each file of *folder* was modified, exactly."""
    return {path.name: path.lstat().st_mtime_ns / 1_000_000_000 for path in folder.iterdir()}
