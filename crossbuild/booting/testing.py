"""Tests of the spec's author, run by pytest and testinfra on this host against the machine, over SSH.

The machine gets an SSH server with keys of this one boot, in its /run, whatever the image's own server says.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path

from crossbuild.booting.machine import ADDRESS
from crossbuild.errors import HostNotReadyError
from crossbuild.host.command import CommandResult, capture
from crossbuild.model.boot import BootCheck, CheckResult
from crossbuild.model.spec import CheckFile

PORT = 2222
"""Of the machine's server."""
SECONDS = 600
SERVER = f"""\
Port {PORT}
HostKey /run/crossbuild/host_key
AuthorizedKeysFile /run/crossbuild/authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
PidFile none
"""
CLIENT = """\
Host machine
  HostName {address}
  Port {port}
  User root
  IdentityFile {folder}/key
  IdentitiesOnly yes
  BatchMode yes
  UserKnownHostsFile {folder}/known_hosts
  StrictHostKeyChecking yes
"""


def require_testinfra() -> None:
    """Raise HostNotReadyError unless this Python has what runs the tests."""
    if importlib.util.find_spec("testinfra") is None:
        raise HostNotReadyError(
            "The checks of this image need testinfra, which is not installed.",
            details=f"It was looked for by {sys.executable}.",
            resolution=f"Run `{sys.executable} -m pip install 'crossbuild[boot]'`.",
        )


def make_keys(folder: Path) -> Path:
    """Make keys for one boot in the new *folder*; return the part of it that belongs into the machine."""
    handed = folder / "machine"
    handed.mkdir(parents=True, mode=0o700)
    for key in (folder / "key", handed / "host_key"):
        capture(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "crossbuild", "-f", os.fspath(key)])
    (handed / "authorized_keys").write_bytes((folder / "key.pub").read_bytes())
    (handed / "sshd_config").write_text(SERVER)
    kind, key_text = (handed / "host_key.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"[{ADDRESS}]:{PORT} {kind} {key_text}\n")
    (folder / "ssh_config").write_text(CLIENT.format(address=ADDRESS, port=PORT, folder=folder))
    return handed


def run_tests(tests: Sequence[CheckFile], folder: Path) -> Iterator[BootCheck]:
    """Run *tests* against the machine whose keys are in *folder*; yield a check for each test in them."""
    for test in tests:
        place = folder / f"test_{test.name.removeprefix('test_')}"
        place.write_text(test.content, encoding="utf-8")
        report = folder / "report.xml"
        report.unlink(missing_ok=True)
        done = capture(_argv(place, report, folder), check=False, timeout=SECONDS)
        found = tuple(_cases(report, test.name)) if report.is_file() else ()
        yield from found or (_unusable(test, done),)


def _argv(place: Path, report: Path, folder: Path) -> list[str]:
    return [
        sys.executable,
        "-m", "pytest",
        "--quiet",
        "-p", "no:cacheprovider",
        "--rootdir", os.fspath(folder),  # no configuration of whatever folder this runs in
        "--config-file", os.devnull,
        "--hosts", "ssh://machine",
        "--ssh-config", os.fspath(folder / "ssh_config"),
        "--junit-xml", os.fspath(report),
        os.fspath(place),
    ]  # fmt: skip


def _cases(report: Path, name: str) -> Iterator[BootCheck]:
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        title = f"test {name}::{case.get('name', '').partition('[')[0]}"
        problem = next((child for child in case if child.tag in {"failure", "error"}), None)
        skipped = case.find("skipped")
        if problem is not None:
            found = (problem.get("message") or problem.text or problem.tag).strip().splitlines()[0]
            yield BootCheck(check=title, result=CheckResult.FAILED, found=found)
        elif skipped is not None:
            yield BootCheck(check=title, result=CheckResult.SKIPPED, found=skipped.get("message", ""))
        else:
            yield BootCheck(check=title, result=CheckResult.OK, found="passed")


def _unusable(test: CheckFile, done: CommandResult) -> BootCheck:
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    found = said[-1] if said else f"pytest ended with status {done.status}"
    return BootCheck(check=f"test {test.name}", result=CheckResult.FAILED, found=found)
