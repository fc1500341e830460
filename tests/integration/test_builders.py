"""Builders without an engine: what runs in one, what it keeps, and how it goes back."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.host.command import capture
from crossbuild.model.site import Site
from tests.integration.builder_rig import TestBuilder
from tests.integration.conftest import CommandLine
from tests.integration.terminal_rig import PATIENCE

NAME = "test-builder"


@pytest.fixture(scope="module")
def builder(crossbuild: CommandLine) -> Iterator[TestBuilder]:
    """A builder with package indexes, as a user makes it."""
    crossbuild("builder", "remove", NAME, check=False)
    crossbuild("builder", "create", NAME, "--engine", "sandbox")
    crossbuild("run", "--builder", NAME, "apt-get", "update")
    yield TestBuilder(crossbuild, NAME)
    crossbuild("builder", "remove", NAME)


def test_a_command_runs_on_aarch64_and_as_root(builder: TestBuilder) -> None:
    assert builder.sh("uname -m; id -u; hostname; pwd") == "aarch64\n0\naarch64\n/\n"


def test_arguments_arrive_byte_for_byte(builder: TestBuilder) -> None:
    words = [b"a b", b"", b"*", b"$HOME", b"--help", b"-b", b"new\nline", b"\xff\xfe", b"'", b'"', b"--"]
    argv = [*map(os.fsencode, builder.argv("--", "printf", r"%s\0")), *words]
    assert subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout == b"".join(
        word + b"\0" for word in words
    )


def test_standard_streams_pass_through_byte_for_byte(builder: TestBuilder) -> None:
    data = bytes(range(256)) * 1000
    argv = builder.argv("sh", "-c", "cat; echo bad >&2")
    done = subprocess.run(argv, input=data, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (data, b"bad\n")


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
)
def test_the_exit_status_passes_through(builder: TestBuilder, script: str, status: int) -> None:
    builder.sh(script, status=status)


def test_a_program_that_does_not_exist_ends_as_a_shell_would(builder: TestBuilder) -> None:
    result = capture(builder.argv("no-such-program"), check=False)
    assert (result.status, "no-such-program" in result.stderr) == (127, True)


def test_a_command_whose_reader_has_gone_is_ended_by_that(builder: TestBuilder) -> None:
    assert builder.sh("bash -c 'set -o pipefail; yes | head -n 1'; echo $?") == "y\n141\n"


def test_sigterm_reaches_the_command(builder: TestBuilder) -> None:
    script = "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    with subprocess.Popen(builder.argv("sh", "-c", script), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "got it\n"
    assert process.returncode in {9, 143}


def test_nothing_that_the_host_has_open_is_lent(builder: TestBuilder) -> None:
    host = os.open("/", os.O_RDONLY)
    done = subprocess.run(
        builder.argv("ls", "/proc/self/fd"), stdout=subprocess.PIPE, pass_fds=[host], text=True, check=True
    )
    os.close(host)
    assert set(done.stdout.split()) <= {"0", "1", "2", "3"}


def test_runs_side_by_side_share_one_tree(builder: TestBuilder) -> None:
    """Each sees at once what the other writes, and a lock of one keeps the other out."""
    first = subprocess.Popen(
        builder.argv("sh", "-c", "mkfifo /root/a /root/b; echo made; cat /root/a; flock /root/l cat /root/b"),
        stdout=subprocess.PIPE,
        text=True,
    )
    with first:
        assert first.stdout is not None
        assert first.stdout.readline() == "made\n"
        builder.sh("echo through > /root/a")
        assert first.stdout.readline() == "through\n"
        locked = "until ! flock --nonblock /root/l true; do sleep 0.1; done; echo end > /root/b"
        builder.sh(locked)
        assert first.stdout.readline() == "end\n"
    assert first.returncode == 0
    builder.sh("rm /root/a /root/b /root/l")


def test_what_is_installed_is_there_in_the_next_run(builder: TestBuilder) -> None:
    capture(builder.argv("apt-get", "install", "--yes", "hello"))
    assert builder.sh("hello") == "Hello, world!\n"
    assert "ok installed" in builder.sh("dpkg-query --show --showformat '${Status}' hello")
    changes = [change["argv"] for change in builder.record()["changes"]]
    assert changes[-1] == ["apt-get", "install", "--yes", "hello"]


def test_what_a_change_did_is_taken_back_to_the_automatic_snapshot(builder: TestBuilder) -> None:
    capture(
        builder.argv(
            "--changes", "sh", "-c", "rm -r /usr/share/doc; mkdir /usr/share/doc; echo x > /etc/issue"
        )
    )
    assert builder.sh("ls /usr/share/doc; cat /etc/issue") == "x\n"
    builder.crossbuild("builder", "rollback", builder.name)
    assert "apt" in builder.sh("ls /usr/share/doc").split()
    assert builder.sh("cat /etc/issue") != "x\n"


def test_snapshots_are_kept_until_they_are_forgotten(builder: TestBuilder) -> None:
    def keep(content: str) -> None:
        builder.sh(
            'echo "$1" > /root/state; rm -rf /root/folder; mkdir /root/folder; touch /root/folder/"$1"',
            content,
        )
        builder.crossbuild("builder", "snapshot", builder.name, content)

    for content in ("one", "two", "three"):
        keep(content)
    builder.sh("rm /root/state")
    builder.crossbuild("builder", "forget", builder.name, "two")
    builder.sh("test ! -e /root/state; ls /root/folder | grep --line-regexp three")
    builder.crossbuild("builder", "rollback", builder.name, "three")
    assert builder.sh("cat /root/state; ls /root/folder") == "three\nthree\n"
    builder.crossbuild("builder", "rollback", builder.name, "one")
    assert builder.sh("cat /root/state; ls /root/folder") == "one\none\n"
    assert [snapshot["name"] for snapshot in builder.record()["snapshots"]][-1] == "one"


def test_a_run_that_was_killed_in_the_middle_is_taken_back(builder: TestBuilder, site: Site) -> None:
    script = "echo broken > /var/lib/dpkg/status; echo begun; exec sleep 1000"
    with subprocess.Popen(
        builder.argv("--changes", "sh", "-c", script), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.kill()
    told = capture(builder.argv("cat", "/var/lib/dpkg/status"))
    assert told.stdout == "broken\n"
    assert f"crossbuild builder rollback {builder.name}" in told.stderr
    assert "killed" not in capture(builder.argv("true")).stderr
    builder.crossbuild("builder", "rollback", builder.name)
    assert "Package: dpkg" in builder.sh("cat /var/lib/dpkg/status")
    assert str(site.state) not in Path("/proc/self/mountinfo").read_text()


def test_a_package_manager_that_was_killed_is_taken_back(builder: TestBuilder) -> None:
    with subprocess.Popen(
        builder.argv("apt-get", "install", "--yes", "cowsay"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert any("Unpacking cowsay" in line for line in process.stdout)
        process.kill()
    builder.crossbuild("builder", "rollback", builder.name)
    assert builder.sh("dpkg --audit; dpkg-query --list cowsay 2>&1 | grep -c '^ii' || true") == "0\n"


def test_changes_wait_for_one_another(builder: TestBuilder) -> None:
    with subprocess.Popen(
        builder.argv("--changes", "sh", "-c", "echo begun; read line; touch /root/first"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        assert first.stdout.readline() == "begun\n"
        second = subprocess.Popen(
            builder.argv("--changes", "ls", "/root/first"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with second:
            assert second.stderr is not None
            assert "waiting for it to end" in second.stderr.readline()
            first.stdin.write("\n")
            first.stdin.close()
            assert second.wait(PATIENCE) == 0


def test_mounts_are_the_host_s_folders(builder: TestBuilder, site: Site) -> None:
    builder.sh("echo exported > /opt/ohpc/pub/test-builder")
    exported = site.prefix / "opt/ohpc/pub/test-builder"
    assert exported.read_text() == "exported\n"
    exported.unlink()
    assert "var/chroots" in builder.sh("grep /var/chroots /proc/mounts")


def test_a_device_of_the_host_cannot_be_reached_through_a_mount(builder: TestBuilder) -> None:
    script = "mknod disk b 254 0; dd if=disk of=/dev/null count=1; status=$?; rm disk; exit $status"
    builder.sh(f"cd /opt/ohpc/pub; {script}", status=1)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("run", "--builder", "nonesuch", "true"), 2, "no builder `nonesuch`"),
        (("run", "--builder", "../x", "true"), 2, "cannot be the name"),
        (("builder", "create", NAME), 2, "already"),
        (("builder", "create", "x/y"), 2, "cannot be the name"),
        (("builder", "create", "other", "--from-root", "nonesuch"), 2, "no root `nonesuch`"),
        (("builder", "create", "other", "--mount", "here"), 2, "--mount"),
        (("builder", "rollback", NAME, "nonesuch"), 2, "no snapshot `nonesuch`"),
        (("builder", "snapshot", NAME, "a/b"), 2, "cannot be the name"),
        (("builder", "remove", "nonesuch"), 2, "no builder `nonesuch`"),
    ],
)
@pytest.mark.usefixtures("builder")
def test_what_cannot_be_is_refused_in_words(
    crossbuild: CommandLine, arguments: tuple[str, ...], status: int, said: str
) -> None:
    result = crossbuild(*arguments, check=False)
    assert (result.status, said in result.stderr) == (status, True), result.stderr


def test_a_builder_is_made_of_a_root_that_stays(crossbuild: CommandLine, small_root: str, site: Site) -> None:
    crossbuild("builder", "create", "test-copy", "--engine", "sandbox", "--from-root", small_root)
    crossbuild("run", "--builder", "test-copy", "touch", "/root/only-here")
    assert not (site.roots / small_root / "root/only-here").exists()
    assert (
        "cap_net_raw=ep"
        in capture(["getcap", "-r", str(site.state / "builders/test-copy/tree/layers/0/usr/bin")]).stdout
    )
    crossbuild("builder", "remove", "test-copy")
    assert not (site.state / "builders/test-copy").exists()


def test_a_root_of_another_architecture_is_refused(crossbuild: CommandLine, site: Site) -> None:
    foreign = site.roots / "test-foreign"
    (foreign / "usr/bin").mkdir(parents=True)
    (foreign / "bin").symlink_to("usr/bin")
    (foreign / "usr/bin/sh").write_bytes(Path("/bin/sh").read_bytes())
    result = crossbuild(
        "builder", "create", "other", "--engine", "sandbox", "--from-root", "test-foreign", check=False
    )
    crossbuild("root", "remove", "test-foreign")
    assert (result.status, "no root for aarch64" in result.stderr) == (1, True)
    assert "other" not in crossbuild("builder", "list").stdout
