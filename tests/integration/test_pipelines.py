"""The Makefile of examples/pipelines: what is built, when, side by side, and what a failure leaves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.formats.make_rule import make_rules
from crossbuild.host.command import CommandResult, capture, environment
from tests.integration.conftest import CHECKOUT, STATE, CommandLine

COMPUTE, LOGIN = "pipeline-compute", "pipeline-login"


class Pipeline:
    """A folder of specs with the Makefile, as a site has it."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.folder, self.config = folder, config

    def make(self, *words: str, status: int = 0) -> CommandResult:
        command = f"CROSSBUILD={CHECKOUT / '.venv/bin/crossbuild'} --config {self.config}"
        argv = ["make", "--no-print-directory", "--directory", str(self.folder), command, *words]
        # A make that runs the tests must not hand its own jobs and flags to this one.
        result = capture(argv, check=False, env=environment({"MAKEFLAGS": "", "MAKELEVEL": ""}))
        assert result.status == status, f"{result.stdout}\n{result.stderr}"
        return result

    def outdated(self) -> list[str]:
        """Return the images that make would build now."""
        return re.findall(r" build specs/(\S+)\.yaml ", self.make("--dry-run").stdout)

    def record(self, name: str) -> Path:
        return self.folder / "out" / name / "image.json"

    def edit(self, path: Path) -> None:
        """Let *path* be newer than every image, by as little as a file system can tell."""
        newest = max(self.record(name).stat().st_mtime_ns for name in (COMPUTE, LOGIN))
        os.utime(path, ns=(newest + 1, newest + 1))


@pytest.fixture(scope="module")
def built(site_config: Path, small_root: str) -> Iterator[Pipeline]:
    """Both images of the example, built side by side from the cached base."""
    folder = STATE / "test-pipelines"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CHECKOUT / "examples/pipelines", folder)
    shutil.copyfile(site_config, folder / "site.yaml")
    made = Pipeline(folder, folder / "site.yaml")
    assert made.outdated() == [COMPUTE, LOGIN]
    made.make("--jobs=2")
    yield made
    shutil.rmtree(folder)


@pytest.fixture
def pipeline(built: Pipeline) -> Pipeline:
    """The same, and up to date: no test leaves it otherwise."""
    assert built.outdated() == []
    return built


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("specs/files/motd", [COMPUTE, LOGIN]),
        ("specs/files/limits.conf", [LOGIN]),
        (f"specs/{COMPUTE}.yaml", [COMPUTE]),
        ("site.yaml", [COMPUTE, LOGIN]),
    ],
)
def test_an_edited_file_makes_those_images_that_use_it_outdated(
    edited: str, expected: list[str], pipeline: Pipeline
) -> None:
    path = pipeline.folder / edited
    before = path.stat()
    pipeline.edit(path)
    assert pipeline.outdated() == expected
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_folders_may_be_given_with_a_slash(pipeline: Pipeline) -> None:
    pipeline.make("--question", "SPECS=specs/", "OUT=out/")
    motd = pipeline.folder / "specs/files/motd"
    said = pipeline.make(
        "--dry-run", "SPECS=specs/", "OUT=out/", f"--what-if={motd.relative_to(pipeline.folder)}"
    )
    assert said.stdout.count("--depfile") == 2


def test_a_folder_without_specs_is_an_error(pipeline: Pipeline) -> None:
    assert "there is no spec: nowhere/*.yaml" in pipeline.make("SPECS=nowhere", status=2).stderr


def test_a_new_crossbuild_makes_every_image_outdated(pipeline: Pipeline) -> None:
    installed = CHECKOUT / "crossbuild/__init__.py"
    result = pipeline.make("--dry-run", f"--what-if={installed}")
    assert re.findall(r" build specs/(\S+)\.yaml ", result.stdout) == [COMPUTE, LOGIN]


def test_a_change_reaches_the_image_and_a_mere_touch_is_recognised(pipeline: Pipeline) -> None:
    records = {name: pipeline.record(name).read_bytes() for name in (COMPUTE, LOGIN)}
    limits = pipeline.folder / "specs/files/limits.conf"
    limits.write_text("* hard nproc 8192\n")
    pipeline.edit(limits)
    assert re.search(f"{LOGIN} is in .*, built in", pipeline.make().stdout)
    assert pipeline.record(LOGIN).read_bytes() != records[LOGIN]
    assert pipeline.record(COMPUTE).read_bytes() == records[COMPUTE]
    pipeline.edit(limits)
    assert f"{LOGIN} has not changed" in pipeline.make().stdout


def test_verify_checks_every_image_and_list_names_them(pipeline: Pipeline) -> None:
    said = pipeline.make("verify", "--jobs=2").stdout
    assert {COMPUTE, LOGIN} <= set(re.findall(r"artifacts verify out/(\S+)", said))
    states = dict(line.split(maxsplit=1) for line in pipeline.make("list").stdout.splitlines())
    assert states == {COMPUTE: "up to date", LOGIN: "up to date"}


def test_a_broken_spec_leaves_the_former_image_and_stays_outdated(
    pipeline: Pipeline, crossbuild: CommandLine
) -> None:
    spec = pipeline.folder / f"specs/{COMPUTE}.yaml"
    text, record = spec.read_text(), pipeline.record(COMPUTE).read_bytes()
    spec.write_text(text.replace("[iputils-ping]", "[iputils-ping, there-is-no-such-package]"))
    (pipeline.folder / "specs/files/limits.conf").write_text("* hard nproc 1024\n")
    failed = pipeline.make("--jobs=2", "--keep-going", status=2)
    assert "there-is-no-such-package" in failed.stderr
    assert re.search(f"{LOGIN} is in .*, built in", failed.stdout)
    assert pipeline.record(COMPUTE).read_bytes() == record
    crossbuild("artifacts", "verify", str(pipeline.record(COMPUTE).parent))
    assert pipeline.outdated() == [COMPUTE]
    assert re.search(f"{COMPUTE} +out of date", pipeline.make("list").stdout)
    spec.write_text(text)
    assert f"{COMPUTE} has not changed" in pipeline.make().stdout


def test_a_file_that_is_gone_is_named_by_crossbuild_and_not_by_make(pipeline: Pipeline) -> None:
    limits = pipeline.folder / "specs/files/limits.conf"
    kept = limits.rename(limits.with_suffix(".kept"))
    said = pipeline.make(status=2).stderr
    assert "limits.conf" in said
    assert "No rule to make target" not in said
    kept.rename(limits)
    pipeline.make()


def test_a_spec_that_is_not_called_as_its_file_is_refused(pipeline: Pipeline) -> None:
    other = pipeline.folder / "specs/other.yaml"
    other.write_text((pipeline.folder / f"specs/{LOGIN}.yaml").read_text())
    assert "it must have the line `name: other`" in pipeline.make(status=2).stderr
    other.unlink()


FAKE = """\
#!/bin/sh
echo '{}' > out/one/image.json
echo replaced
exec sleep 60
"""
"""Stands for a crossbuild that has just put a new set in its place."""


def test_an_interrupted_make_does_not_delete_the_record_of_a_new_set(tmp_path: Path) -> None:
    shutil.copyfile(CHECKOUT / "examples/pipelines/Makefile", tmp_path / "Makefile")
    for name, text in {"specs/one.yaml": "name: one\n", "out/one/image.json": "", "fake": FAKE}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "fake").chmod(0o755)
    os.utime(tmp_path / "out/one/image.json", (1_000_000_000, 1_000_000_000))
    argv = ["make", "--directory", str(tmp_path), "CROSSBUILD=./fake"]
    env = environment({"MAKEFLAGS": ""})
    with subprocess.Popen(
        argv, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as make:
        assert make.stdout is not None
        assert "replaced\n" in make.stdout
        make.terminate()
    assert make.returncode != 0
    assert (tmp_path / "out/one/image.json").read_text() == "{}\n"


@pytest.mark.parametrize("name", ["my file", "#1", "C:x", "a$b", "a[1]*?", "plain~", "tëxt", "@<x>"])
def test_make_reads_odd_names_as_they_are_meant(name: str, tmp_path: Path) -> None:
    used, targets = tmp_path / name, [tmp_path / "image.json", tmp_path / f"{name}.json"]
    rules = [make_rules(Path(target.name), [Path(name)]) for target in targets]
    (tmp_path / "Makefile").write_text("\n".join([*rules, "%.json:", "\t@echo rebuilt"]))
    for path in (used, *targets):
        path.touch()
        os.utime(path, (1_000_000_000, 1_000_000_000))

    def rebuilt(target: Path, age: int) -> bool:
        os.utime(used, (1_000_000_000 - age, 1_000_000_000 - age))
        argv = ["make", "--directory", str(tmp_path), target.name]
        return "rebuilt" in capture(argv, env=environment({"MAKEFLAGS": ""})).stdout

    assert [rebuilt(target, age) for target in targets for age in (1, -1)] == [False, True, False, True]
