from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from crossbuild.host import requirements


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ({"ID": "debian"}, "debian"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "debian"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "el"),
        ({"ID": "openEuler".lower()}, "el"),
        ({"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "suse"),
        ({"ID": "nixos"}, "other"),
        ({}, "other"),
    ],
)
def test_the_family_follows_os_release(release: dict[str, str], family: str) -> None:
    assert requirements.family_of(release) == family


def test_os_release_values_lose_their_quotes() -> None:
    text = "# comment\nID=\"rocky\"\nVERSION_ID='9.4'\n\n"
    assert requirements.parse_os_release(text) == {"ID": "rocky", "VERSION_ID": "9.4"}


@pytest.mark.parametrize("family", ["debian", "el", "suse"])
def test_every_family_names_a_package_for_every_core_program(family: str) -> None:
    core = [row.program for row in requirements.REQUIREMENTS if row.purpose == "core"]
    assert all(requirements.package_for(program, family) for program in core)


def test_packages_are_named_once_in_the_tables_order() -> None:
    names = requirements.packages("el", ("core",))
    assert names.count("util-linux") == 1
    assert names[0] == "tar"


def test_the_table_is_read_before_anything_is_installed() -> None:
    script = Path(requirements.__file__)
    done = subprocess.run(
        [sys.executable, "-I", "-S", script, "core"], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 3)
    assert not done.stderr or done.returncode == 3


def test_the_table_uses_no_syntax_newer_than_the_oldest_python_that_reads_it() -> None:
    ast.parse(Path(requirements.__file__).read_text(), feature_version=(3, 7))
    assert "from __future__ import annotations" not in Path(requirements.__file__).read_text()
