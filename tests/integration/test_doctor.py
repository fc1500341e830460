"""The doctor names what is wrong with a handler, by running programs through it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossbuild.host.binfmt import aarch64_handler, render_line
from crossbuild.host.command import capture
from tests.integration.private_host import CROSSBUILD, run_privately

pytestmark = pytest.mark.real

QEMU = "/usr/bin/qemu-aarch64-static"
ALL_OK = {"run": "ok", "argv0": "ok", "chroot": "ok", "setuid": "ok"}


@pytest.mark.parametrize(
    ("flags", "expected", "ready"),
    [
        pytest.param("POF", ALL_OK, True, id="as setup registers it"),
        pytest.param("POCF", ALL_OK, True, id="with credentials"),
        pytest.param("OF", {**ALL_OK, "argv0": "warning"}, True, id="argv[0] lost"),
        pytest.param("PO", {**ALL_OK, "chroot": "failed"}, False, id="qemu not to be found in a chroot"),
    ],
)
def test_doctor_says_which_probe_fails(
    tmp_path: Path, flags: str, expected: dict[str, str], ready: bool
) -> None:
    line = render_line(aarch64_handler(QEMU, flags))
    (tmp_path / "line").write_text(line)
    done = run_privately(
        f"""
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
        cat line > /proc/sys/fs/binfmt_misc/register
        {" ".join(CROSSBUILD)} doctor --json || test $? = 3
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    checks = {check["name"]: check for check in report["checks"]}
    assert {name: checks[name]["status"] for name in expected} == expected
    assert all(checks[name]["remedy"] for name, status in expected.items() if status != "ok")
    assert report["ready"] is ready


def test_a_handler_of_somebody_else_with_credentials_is_a_danger_to_name(tmp_path: Path) -> None:
    line = render_line(aarch64_handler(QEMU, "POCF")).replace(":crossbuild-aarch64:", ":other:")
    (tmp_path / "line").write_text(line)
    done = run_privately(
        f"""
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
        cat line > /proc/sys/fs/binfmt_misc/register
        {" ".join(CROSSBUILD)} doctor --json
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["setuid"]["status"] == checks["handler other"]["status"] == "warning"
    assert "become root" in checks["setuid"]["details"]


SHIFTING = f"""
#include <unistd.h>
int main(int count, char **arguments)
{{
	char *shifted[count + 2];

	for (int at = 0; at <= count; at++)
		shifted[at] = arguments[at];
	if (count > 2) {{
		shifted[count] = "one too many";
		shifted[count + 1] = 0;
	}}
	return execv("{QEMU}", shifted);
}}
"""
"""A static qemu that says its version, runs programs, and does one thing wrong."""


def test_every_qemu_is_measured_and_one_that_is_wrong_is_never_recommended(tmp_path: Path) -> None:
    wrong = tmp_path / "qemu-aarch64"
    capture(["cc", "-static", "-x", "c", "-o", str(wrong), "-"], stdin=SHIFTING)
    (tmp_path / "config.yaml").write_text(f"qemu: {wrong}\n")
    (tmp_path / "line").write_text(render_line(aarch64_handler(QEMU, "POF")))
    done = run_privately(
        f"""
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
        cat line > /proc/sys/fs/binfmt_misc/register
        {" ".join(CROSSBUILD)} --config config.yaml doctor --measure --json
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)["measured"]
    measured = {entry["handler"] or entry["path"]: entry for entry in report["qemu"]}
    assert measured[str(wrong)]["faults"] == ["2 arguments arrive as 3."]
    assert measured[str(wrong)]["times"] is None
    for name in (QEMU, "crossbuild-aarch64"):
        assert measured[name]["faults"] == []
        assert measured[name]["in_use"]
        assert measured[name]["times"]["start"] > 0
        assert measured[name]["times"]["computing"] > 0
    assert report["advice"]["path"] == QEMU


def test_measuring_needs_neither_root_nor_a_handler(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    # All folders above it but the host's own two.
    closed = " ".join(map(str, tmp_path.parents[:-2]))
    done = run_privately(
        f"""
        chmod a+rx {closed}
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
        HOME=/ {as_nobody} {" ".join(CROSSBUILD)} doctor --measure || test $? = 3
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert f"at {QEMU}" in done.stdout.partition("Recommended: ")[2]
    assert "then run `sudo crossbuild setup`" in done.stdout
