"""What is expected of a booted machine, and which ways a set can be booted in."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.artifacts.store import load_set
from crossbuild.errors import ArtifactError, UsageError
from crossbuild.model.artifact import OutputKind
from crossbuild.model.boot import BootWish
from crossbuild.model.site import Site
from crossbuild.model.spec import Account, CheckFile, ServiceSpec
from crossbuild.pipeline import booting
from tests.unit.artifacts.jobs import KERNEL_SPEC
from tests.unit.artifacts.sets import make_set
from tests.unit.specs import make_spec

SITE = Site(state=Path("/nowhere"), prefix=Path("/nowhere"), qemu=None, variables=(), repositories=())
MUNGE = Account(name="munge", uid=991, gid=992, group="munge", gecos="", home="/", shell="/bin/false")
SPEC = make_spec(
    kernel=KERNEL_SPEC,
    outputs=tuple(OutputKind),
    services=ServiceSpec(enable=("ssh",), disable=("apt-daily",)),
    accounts=(MUNGE,),
    checks=("true",),
    tests=(CheckFile(name="node.py", content="def test_it(host): ..."),),
)


def deaf() -> booting.BootHearer:
    return booting.BootHearer(notice=lambda _: None, on_way=lambda _: None, on_stage=lambda _: None)


@pytest.fixture(autouse=True)
def _ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booting, "require_root", lambda: None)
    monkeypatch.setattr(booting, "find_emulator", lambda: None)


def test_what_a_spec_says_of_its_nodes_is_expected_of_them(tmp_path: Path) -> None:
    artifacts = load_set(make_set(tmp_path, spec=SPEC))
    expected = booting.expected_of(artifacts)
    assert expected.architecture == "aarch64"
    assert expected.kernel == artifacts.record["kernel"]["version"]  # type: ignore[index]
    assert expected.services == ("ssh",)
    assert expected.accounts == (("munge", 991, 992, "munge"),)
    assert (expected.commands, expected.tests) == (SPEC.checks, SPEC.tests)


def test_a_set_is_booted_only_as_those_boot_it_that_it_has_files_for(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    with pytest.raises(UsageError, match="nothing for warewulf3") as caught:
        booting.boot(directory, [OutputKind.WAREWULF3], BootWish(), SITE, deaf())
    assert "ims" in caught.value.details


def test_a_damaged_set_is_told_by_its_files(tmp_path: Path) -> None:
    directory = make_set(tmp_path)
    (directory / "ims/kernel").write_text("Kernel")
    with pytest.raises(ArtifactError, match="is damaged, and is not booted") as caught:
        booting.boot(directory, [], BootWish(), SITE, deaf())
    assert "ims/kernel is damaged" in caught.value.details
