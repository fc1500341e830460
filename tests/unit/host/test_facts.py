from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.host.facts import filesystem_of, inspect_host, inspect_place

MOUNTINFO = r"""22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:25 / /home rw - autofs systemd-1 rw
31 30 0:40 / /home rw - nfs4 server:/home rw
32 22 0:41 / /srv/my\040images rw shared:1 master:2 - xfs /dev/sdb rw
"""


@pytest.mark.parametrize(
    ("path", "filesystem"),
    [
        ("/", "ext4"),
        ("/homework", "ext4"),
        ("/home/user", "nfs4"),
        ("/srv/my images/roots", "xfs"),
    ],
)
def test_the_deepest_and_latest_mount_holds_a_path(path: str, filesystem: str) -> None:
    assert filesystem_of(Path(path), MOUNTINFO) == filesystem


def test_a_place_that_does_not_exist_yet_is_judged_by_what_holds_it(tmp_path: Path) -> None:
    place = inspect_place(tmp_path / "not/yet")
    assert (place.path, place.existing) == (tmp_path / "not/yet", tmp_path)
    assert place.free > 0


def test_inspecting_this_host_finds_what_it_certainly_has(tmp_path: Path) -> None:
    facts = inspect_host((tmp_path,))
    assert facts.kernel_version >= (3, 0)
    assert facts.tool("tar")
    assert [engine.name for engine in facts.engines] == ["docker", "podman"]
    assert [place.path for place in facts.places] == [tmp_path]
