"""`crossbuild openhpc`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossbuild.cli.main import run

SPEC = 'name: node\ndistro: rocky\nrelease: "9"\n'
OPENHPC = 'openhpc: {release: "3.1", groups: [slurm-client]}\n'


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    Path("with.yaml").write_text(SPEC + OPENHPC)
    Path("without.yaml").write_text(SPEC)


def test_releases_are_listed_with_what_they_are_made_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["openhpc", "list"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["RELEASE", "COMPILER", "MPI", "KEY", "DISTRIBUTIONS"]
    assert rows[1].split() == ["1.3.9", "gnu8", "openmpi3", "not", "known", "centos", "7"]
    assert "3.0      gnu12     openmpi4  known      rocky 9, almalinux 9, rhel 9," in rows[7]


def test_releases_for_programs_have_the_parts_of_package_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["openhpc", "list", "--json"]) == 0
    last = json.loads(capsys.readouterr().out)[-1]
    assert last["toolchain"]["slurm_mpi"] == "openmpi5-pmix"
    assert "openeuler 24.03" in last["distributions"]


def test_packages_are_those_of_the_specs_groups(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["openhpc", "packages", "with.yaml"]) == 0
    assert capsys.readouterr().out == "ohpc-slurm-client\n"


def test_packages_of_other_groups_are_those_of_the_specs_release(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["openhpc", "packages", "with.yaml", "compilers", "mpi"]) == 0
    expected = ["gnu13-compilers-ohpc", "openmpi5-pmix-gnu13-ohpc", "mpich-ofi-gnu13-ohpc"]
    assert capsys.readouterr().out.splitlines() == expected


def test_packages_for_programs_come_by_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["openhpc", "packages", "with.yaml", "runtimes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "release": "3.1",
        "groups": [{"group": "runtimes", "packages": ["ohpc-gnu13-runtimes"]}],
    }


def test_a_spec_without_openhpc_is_told_what_it_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["openhpc", "packages", "without.yaml"]) == 2
    assert "asks for nothing of OpenHPC" in capsys.readouterr().err
