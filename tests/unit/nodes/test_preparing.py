"""What a node lacks is named with the command that provides it there."""

from __future__ import annotations

from typing import Any

import pytest

from crossbuild.errors import UsageError
from crossbuild.nodes.preparing import CephSpace, Need, ceph_commands, needs
from tests.unit.nodes.values import PODMAN, make_facts, make_node

DEBIAN, SLES, STRANGE = "ID=debian\n", 'ID="sles"\nID_LIKE="suse"\n', "ID=gentoo\n"


def lacking(release: str = DEBIAN, **changes: Any) -> list[Need]:
    return [need for need in needs(make_node(), make_facts(**changes), release) if not need.met]


def test_a_good_node_lacks_nothing() -> None:
    assert lacking() == []


@pytest.mark.parametrize(
    ("release", "commands"),
    [
        (
            DEBIAN,
            ("apt-get --yes install --no-install-recommends python3 apt mmdebstrap arch-test",),
        ),
        (SLES, ("zypper --non-interactive install python311 zypper rpm gpg2",)),
        (STRANGE, ()),
        ("", ()),
    ],
)
def test_tools_come_from_the_nodes_own_package_manager(release: str, commands: tuple[str, ...]) -> None:
    (need,) = lacking(release, tools=())
    assert (need.commands, need.as_root) == (commands, True)


def test_each_lack_has_its_command() -> None:
    found = lacking(folder_writable=False, subordinate_ids=False, user="a b")
    assert [need.commands for need in found] == [
        ("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 'a b'",),
        ("mkdir -p -m 0755 /var/tmp/crossbuild",),
    ]


def test_nothing_makes_a_node_of_another_architecture_fit() -> None:
    (need,) = lacking(arch="x86_64")
    assert need.commands == ()


def test_ceph_is_set_up_for_this_node_without_the_administrators_key() -> None:
    space = CephSpace(image="kube/buildcache", size="500G")
    text = ceph_commands(make_node(), make_facts(tools=(PODMAN,)), space)
    assert "build@arm1:/etc/ceph/" in text
    assert "rbd create kube/buildcache --size 500G" in text
    assert "mount --bind /var/tmp/crossbuild/containers /var/lib/containers" in text
    assert "admin" not in text
    assert "containers" not in ceph_commands(make_node(), make_facts(), space)


@pytest.mark.parametrize(
    ("image", "size"), [("kube", "1G"), ("a/b;c", "1G"), ("a/b", "1"), ("a/b", "$(id)G")]
)
def test_what_is_no_image_of_ceph_is_refused(image: str, size: str) -> None:
    with pytest.raises(UsageError):
        ceph_commands(make_node(), make_facts(), CephSpace(image=image, size=size))
