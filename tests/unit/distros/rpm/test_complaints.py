"""Every failure has its own words: what dnf, zypper and rpm say, and the error that it becomes."""

from __future__ import annotations

import pytest

from crossbuild.distros.rpm.complaints import Knowledge, alarms, explain
from crossbuild.errors import BuildFailedError, CommandFailedError, CrossbuildError, SpecError, StorageError
from tests.unit.specs import make_spec

SPEC = make_spec(distro="rocky", release="9", packages=("bash", "crony"))


def told(said: str, names: tuple[str, ...] = ()) -> CrossbuildError:
    error = CommandFailedError("`dnf` exited with status 1.", status=1, details=said)
    return explain(error, SPEC, Knowledge(names=lambda: [*names]))


@pytest.mark.parametrize(
    ("said", "kind", "word"),
    [
        ("No match for argument: crony", SpecError, "no package `crony`"),
        ("No provider of 'crony' found.", SpecError, "no package `crony`"),
        ("- nothing provides libatm.so.1()(64bit) needed by iproute-6", SpecError, "together"),
        ("Package x-1-1.noarch.rpm is not signed\nError: GPG check FAILED", BuildFailedError, "signed by"),
        ("repomd.xml GPG signature verification error: Bad GPG signature", BuildFailedError, "signed by"),
        ("Signature verification failed for file 'repomd.xml'.", BuildFailedError, "signed by"),
        ("  file /a from install of b-1 conflicts with file from package c", BuildFailedError, "same name"),
        ("Detected 1 file conflict:", BuildFailedError, "same name"),
        ("  - Status code: 404 for http://m/9.9/repodata/repomd.xml ", BuildFailedError, "address"),
        ("  - Curl error (7): Couldn't connect to server for http://m/", BuildFailedError, "reached"),
        ("Error: Error downloading packages:\n  Cannot download x.rpm", BuildFailedError, "lists"),
        ("Package \"x\" from repository \"a\" has incorrect checksum", BuildFailedError, "promises"),
        ("  installing package a needs 20MB more space on the / filesystem", StorageError, "full"),
        ("cpio: write failed - No space left on device", StorageError, "full"),
    ],
)  # fmt: skip
def test_what_package_managers_say_becomes_one_clear_error(
    said: str, kind: type[CrossbuildError], word: str
) -> None:
    error = told(said)
    assert type(error) is kind
    assert word in error.brief
    assert said in error.details
    assert error.resolution


def test_a_script_that_failed_is_named_with_its_package_and_its_status() -> None:
    error = told("warning: %post(hello2-1.0-2.el9.noarch) scriptlet failed, exit status 127\n")
    assert "hello2-1.0-2.el9.noarch" in error.brief
    assert "%post: exit status 127" in error.details


@pytest.mark.parametrize(
    ("said", "package", "script"),
    [
        ("Warning: a-1-1.noarch.rpm %posttrans script failed (returned 7)", "a-1-1.noarch", "%posttrans"),
        ('error: lua script failed: [string "%post(b-1-1.noarch)"]:1: no', "b-1-1.noarch", "%post"),
    ],
)
def test_scripts_in_lua_and_those_that_zypper_runs_are_named_too(
    said: str, package: str, script: str
) -> None:
    assert alarms(said)
    error = told(said)
    assert package in error.brief
    assert error.details.startswith(f"{script}: ")


def test_a_package_of_the_other_architecture_alone_is_told_with_its_repository() -> None:
    said = "- package only-x86-1-1.x86_64 does not have a compatible architecture"
    error = explain(
        CommandFailedError("`dnf` exited with status 1.", status=1, details=said),
        SPEC,
        Knowledge(elsewhere=lambda name: [f"has-{name}"]),
    )
    assert error.brief == "The package `only-x86` is there for x86_64 only."
    assert "has-only-x86" in error.details


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    assert "chrony" in told("No match for argument: crony", ("chrony", "bash")).resolution
    assert "packages[1]" in told("No match for argument: crony").details


def test_what_nobody_knows_is_left_as_it_is() -> None:
    error = CommandFailedError("`dnf` exited with status 1.", status=1, details="Segmentation fault")
    assert explain(error, SPEC, Knowledge()) is error


@pytest.mark.parametrize(
    ("line", "alarming"),
    [
        ("warning: %post(a-1.noarch) scriptlet failed, exit status 3", True),
        ("warning: %triggerin(a-1.noarch) scriptlet failed, signal 11", True),
        ("/var/tmp/rpm-tmp.1: line 1: /usr/bin/x: cannot execute binary file: Exec format error", True),
        ("qemu: uncaught target signal 11 (Segmentation fault) - core dumped", True),
        ("error: unpacking of archive failed on file /usr/a;1: cpio: open failed", True),
        ("  Running scriptlet: a-1.noarch     1/4", False),
        ("Created symlink /etc/systemd/system/x.service.", False),
    ],
)
def test_failures_that_package_managers_pass_over_are_heard(line: str, alarming: bool) -> None:
    assert alarms(line) is alarming
