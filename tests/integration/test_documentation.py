"""Every command of README.md and docs/ does what a reader expects of it: it works."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from crossbuild.host.command import capture, environment
from tests.documents import CHECKOUT, EXECUTABLE, NOT_RUN, blocks
from tests.fakes.ims.hsm import KNOWN
from tests.fakes.ims.system import System, running
from tests.integration.conftest import CommandLine, linked

RUN = {
    document: [line for block in blocks(document) for line in block.commands() if line not in NOT_RUN]
    for document in EXECUTABLE
}


@pytest.fixture
def ims_system(tmp_path: Path) -> Iterator[System]:
    """An IMS whose one node can run jobs."""
    with running(tmp_path) as system:
        system.ims.states[KNOWN[0]] = {"ableToRunJobs": True, "nodeArch": "aarch64"}
        yield system


@pytest.fixture
def checkout(site_config: Path, built_example: Path, ims_system: System) -> Iterator[Path]:
    """A folder as the reader has it after `make demo`, with the tests' configuration for its user."""
    folder = site_config.parent / "documentation"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CHECKOUT / "examples", folder / "examples")
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    linked(built_example, folder / "out" / built_example.name)
    user = folder / ".config/crossbuild"
    user.mkdir(parents=True)
    provisioners = yaml.safe_dump({"provisioners": ims_system.section()})
    (user / "config.yaml").write_text(f"{site_config.read_text()}{provisioners}")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def _own_roots(crossbuild: CommandLine) -> Iterator[None]:
    """Roots that a document leaves behind when it fails are not there for the next one."""
    before = root_names(crossbuild)
    yield
    for name in root_names(crossbuild) - before:
        crossbuild("root", "remove", name)


def root_names(crossbuild: CommandLine) -> set[str]:
    return {root["name"] for root in json.loads(crossbuild("root", "list", "--json").stdout)}


@pytest.mark.usefixtures("_own_roots")
@pytest.mark.parametrize("document", [document for document, lines in RUN.items() if lines], ids=str)
def test_every_command_of_a_document_works(document: Path, checkout: Path) -> None:
    for block in blocks(document):
        if block.is_file:
            (checkout / block.name).write_text(block.text)
    script = "\n".join([f"cd {checkout}", *RUN[document]])
    env = environment(
        {
            "PATH": f"{CHECKOUT / '.venv/bin'}:{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(checkout / ".config"),
        }
    )
    shell = [
        "bash",
        "-e",
        "-u",
        "-x",  # an assertion that fails shows how far it came
        "-o",
        "pipefail",
        "-c",
        script,
    ]
    result = capture(shell, env=env, check=False)
    assert result.status == 0, f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
