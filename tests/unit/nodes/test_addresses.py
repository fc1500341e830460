"""An address is what ssh may get on its command line, and nothing else."""

from __future__ import annotations

import pytest

from crossbuild.errors import UsageError
from crossbuild.nodes.addresses import parse_ssh_address

GOOD = {
    "arm1": ["--", "arm1"],
    "build@arm1.example.org:2222": ["-p", "2222", "-l", "build", "--", "arm1.example.org"],
    "build@realm@arm1": ["-l", "build@realm", "--", "arm1"],
    "10.0.0.1:22": ["-p", "22", "--", "10.0.0.1"],
    "[fe80::1]:2222": ["-p", "2222", "--", "fe80::1"],
    "root@fe80::1": ["-l", "root", "--", "fe80::1"],
}


@pytest.mark.parametrize("text", GOOD)
def test_each_part_of_an_address_gets_its_place(text: str) -> None:
    assert parse_ssh_address(text).arguments == GOOD[text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@arm1",
        "-oProxyCommand=reboot",
        "-l@arm1",
        "arm1:",
        "arm1:0",
        "arm1:65536",
        "arm1:22:22",
        "arm1; rm -rf /",
        "arm 1",
        "$(id)@arm1",
        "arm1\n",
        "[arm1",
        "ssh://arm1",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_ssh_address(text)
