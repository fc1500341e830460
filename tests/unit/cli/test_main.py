from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crossbuild import __version__
from crossbuild.cli.lazy import Entry
from crossbuild.cli.main import COMMANDS, main, run
from crossbuild.cli.options import Session, json_option, pass_session

HEAVY = ("rich", "pydantic", "docker", "yaml", "jinja2", "crossbuild.cli.doctor", "crossbuild.pipeline")


@click.command()
@click.option("--number", type=int)
@json_option
@pass_session
def echo(session: Session, number: int | None, *, as_json: bool) -> None:
    click.echo(f"{session.config} {number} {as_json} {session.as_json}")


@click.command()
@click.pass_context
def leave(context: click.Context) -> None:
    context.exit(42)


@pytest.fixture
def own_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {name: Entry(module=__name__, help=f"The {name} command.") for name in ("echo", "leave")}
    monkeypatch.setattr(main, "entries", table)


@pytest.mark.parametrize("name", COMMANDS)
def test_table_and_command_agree(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=200) == COMMANDS[name].help


def test_help_lists_every_command_and_imports_none() -> None:
    program = (
        "import sys\n"
        "from crossbuild.cli.main import run\n"
        "run(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *lines, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    for name, found in COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, found.help] for line in lines)


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version_is_told(option: str) -> None:
    assert CliRunner().invoke(main, [option]).output == f"crossbuild {__version__}\n"


@pytest.mark.usefixtures("own_commands")
def test_global_options_reach_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "site.yaml"
    config.touch()
    assert run(["--config", str(config), "echo", "--json"]) == 0
    assert capsys.readouterr().out == f"{config} None True True\n"
    assert run(["echo"]) == 0
    assert capsys.readouterr().out == "None None False False\n"


@pytest.mark.usefixtures("own_commands")
def test_error_in_an_option_knows_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["echo", "--number", "x", "--json"]) == 2
    assert '"exit_code": 2' in capsys.readouterr().out


@pytest.mark.usefixtures("own_commands")
def test_status_of_a_command_passes_through() -> None:
    assert run(["leave"]) == 42


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["frob"], "No such command 'frob'"),
        (["--frob"], "No such option"),
        (["--config", "/nonexistent", "plan", "x"], "does not exist"),
    ],
)
def test_wrong_command_line_is_status_2(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("own_commands")
def test_shell_completes_names_from_the_table() -> None:
    items = main.shell_complete(click.Context(main), "e")
    assert [(item.value, item.help) for item in items] == [("echo", "The echo command.")]
    assert "--config" in {item.value for item in main.shell_complete(click.Context(main), "--")}


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-"])
def test_closed_streams_do_no_harm(redirection: str) -> None:
    command = f'exec "$0" -m crossbuild --version {redirection}'
    done = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_full_disk_behind_stdout_is_told(unbuffered: str) -> None:
    command = 'exec "$0" -m crossbuild --help > /dev/full'
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    argv = ["sh", "-c", command, sys.executable]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: A disk is full.")
    assert "Traceback" not in done.stderr
