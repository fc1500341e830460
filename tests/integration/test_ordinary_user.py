"""Ordinary users build, too: in a private namespace, with the bytes that root gets, the host untouched."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.errors import HostNotReadyError
from crossbuild.host.binfmt import read_handlers
from tests.integration.conftest import CROSSBUILD, STATE, CommandLine
from tests.integration.ordinary_user import ID, NAME, OrdinaryUser, make_user

SPEC = """\
name: minimal
distro: debian
release: "12"
kernel: false
outputs: [warewulf4]
"""


@pytest.fixture(scope="module")
def user() -> Iterator[OrdinaryUser]:
    """A user who starts with nothing but downloaded packages."""
    home = STATE / "user"
    shutil.rmtree(home, ignore_errors=True)
    made = make_user(home)
    archives = home / ".local/state/crossbuild/cache/apt/archives"
    if (STATE / "state/cache/apt/archives").is_dir():
        shutil.copytree(STATE / "state/cache/apt/archives", archives)
    for path in (home / ".local", *(home / ".local").rglob("*")):
        os.chown(path, ID, ID)
    (home / "minimal.yaml").write_text(SPEC)
    yield made
    shutil.rmtree(home)


def record(folder: Path) -> dict[str, object]:
    made = json.loads((folder / "image.json").read_text())
    assert isinstance(made, dict)
    return made


def test_a_build_of_an_ordinary_user_has_the_bytes_of_root_s(
    user: OrdinaryUser, crossbuild: CommandLine, tmp_path: Path
) -> None:
    before = read_handlers()
    done = user.run(CROSSBUILD, "build", "minimal.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    crossbuild("build", str(user.home / "minimal.yaml"), "--output", str(tmp_path))
    crossbuild("artifacts", "diff", str(user.home / "out/minimal"), str(tmp_path / "minimal"))
    build = record(user.home / "out/minimal")["build"]
    assert isinstance(build, dict)
    assert build["programs_native"] > 20 * build["programs_emulated"] > 0
    assert read_handlers() == before
    owners = {path.stat().st_uid for path in (user.home / "out").rglob("*")}
    assert owners == {ID}


def test_an_ordinary_user_makes_enters_and_removes_roots(user: OrdinaryUser) -> None:
    done = user.run(CROSSBUILD, "root", "create", "mine")
    assert done.returncode == 0, done.stderr
    script = "uname -m; id -u; touch /root/a; chown 33:33 /root/a; stat -c %u /root/a; ls /sys/class/net"
    done = user.run(CROSSBUILD, "root", "run", "mine", "sh", "-c", script)
    assert done.stdout.split()[:3] == ["aarch64", "0", "33"], done.stderr
    assert "lo" in done.stdout.split()
    assert user.run(CROSSBUILD, "root", "run", "mine", "sh", "-c", "exit 7").returncode == 7
    listed = user.run(CROSSBUILD, "root", "list", "--json")
    assert [found["name"] for found in json.loads(listed.stdout)] == ["mine"]
    _keeps_a_builder(user)
    assert user.run(CROSSBUILD, "root", "remove", "mine").returncode == 0
    assert not list((user.home / ".local/state/crossbuild/prefix/var/chroots").glob("[!.]*"))


def _keeps_a_builder(user: OrdinaryUser) -> None:
    def done(*words: str) -> str:
        result = user.run(CROSSBUILD, *words)
        assert result.returncode == 0, result.stderr
        return result.stdout

    done("builder", "create", "--from-root", "mine")
    done(
        "run", "--changes", "sh", "-c", "rm -r /usr/share/doc; echo changed > /etc/issue; chown 33 /etc/issue"
    )
    assert done("run", "stat", "--format", "%u", "/etc/issue") == "33\n"
    done("builder", "save", "default", "saved.bundle")
    done("builder", "rollback", "default")
    assert done("run", "stat", "--format", "%u", "/etc/issue") == "0\n"
    done("builder", "load", "saved.bundle", "--name", "loaded")
    script = (
        "cat /etc/issue; stat --format %u /etc/issue; ls /usr/share | grep --line-regexp doc || echo gone"
    )
    assert done("run", "--builder", "loaded", "sh", "-c", script) == "changed\n33\ngone\n"
    for name in ("default", "loaded"):
        done("builder", "remove", name)


def test_the_doctor_tries_what_builds_of_this_user_do(user: OrdinaryUser) -> None:
    done = user.run(CROSSBUILD, "doctor", "--json")
    assert done.returncode == 0, done.stderr
    checks = {check["name"]: check["status"] for check in json.loads(done.stdout)["checks"]}
    wanted = ("private namespace", "handler", "run", "chroot", "capabilities", "speed")
    assert {name: checks[name] for name in wanted} == dict.fromkeys(wanted, "ok")


def test_without_subordinate_ids_the_remedy_is_named(user: OrdinaryUser) -> None:
    poor = OrdinaryUser(home=user.home, subordinate=f"{NAME}:1200000:1000\n")
    done = poor.run(CROSSBUILD, "root", "create", "mine")
    assert done.returncode == HostNotReadyError.exit_code
    assert f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {NAME}" in done.stderr
    assert "Traceback" not in done.stderr


def test_where_the_kernel_allows_no_namespaces_that_is_said(user: OrdinaryUser, tmp_path: Path) -> None:
    # In a chroot the kernel refuses user namespaces.
    tmp_path.chmod(0o755)
    done = user.run(CROSSBUILD, "root", "create", "mine", chroot=tmp_path)
    assert done.returncode == HostNotReadyError.exit_code
    assert "does not let ordinary users make namespaces" in done.stderr
