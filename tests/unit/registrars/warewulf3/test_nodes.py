"""From attributes of nodes to commands, and back."""

from __future__ import annotations

import pytest

from crossbuild.errors import ProvisionerError
from crossbuild.model.architecture import Architecture
from crossbuild.model.receipt import ChangedValue
from crossbuild.registrars.warewulf3.nodes import NodeWish, changes_for, commands, without_default

WISH = NodeWish(arch=Architecture.AARCH64, image="image", arguments="", convert=False)


def change(name: str, key: str, before: str, after: str) -> ChangedValue:
    return ChangedValue(kind="node", name=name, key=key, before=before, after=after)


def test_architecture_comes_first_and_equal_nodes_share_a_command() -> None:
    changes = [*changes_for("n1", {}, WISH), *changes_for("n2", {"ARCH": "aarch64"}, WISH)]
    assert [command.text for command in commands(changes)] == [
        "wwsh node set n1 --arch=aarch64",
        "wwsh provision set n1 n2 --bootstrap=image --vnfs=image",
    ]


def test_going_back_restores_each_value_or_unsets_it() -> None:
    changes = [
        change("n1", "ARCH", "x86_64", "aarch64"),
        change("n1", "VNFS", "", "image"),
        change("n1", "KARGS", "quiet debug", "console=ttyAMA0"),
    ]
    assert [command.text for command in commands(changes, back=True)] == [
        "wwsh node set n1 --arch=x86_64",
        "wwsh provision set n1 --vnfs=UNDEF '--kargs=quiet debug'",
    ]


def test_node_that_has_it_all_changes_nothing() -> None:
    now = {"ARCH": "aarch64", "BOOTSTRAP": "image", "VNFS": "image", "KARGS": "quiet"}
    assert changes_for("n1", now, WISH) == ()


def test_node_of_another_architecture_is_refused_with_the_consent_that_it_takes() -> None:
    with pytest.raises(ProvisionerError) as caught:
        changes_for("n1", {"ARCH": "x86_64"}, WISH)
    assert "--set-arch" in caught.value.resolution


def test_arguments_that_are_the_default_are_none() -> None:
    assert without_default({"KARGS": "quiet"}, "quiet") == {"KARGS": ""}
    assert without_default({"KARGS": "debug"}, "quiet") == {"KARGS": "debug"}
