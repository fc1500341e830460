from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from crossbuild.host.exports import Client, Export, free_fsid, has_root, parse, render
from crossbuild.model.export import Grant, SharedTree

TREE = SharedTree(
    path=Path("/opt/ohpc-aarch64/opt/ohpc/pub"),
    grants=(
        Grant(client=ip_address("10.1.0.9"), write=True),
        Grant(client=ip_network("10.1.0.0/16"), write=False),
        Grant(client=ip_network("fd00::/64"), write=False),
    ),
)


def export(path: str, **clients: str) -> Export:
    return Export(
        path=path,
        clients=tuple(Client(name=name, options=tuple(text.split())) for name, text in clients.items()),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/home a(rw,sync) b(ro)\n", export("/home", a="rw sync", b="ro"), id="two clients"),
        pytest.param("/home\ta\n", export("/home", a=""), id="a client without options"),
        pytest.param('"/my home" a(ro)', export("/my home", a="ro"), id="quotes"),
        pytest.param(r"/my\040home a(ro)", export("/my home", a="ro"), id="octal escape"),
        pytest.param("/home \\\n\t a(rw) \\\n  b(ro)\n", export("/home", a="rw", b="ro"), id="continued"),
        pytest.param("# no\n\n  /home a(ro) # the rest b(rw)\n", export("/home", a="ro"), id="comments"),
        pytest.param("/home -sync,ro a b(rw)", export("/home", a="sync ro", b="sync ro rw"), id="defaults"),
        pytest.param("/home", export("/home", **{"*": ""}), id="everybody"),
        pytest.param(
            "/home a (rw)", export("/home", a="", **{"*": "rw"}), id="a blank opens it to everybody"
        ),
        pytest.param("/home 10.0.0.0/8(fsid=7)", export("/home", **{"10.0.0.0/8": "fsid=7"}), id="network"),
        pytest.param("/home @group(sec=krb5:sys)", export("/home", **{"@group": "sec=krb5:sys"}), id="group"),
    ],
)
def test_a_line_is_read_as_the_server_reads_it(text: str, expected: Export) -> None:
    assert parse(text) == (expected,)


def test_a_file_without_exports_has_none() -> None:
    assert parse("# nothing\n\n   \n") == ()


def test_what_is_written_is_read_back_the_same() -> None:
    (found,) = parse(render(TREE, 14))
    shared = ("sync", "root_squash", "no_subtree_check", "fsid=14")
    assert found.path == "/opt/ohpc-aarch64/opt/ohpc/pub"
    assert found.clients == (
        Client(name="10.1.0.9", options=("rw", *shared)),
        Client(name="10.1.0.0/16", options=("ro", *shared)),
        Client(name="fd00::/64", options=("ro", *shared)),
    )


def test_nobody_is_root_in_what_is_written() -> None:
    assert "no_root_squash" not in render(TREE, 14)


@pytest.mark.parametrize(
    ("text", "fsids"),
    [
        ("/a b(fsid=12) c(ro,fsid=12)", {"12"}),
        ("/a b(fsid=root)", {"0"}),
        ("/a b(fsid=0)", {"0"}),
        ("/a -fsid=3 b", {"3"}),
        ("/a b(ro)", set()),
    ],
)
def test_fsids_are_found_wherever_they_stand(text: str, fsids: set[str]) -> None:
    assert parse(text)[0].fsids == fsids


@pytest.mark.parametrize(
    ("used", "kept", "expected"),
    [
        pytest.param((), "", 13, id="not one of the OpenHPC guides"),
        pytest.param(("13", "14", "0"), "", 15, id="not one that is used"),
        pytest.param(("13",), "21", 21, id="the former one again"),
        pytest.param(("21",), "21", 13, id="unless somebody took it"),
        pytest.param((), "0", 13, id="never the root of NFS 4"),
        pytest.param((), "8c7d2c60-0000", 13, id="a UUID is no number"),
    ],
)
def test_an_fsid_is_free_and_stays(used: tuple[str, ...], kept: str, expected: int) -> None:
    assert free_fsid(used, kept=kept) == expected


@pytest.mark.parametrize(("text", "root"), [("/a b(fsid=root)\n/c d", True), ("/a b(fsid=10)", False)])
def test_a_root_of_nfs_4_is_noticed(text: str, *, root: bool) -> None:
    assert has_root(parse(text)) is root
