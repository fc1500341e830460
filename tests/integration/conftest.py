"""What the real tests share: one state folder, and roots and images that are built once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.config.site import load_site
from crossbuild.errors import CommandFailedError
from crossbuild.host.command import CommandResult, capture, environment
from crossbuild.host.locks import held
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import EngineKind
from crossbuild.model.site import Site
from tests.integration.engine_rig import RunningEngine, running_engine
from tests.integration.rpm_distribution.making import make_repositories
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like

CHECKOUT = Path(__file__).parents[2]
CROSSBUILD = CHECKOUT / ".venv/bin/crossbuild"
KEPT = CHECKOUT / ".test-state"
"""Kept between runs: trees of unchanged sources serve again, by digest, as they do for users."""
STATE = KEPT / os.environ.get("PYTEST_XDIST_WORKER", "gw0")
"""Of this process: those that run tests side by side share nothing but what `SHARED` has."""
SHARED = KEPT / "shared"
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
"""The same for all processes of one run."""

SMALL = """\
name: small
distro: debian
release: "12"
kernel: false
packages: [iputils-ping]
outputs: [warewulf4]
"""
APT_GET = """\
#!/bin/sh
# The real one, but for what crossbuild's indexes were fetched for in this run of the tests already.
fetched=${{APT_CONFIG%/*}}/fetched
case "$1 $APT_CONFIG" in
  "update "*/indexes/*)
    test "$(cat "$fetched" 2>/dev/null)" = {run} || {{ {real} "$@" && echo {run} >"$fetched"; }} ;;
  *) exec {real} "$@" ;;
esac
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder is real; the marks let `pytest -m` pick."""
    for item in items:
        item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session", autouse=True)
def _root_is_needed() -> None:
    if os.geteuid() != 0:
        pytest.exit("tests/integration needs root: it makes roots, sandboxes and images.", returncode=3)


@pytest.fixture(scope="session", autouse=True)
def _one_state_of_the_mirrors() -> Iterator[None]:
    """Have indexes fetched once in each run: a mirror that changes in the middle changes keys and choices."""
    program = STATE / "bin/apt-get"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(APT_GET.format(real=shutil.which("apt-get"), run=RUN))
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        yield


@pytest.fixture(scope="session")
def site_config() -> Path:
    """The configuration file of the tests' own state and roots."""
    STATE.mkdir(parents=True, exist_ok=True)
    config = STATE / "config.yaml"
    config.write_text(f"state: {STATE}/state\nprefix: {STATE}/prefix\nvariables: {{sms_ip: 192.0.2.1}}\n")
    return config


@pytest.fixture(scope="session")
def site(site_config: Path) -> Site:
    """The configuration itself."""
    return load_site(site_config)


class CommandLine:
    """Runs the installed `crossbuild` as a user would."""

    def __init__(self, config: Path) -> None:
        self.config = config

    def argv(self, *arguments: str) -> list[str]:
        """Return the whole command line."""
        return [str(CROSSBUILD), "--config", str(self.config), *arguments]

    def __call__(self, *arguments: str, check: bool = True, stdin: str = "", **env: str) -> CommandResult:
        """Run it to its end."""
        try:
            return capture(self.argv(*arguments), check=check, stdin=stdin, env=environment(env))
        except CommandFailedError as error:
            error.add_note(error.details)
            raise


@pytest.fixture(scope="session")
def crossbuild(site_config: Path) -> CommandLine:
    """The command line with the tests' configuration."""
    return CommandLine(site_config)


def own_state(folder: Path, *parts: str) -> CommandLine:
    """Return a command line whose state and roots are below *folder*; of the cache it shares *parts*."""
    (folder / "state/cache").mkdir(parents=True)
    for part in parts:
        (STATE / "state/cache" / part).mkdir(parents=True, exist_ok=True)
        (folder / "state/cache" / part).symlink_to(STATE / "state/cache" / part)
    config = folder / "config.yaml"
    config.write_text(f"state: {folder}/state\nprefix: {folder}/prefix\n")
    return CommandLine(config)


@pytest.fixture(scope="session")
def small_spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec that takes seconds once its base is there."""
    path = tmp_path_factory.mktemp("specs") / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="session")
def small_root(crossbuild: CommandLine) -> Iterator[str]:
    """The name of a root to enter; tests leave it as it is."""
    crossbuild("root", "create", "test-small", "--package", "iputils-ping", "--replace")
    yield "test-small"
    crossbuild("root", "remove", "test-small")


@pytest.fixture(scope="module", params=[EngineKind.DOCKER, EngineKind.PODMAN])
def engine(request: pytest.FixtureRequest) -> Iterator[RunningEngine]:
    """A container engine of the tests' own, which every client finds by its environment."""
    # Podman takes no folder for its state whose path is longer than 50 characters.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    with (
        running_engine(request.param, folder) as engine,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in engine.variables.items():
            patch.setenv(name, value)
        yield engine


@pytest.fixture(scope="session")
def built_example(crossbuild: CommandLine) -> Path:
    """The artifact set of the example, built once in each run for all processes; tests only read it."""
    output = SHARED / "out" / RUN
    with held(SHARED / ".out.lock"):
        if not (output / "debian12-compute").is_dir():
            shutil.rmtree(output.parent, ignore_errors=True)
            crossbuild("build", str(CHECKOUT / "examples/debian12-compute.yaml"), "--output", str(output))
    return output / "debian12-compute"


@pytest.fixture
def own_example(built_example: Path) -> Iterator[Path]:
    """The artifact set of the example for a test that boots or registers it."""
    folder = STATE / "own"
    shutil.rmtree(folder, ignore_errors=True)
    yield linked(built_example, folder / built_example.name)
    shutil.rmtree(folder)


def linked(directory: Path, target: Path) -> Path:
    """Copy the artifact set *directory* to *target* by links: nothing writes into files of a set."""
    return Path(shutil.copytree(directory, target, copy_function=os.link))


@pytest.fixture(scope="session")
def rpm_repositories() -> tuple[MadeRepository, ...]:
    """The repositories of the RPM distributions of the tests, made once for each state of their recipe."""
    SHARED.mkdir(parents=True, exist_ok=True)
    with held(SHARED / ".repositories.lock"):
        return make_repositories(SHARED)


@pytest.fixture(scope="module", params=list(Like))
def made(request: pytest.FixtureRequest, rpm_repositories: tuple[MadeRepository, ...]) -> MadeRepository:
    """The aarch64 repository of each RPM distribution in turn."""
    wanted = (request.param, Architecture.AARCH64)
    return next(made for made in rpm_repositories if (made.like, made.arch) == wanted)
