from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from crossbuild.host.ganesha import free_id, include_line, parse, render
from crossbuild.model.export import Grant, SharedTree

TREE = SharedTree(
    path=Path("/srv/pub"),
    grants=(
        Grant(client=ip_address("10.1.0.9"), write=True),
        Grant(client=ip_network("10.1.0.0/16"), write=False),
    ),
)
SITE = """\
# Export_Id = 1; Path = /commented;
NFS_CORE_PARAM { Mount_Path_Pseudo = true; }
%include "exports/home.conf"
  %dir '/srv/ganesha'
EXPORT { export_id=0x10; Path = /home ; Pseudo = /h; FSAL { Name = VFS; } }  # Path = /other;
EXPORT
{
    Export_Id = 017;
    Path = "/my files";
}
"""


def test_a_configuration_is_read_as_far_as_it_matters() -> None:
    found = parse(SITE)
    assert found.ids == {16, 15}
    assert found.paths == {"/home", "/my files"}
    assert found.files == (Path("/etc/ganesha/exports/home.conf"),)
    assert found.folders == (Path("/srv/ganesha"),)


def test_what_is_written_is_read_back_the_same() -> None:
    found = parse(render(TREE, 14))
    assert found.ids == {14}
    assert found.paths == {"/srv/pub"}


def test_who_may_write_stands_before_the_network_that_may_not() -> None:
    clients = [line.strip() for line in render(TREE, 14).splitlines() if "CLIENT {" in line]
    assert clients == [
        "CLIENT { Clients = 10.1.0.9; Access_Type = RW; Squash = root_squash; }",
        "CLIENT { Clients = 10.1.0.0/16; Access_Type = RO; Squash = root_squash; }",
    ]


def test_whom_no_block_names_may_nothing_and_nobody_is_root() -> None:
    text = render(TREE, 14)
    assert "    Access_Type = None;" in text
    assert "no_root_squash" not in text


def test_the_line_that_includes_a_file_is_understood() -> None:
    assert parse(include_line(Path("/etc/ganesha/own.conf"))).files == (Path("/etc/ganesha/own.conf"),)


@pytest.mark.parametrize(
    ("used", "kept", "expected"), [((), 0, 13), ((13, 14), 0, 15), ((13,), 20, 20), ((20,), 20, 13)]
)
def test_an_id_is_free_and_stays(used: tuple[int, ...], kept: int, expected: int) -> None:
    assert free_id(used, kept=kept) == expected
