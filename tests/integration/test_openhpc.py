"""A spec that asks for OpenHPC, resolved by the real package manager in signed repositories."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from crossbuild.config.site import load_site
from crossbuild.distros.catalog import lookup
from crossbuild.distros.openhpc.choice import choose
from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from tests.integration.conftest import CHECKOUT, STATE, CommandLine
from tests.integration.rpm_distribution import signing
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like


@dataclass(frozen=True, kw_only=True)
class Case:
    """An example, and the distribution of the tests that stands for its own."""

    example: Path
    like: Like
    entry: str
    """Of `repositories` in the configuration."""
    scheme: str


CASES = (
    Case(
        example=CHECKOUT / "examples/openhpc/rocky9-slurm.yaml", like=Like.EL, entry="rocky-9", scheme="file"
    ),
    Case(
        example=CHECKOUT / "examples/openhpc/leap15.5-slurm.yaml",
        like=Like.SUSE,
        entry="opensuse-leap-15.5",
        scheme="dir",
    ),
)
SPEC = """\
Name: {name}
Version: 1
Release: 1
Summary: {name}
License: none
BuildArch: noarch
%description
For tests.
%files
"""


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.entry)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture(scope="module")
def distribution(case: Case, rpm_repositories: tuple[MadeRepository, ...]) -> MadeRepository:
    """Its aarch64 packages."""
    arm = (made for made in rpm_repositories if made.arch is Architecture.AARCH64)
    return next(made for made in arm if made.like is case.like)


@pytest.fixture(scope="module")
def openhpc(case: Case, distribution: MadeRepository) -> Iterator[MadeRepository]:
    """A repository with the packages of the example's groups that the distribution of the tests lacks."""
    folder = STATE / "openhpc"
    packages = folder / "packages/noarch"
    shutil.rmtree(folder, ignore_errors=True)
    has = {path.name.rsplit("-", 2)[0] for path in distribution.path.rglob("*.rpm")}
    document = yaml.safe_load(case.example.read_text())
    release = lookup(document["distro"], document["release"])
    asked = document["openhpc"]
    chosen = choose(asked["release"], release, asked["groups"], Architecture.AARCH64)
    for name in sorted({*chosen.packages} - has):
        path = folder / f"{name}.spec"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SPEC.format(name=name))
        places = {"_topdir": folder / "build", "_rpmdir": folder / "packages"}
        defines = [word for key, value in places.items() for word in ("--define", f"{key} {value}")]
        capture(["rpmbuild", "-bb", *defines, str(path)])
    with signing.new_key(folder / signing.KEY) as signer:
        signer.sign_repository(packages)
    yield replace(distribution, path=packages, key=folder / signing.KEY)
    shutil.rmtree(folder)


@pytest.fixture
def command(
    case: Case, distribution: MadeRepository, openhpc: MadeRepository, site_config: Path, tmp_path: Path
) -> CommandLine:
    """The command line of a site that has mirrors of its own of the distribution and of OpenHPC."""
    entries = {
        case.entry: (distribution, f"{case.scheme}://{distribution.path.parent}/$basearch"),
        "openhpc-3": (openhpc, f"{case.scheme}://{openhpc.path}"),
    }
    config = yaml.safe_load(site_config.read_text())
    config["variables"] = {"sms_ip": "192.0.2.1", "sms_name": "sms", "admin_ssh_key": "ssh-ed25519 AAAA"}
    config["repositories"] = {
        name: [
            {
                "id": name,
                "uris": [uri],
                "signed_by": str(made.key),
                "fingerprints": [made.fingerprint],
                "repo_gpgcheck": True,
            }
        ]
        for name, (made, uri) in entries.items()
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return CommandLine(path)


@pytest.fixture
def spec(case: Case, tmp_path: Path) -> Path:
    """The example, without what it asks of the host and without a kernel."""
    document = yaml.safe_load(case.example.read_text())
    document.update(users={"sync": []}, kernel=False, outputs=["warewulf4"])
    # The others have Debian's names in the distributions of the tests.
    document["services"] = {"enable": ["munge", "slurmd"]}
    shutil.copytree(case.example.parent / "files", tmp_path / "files")
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_the_plan_has_openhpcs_packages_and_what_they_need(command: CommandLine, spec: Path) -> None:
    plan = json.loads(command("plan", "--json", str(spec)).stdout)
    added = {package["name"] for package in plan["packages"]["added"]}
    asked = command("openhpc", "packages", str(spec)).stdout.split()
    assert set(asked) <= added
    assert {"munge", "slurm-slurmd-ohpc", "slurm-ohpc"} <= added


def test_openhpcs_packages_are_refused_where_another_key_signed_them(
    command: CommandLine, spec: Path, distribution: MadeRepository
) -> None:
    config = yaml.safe_load(command.config.read_text())
    config["repositories"]["openhpc-3"][0]["fingerprints"] = [distribution.fingerprint]
    command.config.write_text(yaml.safe_dump(config))
    refused = command("plan", str(spec), check=False)
    assert refused.status == 2
    assert "openhpc-3" in refused.stderr


def test_the_root_is_what_the_guides_make_by_hand(command: CommandLine, spec: Path) -> None:
    command("root", "create", "test-openhpc", "--spec", str(spec), "--replace")
    try:
        root = load_site(command.config).roots / "test-openhpc"
        asked = command("openhpc", "packages", str(spec)).stdout.split()
        installed = command("root", "run", "test-openhpc", "rpm", "--query", *asked).stdout.splitlines()
        assert len(installed) == len(asked)
        assert '--conf-server 192.0.2.1"' in (root / "etc/sysconfig/slurmd").read_text()
        assert "192.0.2.1:/home /home nfs nfsvers=4,nodev,nosuid" in (root / "etc/fstab").read_text()
        assert (root / "etc/pam.d/sshd").read_text().endswith("account required pam_slurm.so\n")
        for unit in ("munge", "slurmd"):
            state = command("root", "run", "test-openhpc", "systemctl", "is-enabled", unit)
            assert state.stdout == "enabled\n"
    finally:
        command("root", "remove", "test-openhpc")
