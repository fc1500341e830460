"""What the tests of IMS share: a system on loopback, a small set, and the command line on them."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from crossbuild.cli.main import run
from crossbuild.host.command import CommandResult
from tests.fakes.ims.sets import write_set
from tests.fakes.ims.system import System, running
from tests.fakes.ims.web import Disturbance
from tests.integration.conftest import CommandLine


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A system with nothing in it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    folder = tmp_path / "system"
    folder.mkdir()
    with running(folder) as found:
        yield found


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    """An artifact set whose root goes in three parts."""
    return write_set(tmp_path)


def register(system: System, directory: Path, *options: str, check: bool = True) -> CommandResult:
    """Run `crossbuild register ims`."""
    return CommandLine(system.config)("register", "ims", str(directory), *options, check=check)


def undo(system: System, receipt: Path, *options: str, check: bool = True) -> CommandResult:
    """Run `crossbuild register --undo`."""
    return CommandLine(system.config)("register", "--undo", str(receipt), *options, check=check)


def in_process(*arguments: str) -> CommandResult:
    """Run the command line in this process: starting Python takes longer than the rest."""
    out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(arguments)
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return CommandResult(argv=arguments, status=status, stdout=texts[0], stderr=texts[1])


def the_image(system: System) -> dict[str, Any]:
    """Return the one image that IMS has."""
    (image,) = system.ims.tables["images"].values()
    return image


def ims(system: System, *arguments: str) -> CommandResult:
    """Run `crossbuild ims` in this process."""
    return in_process("--config", str(system.config), "ims", *arguments)


def when(wanted: str, do: Callable[[], Response | None]) -> Disturbance:
    """Return a disturbance of each request whose `METHOD /path?query` holds all words of *wanted*."""

    def look(request: Request) -> Response | None:
        line = f"{request.method} {request.full_path}"
        return do() if all(word in line for word in wanted.split()) else None

    return look
