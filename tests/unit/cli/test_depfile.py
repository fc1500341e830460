"""`crossbuild build --depfile`: make learns which files count, and when they were read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import crossbuild
from crossbuild.cli import depfile
from crossbuild.cli.main import run
from crossbuild.errors import StorageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import ArtifactSet
from crossbuild.model.events import EventSink
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec

from .builds import replace_pipeline

SPEC = """\
name: {name}
distro: debian
release: "12"
outputs: [ims]
files: [{{source: motd, target: /etc/motd}}]
"""
PACKAGE = Path(crossbuild.__file__)
LONG_AGO = 1_000_000_000


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two specs and a configuration; builds change nothing but a record from long ago."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "motd").write_text("hello\n")
    (tmp_path / "site.yaml").write_text(f"state: {tmp_path}/state\n")
    for name in ("compute", "login", "broken"):
        (tmp_path / f"{name}.yaml").write_text(SPEC.format(name=name))
        record = tmp_path / "out" / name / "image.json"
        record.parent.mkdir(parents=True)
        record.touch()
        os.utime(record, (LONG_AGO, LONG_AGO))
    replace_pipeline(monkeypatch, build=build)
    return tmp_path


def build(
    spec: ImageSpec, site: Site, output: Path, *, on_event: EventSink, force: bool, emulator_only: bool
) -> ArtifactSet:
    if spec.name == "broken":
        raise StorageError("The disk is full.")
    edited = Path("motd")
    # The clock of the file system: what a person saves from now on is at least this new.
    edited.write_text("changed while it was built\n")
    return ArtifactSet(
        directory=output / spec.name, name=spec.name, arch=Architecture.AARCH64, record={}, artifacts=()
    )


def call(*specs: str) -> int:
    return run(["--config", "site.yaml", "build", "--depfile", "out/all.d", *specs])


def test_each_set_depends_on_its_spec_what_that_names_the_site_and_crossbuild(checkout: Path) -> None:
    assert call("compute.yaml", "login.yaml") == 0
    rules = (checkout / "out/all.d").read_text().replace(" \\\n", "").splitlines()
    assert [rule for rule in rules if rule.startswith("out/")] == [
        f"out/{name}/image.json:  {name}.yaml  motd  site.yaml  {PACKAGE}" for name in ("compute", "login")
    ]
    assert {f"{name}:" for name in ("motd", "site.yaml", "compute.yaml", PACKAGE)} <= set(rules)


def test_what_is_edited_during_a_build_is_newer_than_its_record(checkout: Path) -> None:
    before = (checkout / "motd").stat().st_mtime_ns
    assert call("compute.yaml") == 0
    record = (checkout / "out/compute/image.json").stat().st_mtime_ns
    assert record < (checkout / "motd").stat().st_mtime_ns
    assert record > before - 2 * depfile.TICK


def test_a_failed_build_leaves_the_date_of_the_former_record(checkout: Path) -> None:
    assert call("broken.yaml") == 1
    assert (checkout / "out/broken/image.json").stat().st_mtime == LONG_AGO


def test_a_depfile_that_cannot_be_written_ends_the_build_before_it_begins(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--config", "site.yaml", "build", "compute.yaml", "--depfile", "motd/all.d"]) == 1
    assert "Cannot write motd/all.d." in capsys.readouterr().err
    assert (checkout / "motd").read_text() == "hello\n"
    assert [path.name for path in checkout.rglob(".*")] == []
