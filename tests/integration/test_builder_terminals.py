"""Terminals in builders without an engine: shells, sizes of windows, interrupts, and lines that go dead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.host.command import capture
from crossbuild.model.site import Site
from tests.integration.builder_rig import TestBuilder
from tests.integration.conftest import CommandLine
from tests.integration.terminal_rig import PATIENCE, Terminal, on_terminal

NAME = "test-terminals"
PLAIN = {"TERM": "dumb"}
"""A terminal that can do nothing gets nothing but text."""


@pytest.fixture(scope="module")
def builder(crossbuild: CommandLine) -> Iterator[TestBuilder]:
    """A builder, as a user makes it."""
    crossbuild("builder", "remove", NAME, check=False)
    crossbuild("builder", "create", NAME, "--engine", "sandbox")
    yield TestBuilder(crossbuild, NAME)
    crossbuild("builder", "remove", NAME)


@pytest.fixture
def shell(builder: TestBuilder) -> Iterator[Terminal]:
    with on_terminal(builder.crossbuild.argv("shell", "--builder", builder.name), PLAIN) as terminal:
        terminal.read_until("@aarch64")
        yield terminal


def test_the_shell_has_a_terminal_of_its_own(shell: Terminal) -> None:
    shell.type("uname -m; tty\n")
    shell.read_until("\naarch64\r\n/dev/pts/0\r\n")
    shell.type("exit 3\n")
    assert shell.status() == 3


def test_the_shell_follows_the_size_of_the_window(shell: Terminal) -> None:
    shell.resize(40, 123)
    shell.type("stty size\n")
    shell.read_until("\n40 123\r\n")
    shell.type("trap 'stty size' WINCH; echo set\n")
    shell.read_until("\nset\r\n")
    shell.resize(41, 99)
    shell.type("\n")
    shell.read_until("41 99")


def test_the_shell_has_job_control(shell: Terminal) -> None:
    long = "sh -c 'echo $((6*7)); read line'\n"
    shell.type(long)
    shell.read_until("\n42\r\n")
    shell.type("\x1a")
    shell.read_until("Stopped")
    shell.type("kill %1; wait; echo gone\n")
    shell.read_until("\ngone\r\n")
    shell.type(long)
    shell.read_until("\n42\r\n")
    shell.type("\x03")
    # With an interrupt the kernel drops what is typed at that moment.
    shell.read_until("@aarch64")
    shell.type("echo interrupted $?\n")
    shell.read_until("interrupted 130")


def test_the_shell_remembers_what_was_typed(builder: TestBuilder, shell: Terminal) -> None:
    shell.type("echo never to be forgotten\n")
    shell.read_until("\nnever to be forgotten\r\n")
    shell.type("exit\n")
    assert shell.status() == 0
    assert "echo never to be forgotten" in builder.sh("cat /root/.bash_history")


def test_a_lost_terminal_ends_the_shell_and_all_in_it(
    builder: TestBuilder, shell: Terminal, site: Site
) -> None:
    shell.type("sleep 1000 &\n")
    shell.read_until("[1]")
    shell.hang_up()
    shell.process.wait(PATIENCE)
    users = site.state / "builders" / builder.name / "tree/users"
    commands = [Path("/proc", path.name, "cmdline") for path in users.iterdir()]
    # Shells of other tests may have ended without anybody noticing yet: such a process has no command line.
    assert not [command for command in commands if command.exists() and command.read_bytes()]
    assert "killed" not in capture(builder.argv("true")).stderr


def test_a_run_goes_on_beside_a_shell(builder: TestBuilder, shell: Terminal) -> None:
    shell.type("echo from the shell > /root/beside; echo done\n")
    shell.read_until("\ndone\r\n")
    assert builder.sh("cat /root/beside") == "from the shell\n"
    result = capture(builder.argv("--changes", "true"))
    assert "no snapshot is taken" in result.stderr


def test_an_interrupt_from_the_terminal_ends_the_command(builder: TestBuilder) -> None:
    with on_terminal(builder.argv("sh", "-c", "echo ready; read line"), PLAIN) as terminal:
        terminal.read_until("ready")
        terminal.type("\x03")
        assert terminal.status() == 130


def test_output_to_a_terminal_is_complete(builder: TestBuilder) -> None:
    with on_terminal(builder.argv("seq", "20000"), PLAIN) as terminal:
        assert terminal.status() == 0
        assert terminal.text.split() == [str(number) for number in range(1, 20001)]


def test_a_shell_without_a_terminal_reads_a_pipe(builder: TestBuilder) -> None:
    argv = builder.crossbuild.argv("shell", "--builder", builder.name)
    assert capture(argv, stdin="uname -m\nexit 0\n").stdout == "aarch64\n"
