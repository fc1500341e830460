"""Terminals in builders without an engine: shells, sizes of windows, interrupts, and lines that go dead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.host.command import capture
from crossbuild.model.site import Site
from tests.integration.builder_rig import PATIENCE, Terminal, TestBuilder, on_terminal
from tests.integration.conftest import CommandLine

NAME = "test-terminals"


@pytest.fixture(scope="module")
def builder(crossbuild: CommandLine) -> Iterator[TestBuilder]:
    """A builder, as a user makes it."""
    crossbuild("builder", "remove", NAME, check=False)
    crossbuild("builder", "create", NAME, "--engine", "sandbox")
    yield TestBuilder(crossbuild, NAME)
    crossbuild("builder", "remove", NAME)


@pytest.fixture
def shell(builder: TestBuilder) -> Iterator[Terminal]:
    with on_terminal(builder.crossbuild.argv("shell", "--builder", builder.name)) as terminal:
        terminal.wait_for("@aarch64")
        yield terminal


def test_the_shell_has_a_terminal_of_its_own(shell: Terminal) -> None:
    shell.type("uname -m; tty\n")
    shell.wait_for("\naarch64\r\n/dev/pts/0\r\n")
    shell.type("exit 3\n")
    assert shell.status() == 3


def test_the_shell_follows_the_size_of_the_window(shell: Terminal) -> None:
    shell.resize(40, 123)
    shell.type("stty size\n")
    shell.wait_for("\n40 123\r\n")
    shell.type("trap 'stty size' WINCH; echo set\n")
    shell.wait_for("\nset\r\n")
    shell.resize(41, 99)
    shell.type("\n")
    shell.wait_for("41 99")


def test_the_shell_has_job_control(shell: Terminal) -> None:
    long = "sh -c 'echo $((6*7)); read line'\n"
    shell.type(long)
    shell.wait_for("\n42\r\n")
    shell.type("\x1a")
    shell.wait_for("Stopped")
    shell.type("kill %1; wait; echo gone\n")
    shell.wait_for("\ngone\r\n")
    shell.type(long)
    shell.wait_for("\n42\r\n")
    shell.type("\x03")
    # With an interrupt the kernel drops what is typed at that moment.
    shell.wait_for("@aarch64")
    shell.type("echo interrupted $?\n")
    shell.wait_for("interrupted 130")


def test_the_shell_remembers_what_was_typed(builder: TestBuilder, shell: Terminal) -> None:
    shell.type("echo never to be forgotten\n")
    shell.wait_for("\nnever to be forgotten\r\n")
    shell.type("exit\n")
    assert shell.status() == 0
    assert "echo never to be forgotten" in builder.sh("cat /root/.bash_history")


def test_a_lost_terminal_ends_the_shell_and_all_in_it(
    builder: TestBuilder, shell: Terminal, site: Site
) -> None:
    shell.type("sleep 1000 &\n")
    shell.wait_for("[1]")
    shell.hang_up()
    shell.process.wait(PATIENCE)
    users = site.state / "builders" / builder.name / "tree/users"
    commands = [Path("/proc", path.name, "cmdline") for path in users.iterdir()]
    # Shells of other tests may have ended without anybody noticing yet: such a process has no command line.
    assert not [command for command in commands if command.exists() and command.read_bytes()]
    assert "killed" not in capture(builder.argv("true")).stderr


def test_a_run_goes_on_beside_a_shell(builder: TestBuilder, shell: Terminal) -> None:
    shell.type("echo from the shell > /root/beside; echo done\n")
    shell.wait_for("\ndone\r\n")
    assert builder.sh("cat /root/beside") == "from the shell\n"
    result = capture(builder.argv("--changes", "true"))
    assert "no snapshot is taken" in result.stderr


def test_an_interrupt_from_the_terminal_ends_the_command(builder: TestBuilder) -> None:
    with on_terminal(builder.argv("sh", "-c", "echo ready; sleep 1000")) as terminal:
        terminal.wait_for("ready")
        terminal.type("\x03")
        assert terminal.status() == 130


def test_output_to_a_terminal_is_complete(builder: TestBuilder) -> None:
    with on_terminal(builder.argv("seq", "20000")) as terminal:
        assert terminal.status() == 0
        assert terminal.text.split() == [str(number) for number in range(1, 20001)]


def test_a_shell_without_a_terminal_reads_a_pipe(builder: TestBuilder) -> None:
    argv = builder.crossbuild.argv("shell", "--builder", builder.name)
    assert capture(argv, stdin="uname -m\nexit 0\n").stdout == "aarch64\n"
