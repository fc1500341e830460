"""Specs that begin with a root or an image that is there already."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.builders.unpacking import unpack
from crossbuild.errors import ArtifactError
from crossbuild.host.command import capture
from crossbuild.host.docker_archive import plain_config
from crossbuild.model.architecture import Architecture
from tests.integration.base_forms import ATTRIBUTES, FORMS
from tests.integration.conftest import STATE, CommandLine
from tests.tree_comparison import differences, read_tree

ARM = Architecture.AARCH64
PART = ("bin", "sbin", "lib", "etc", "usr/bin", "usr/lib/os-release", "var/lib/dpkg/status")
"""Of a small root what makes a small one of it: a shell, a capability, links, owners."""
ROOTS = STATE / "prefix/var/chroots"
NAME = "test-imported"


@pytest.fixture(scope="module")
def tree(small_root: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of a real root, and what archives lose easily."""
    folder = tmp_path_factory.mktemp("bases") / "tree"
    folder.mkdir()
    argv = ["tar", "--create", *ATTRIBUTES, "--directory", str(ROOTS / small_root), "--file", "part.tar"]
    capture(["sh", "-ec", 'cd "$0"; shift 0; "$@"', str(folder.parent), *argv, *PART])
    packed = folder.parent / "part.tar"
    capture(["tar", "--extract", *ATTRIBUTES, "-p", "--directory", str(folder), "--file", str(packed)])
    (folder / "etc/hardlink").hardlink_to(folder / "etc/passwd")
    (folder / "etc/a name with\tblanks, \udcff").write_text("odd\n")
    (folder / "usr/bin/dash").with_name("special").write_bytes(b"#!/bin/sh\n")
    (folder / "usr/bin/special").chmod(0o6755)
    return folder


@pytest.mark.parametrize("form", FORMS)
def test_a_tree_is_the_same_whatever_held_it(tree: Path, tmp_path: Path, form: str) -> None:
    FORMS[form](tree, tmp_path / form)
    unpack(tmp_path / form, tmp_path / "root", ARM)
    expected, found = read_tree(tree), read_tree(tmp_path / "root")
    assert any(one.attributes for one in expected.values())
    if FORMS[form] is FORMS["root.img.gz"]:
        # cpio holds no attributes, and gives only files their times.
        expected = {
            path: replace(one, attributes=(), time=one.time if one.kind == "file" else found[path].time)
            for path, one in expected.items()
        }
    # Not every form keeps fractions of a second, nor the time of the tree's own folder.
    both = [
        {path: replace(one, time=one.time // 10**9) for path, one in each.items()}
        for each in (expected, found)
    ]
    assert {path: what for path, what in differences(*both).items() if path != "/"} == {}


def test_nothing_is_written_outside_by_a_link_in_an_archive(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link, file = tarfile.TarInfo("leads"), tarfile.TarInfo("leads/here")
    link.type, link.linkname = tarfile.SYMTYPE, str(outside)
    FORMS["root.tar"](tree, tmp_path / "root.tar")
    with tarfile.open(tmp_path / "root.tar", "a") as archive:
        archive.addfile(link)
        archive.addfile(file)
    shutil.rmtree(tmp_path / "root", ignore_errors=True)
    with pytest.raises(Exception, match="unpack"):
        unpack(tmp_path / "root.tar", tmp_path / "root", ARM)
    assert list(outside.iterdir()) == []


def test_a_root_for_another_architecture_is_refused_by_what_its_shell_is(tmp_path: Path) -> None:
    (tmp_path / "root/bin").mkdir(parents=True)
    shutil.copy("/bin/sh", tmp_path / "root/bin/sh")
    with pytest.raises(ArtifactError, match="no root for aarch64"):
        unpack(tmp_path / "root", tmp_path / "copy", ARM)
    config = plain_config(Architecture.X86_64, (), epoch=0)
    assert b"amd64" in config


def debian_spec(folder: Path, base: str, packages: str = "[nano]") -> Path:
    """Write a spec that adds *packages* to *base*."""
    path = folder / "imported.yaml"
    path.write_text(
        f'name: imported\ndistro: debian\nrelease: "12"\nkernel: false\nbase: {base}\n'
        f"packages: {packages}\noutputs: [warewulf4]\n"
    )
    return path


@pytest.fixture(scope="module")
def packed_root(small_root: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole small root in a file."""
    target = tmp_path_factory.mktemp("packed") / "root.tar.zst"
    FORMS["root.tar.zst"](ROOTS / small_root, target)
    return target


@pytest.fixture(scope="module")
def imported(crossbuild: CommandLine, packed_root: Path, small_root: str) -> Iterator[Path]:
    """A root that was made of it, with a package more."""
    spec = debian_spec(packed_root.parent, packed_root.name)
    crossbuild("root", "create", NAME, "--spec", str(spec), "--replace")
    yield ROOTS / NAME
    crossbuild("root", "remove", NAME)


def test_apt_adds_packages_to_what_is_there(crossbuild: CommandLine, imported: Path, small_root: str) -> None:
    before, after = read_tree(ROOTS / small_root), read_tree(imported)
    query = ("root", "run", NAME, "--", "dpkg-query", "--show", "--showformat=${Package} ")
    assert {"nano", "iputils-ping"} <= set(crossbuild(*query).stdout.split())
    changed = {path for path in differences(before, after) if path in before}
    # Nothing that was there went, and no package of it was unpacked again.
    assert {path for path in before if path not in after} == set()
    assert not {path for path in changed if path.startswith(("/usr/bin/ping", "/usr/bin/dash", "/usr/sbin"))}


def test_the_plan_names_the_base_and_what_is_added(
    crossbuild: CommandLine, packed_root: Path, imported: Path
) -> None:
    spec = debian_spec(packed_root.parent, packed_root.name)
    plan = json.loads(crossbuild("plan", "--json", str(spec)).stdout)
    assert plan["base"]["path"] == str(packed_root)
    assert {package["name"] for package in plan["packages"]["added"]} >= {"nano"}
    assert "iputils-ping" in {package["name"] for package in plan["packages"]["base"]}
    assert "iputils-ping" not in {package["name"] for package in plan["packages"]["added"]}
    assert [step["step"] for step in plan["layers"][0]["steps"]] == ["import"]
    assert str(packed_root) in crossbuild("plan", str(spec)).stdout


@pytest.mark.parametrize(
    ("base", "distro", "status", "said"),
    [
        ("nothing-there", 'debian\nrelease: "12"', 2, "names a base that cannot be read"),
        ("root.tar.zst", 'rocky\nrelease: "9"', 2, "no root of rocky 9"),
        ("cut-off.tar.zst", 'debian\nrelease: "12"', 1, "is damaged"),
    ],
)
def test_a_base_that_cannot_serve_is_refused(
    crossbuild: CommandLine, packed_root: Path, base: str, distro: str, status: int, said: str
) -> None:
    (packed_root.parent / "cut-off.tar.zst").write_bytes(packed_root.read_bytes()[: 1 << 20])
    spec = packed_root.parent / "refused.yaml"
    spec.write_text(f"name: refused\ndistro: {distro}\nkernel: false\nbase: {base}\noutputs: [warewulf4]\n")
    done = crossbuild("root", "create", "test-refused", "--spec", str(spec), check=False)
    assert (done.status, said in " ".join(done.stderr.split())) == (status, True), done.stderr
    assert not (ROOTS / "test-refused").exists()
