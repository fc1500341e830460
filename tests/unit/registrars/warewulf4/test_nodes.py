"""From values in nodes.conf to commands of each version, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossbuild.registrars.warewulf4.nodes import (
    ARGUMENTS,
    IMAGE,
    MENU,
    OVERLAYS,
    Wish,
    changes_for,
    commands,
    inherited,
    own_values,
)
from crossbuild.registrars.warewulf4.server import Server

OLD, NEW, NEWEST = (
    Server(version=version, configuration={}, etc=Path("/etc/warewulf"), unsets=unsets)
    for version, unsets in (("4.5.8", False), ("4.6.4", False), ("4.7.0", True))
)
WISH = Wish(image="new", arguments="quiet console=ttyAMA0,115200", overlay="new", client=True, menu="dracut")


def document(word: str) -> dict[str, Any]:
    return {
        "nodeprofiles": {
            "default": {f"{word} name": "older", "system overlay": ["wwinit", "wwclient", "site"]},
            "empty": None,
        },
        "nodes": {
            "n1": {"profiles": ["default", "empty"]},
            "n2": {f"{word} name": "own", "kernel": {"args": ["a", "b"]}, "tags": {MENU: "x"}},
        },
    }


def texts(server: Server, name: str = "n1", *, back: bool = False) -> list[str]:
    changes = changes_for("node", name, document(server.word), server, WISH)
    return [command.text for command in commands(changes, server, back=back)]


def test_own_values_are_those_of_the_node_alone() -> None:
    assert own_values("node", "n1", document("image"), NEW) == dict.fromkeys(
        (IMAGE, ARGUMENTS, OVERLAYS, MENU), ""
    )
    assert own_values("node", "n2", document("image"), NEW) == {
        IMAGE: "own",
        ARGUMENTS: "a b",
        OVERLAYS: "",
        MENU: "x",
    }
    assert own_values("node", "n3", document("image"), NEW) is None
    assert inherited(IMAGE, "n1", document("image"), NEW) == "older"


def test_before_4_6_the_list_of_a_node_is_the_whole_list() -> None:
    assert texts(OLD) == [
        (
            "wwctl node set --yes --container=new '--kernelargs=quiet console=ttyAMA0,115200' "
            "--tagadd=IPXEMenuEntry=dracut '--wwinit=wwinit,site,~wwclient,wwclient.aarch64,new' n1"
        )
    ]


def test_since_4_6_it_adds_to_those_of_profiles_and_commas_are_quoted() -> None:
    assert texts(NEW) == [
        (
            "wwctl node set --yes --image=new --kernelargs=quiet '--kernelargs=\"console=ttyAMA0,115200\"' "
            "--tagadd=IPXEMenuEntry=dracut '--system-overlays=~wwclient,wwclient.aarch64,new' n1"
        )
    ]


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (
            NEW,
            (
                "wwctl node set --yes --image=UNDEF --kernelargs=UNDEF --tagdel=IPXEMenuEntry "
                "--system-overlays=UNDEF n1"
            ),
        ),
        (
            NEWEST,
            "wwctl node unset --yes --image --kernelargs --tag=IPXEMenuEntry --system-overlays n1",
        ),
    ],
)
def test_what_was_unset_is_unset_again_in_the_words_of_the_version(server: Server, expected: str) -> None:
    assert texts(server, back=True) == [expected]


def test_what_had_a_value_gets_it_back() -> None:
    (set_back,) = [text for text in texts(NEWEST, "n2", back=True) if " set " in text]
    assert set_back == (
        "wwctl node set --yes --image=own --kernelargs=a --kernelargs=b --tagadd=IPXEMenuEntry=x n2"
    )
