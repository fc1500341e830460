"""The Dockerfiles for dnf and zypper make builders, with real package managers in images of real engines."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from crossbuild.engines.names import base_image
from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from tests.integration.conftest import CommandLine
from tests.integration.engine_rig import RunningEngine
from tests.integration.rpm_distribution.signing import new_key
from tests.integration.rpm_distribution.spec import reproducible, rpmbuild_command

SPEC = Path(__file__).with_name("openhpc_like.spec")
SOURCE, MADE, ROOT = "test-managers", "test-recipe", "test-managers"
OPENHPC = "https://repos.openhpc.community"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A recipe, and where the package manager of its distribution keeps repositories."""

    recipe: str
    folder: str
    release: str
    """The path of the package ohpc-release, as the recipe asks for it."""
    packages: tuple[str, ...]
    """What Debian has of that package manager, and what the Dockerfile asks for besides."""
    mending: str
    """A script that makes Debian's package manager work as that of the recipe's distribution."""
    listed: str
    """The command that lists repositories that are switched on."""


CASES = (
    Case(
        recipe="rocky9",
        folder="yum.repos.d",
        release="OpenHPC/3/EL_9/aarch64/ohpc-release-3-1.el9.aarch64.rpm",
        packages=("dnf", "dnf-plugins-core", "rpm", "curl"),
        # A plugin keeps what was installed in a repository of its own, which it then calls unsigned.
        mending="printf '[main]\\nenabled=0\\n' > /etc/dnf/plugins/local.conf",
        listed="dnf repolist",
    ),
    Case(
        recipe="leap15",
        folder="zypp/repos.d",
        release="OpenHPC/3/Leap_15/aarch64/ohpc-release-3-1.leap15.aarch64.rpm",
        packages=("zypper", "rpm", "curl"),
        # rpm and zypper mean two databases.
        mending="mkdir -p /etc/rpm && echo '%_dbpath /var/lib/rpm' > /etc/rpm/macros",
        listed="zypper repos --show-enabled-only",
    ),
)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.recipe)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture(scope="module")
def base(engine: RunningEngine, crossbuild: CommandLine, case: Case) -> Iterator[str]:
    """The name of an image with the package manager of *case*: no registry is in reach of every machine."""
    packages = [f"--package={name}" for name in case.packages]
    crossbuild("root", "create", ROOT, *packages, "--replace")
    crossbuild("root", "run", ROOT, "sh", "-c", case.mending)
    crossbuild("builder", "create", SOURCE, "--engine", engine.kind.value, "--from-root", ROOT)
    crossbuild("root", "remove", ROOT)
    yield base_image(SOURCE)
    crossbuild("builder", "remove", SOURCE)


@dataclass(frozen=True, kw_only=True)
class Served:
    """The repositories of a case on a web server."""

    url: str
    digest: str
    """Of the package ohpc-release."""
    repositories: str
    """The file that takes the place of the distribution's own."""


@pytest.fixture
def served(case: Case, tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield make_repositories(case, folder, url, tmp_path)
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def make_repositories(case: Case, folder: Path, url: str, work: Path) -> Served:
    """Build the packages of `SPEC` for *case* and put them below *folder* as mirrors have them."""
    with new_key(folder / "key") as signer:
        defines = {"folder": case.folder, "url": url, "key": str(folder / "key")}
        words = [word for name, value in defines.items() for word in ("--define", f"{name} {value}")]
        rpms = work / "rpms"
        argv = rpmbuild_command(SPEC, work / "rpmbuild", rpms, Architecture.AARCH64)
        capture([*argv, *words], env=reproducible())
        packages = {path.name.split("-3-1")[0]: path for path in rpms.iterdir()}
        release = folder / case.release
        release.parent.mkdir(parents=True)
        shutil.copy(packages["ohpc-release"], release)
        contents = {
            "OpenHPC/3": ("ohpc-base", "ohpc-warewulf"),
            "base": ("dnf-plugins-core",),
            "crb": ("from-crb",),
        }
        for place, names in contents.items():
            (folder / place).mkdir(exist_ok=True)
            for name in names:
                shutil.copy(packages[name], folder / place)
            signer.sign_repository(folder / place)
        key = f"gpgcheck=1\ngpgkey={url}/key\n"
        repositories = f"[base]\nname=base\nbaseurl={url}/base\n{key}"
        repositories += f"[crb]\nname=crb\nbaseurl={url}/crb\nenabled=0\n{key}"
        return Served(
            url=url, digest=hashlib.sha256(release.read_bytes()).hexdigest(), repositories=repositories
        )


@pytest.fixture
def ours(
    engine: RunningEngine, crossbuild: CommandLine, base: str, case: Case, served: Served, tmp_path: Path
) -> CommandLine:
    """The command line of a site that has its own base image, repositories and mirror."""
    repositories = tmp_path / "site.repo"
    repositories.write_text(served.repositories)
    config = tmp_path / "config.yaml"
    config.write_text(
        f"{crossbuild.config.read_text()}"
        f"mirrors: {{'{OPENHPC}': '{served.url}'}}\n"
        f"builders:\n"
        f"  engine: {engine.kind}\n"
        f"  recipes:\n"
        f"    {case.recipe}:\n"
        f"      base_image: {base}\n"
        f"      repositories: {repositories}\n"
        f"      openhpc_sha256: {served.digest}\n"
    )
    return CommandLine(config)


def test_a_dockerfile_makes_a_builder_with_openhpc_in_it(
    ours: CommandLine, case: Case, served: Served
) -> None:
    make = ("builder", "create", MADE, "--recipe", case.recipe, "--emulator-only")
    right = ours.config.read_text()
    ours.config.write_text(right.replace(served.digest, "f" * 64))
    result = ours(*make, check=False)
    assert (result.status, "did NOT match" in result.stderr) == (1, True)
    assert MADE not in ours("builder", "list").stdout
    ours.config.write_text(right)
    ours(*make)
    try:
        script = f"cat /opt/ohpc/machine; rpm --query ohpc-warewulf; {case.listed}"
        found = ours("run", "--builder", MADE, "sh", "-c", script).stdout
        assert found.startswith("aarch64\nohpc-warewulf-3-1")
        assert "OpenHPC" in found
        # Enterprise Linux needs it for OpenHPC; Leap has nothing like it.
        assert ("crb" in found) == (case.recipe == "rocky9")
        assert f"aarch64, recipe {case.recipe}" in ours("builder", "show", MADE).stdout
    finally:
        ours("builder", "remove", MADE)
