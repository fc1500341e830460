from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.cli.main import run
from crossbuild.errors import BuildFailedError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import Artifact, ArtifactSet, Digests
from crossbuild.model.events import BuildFinished, EventSink
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec

from .builds import STARTED, replace_pipeline

SPEC = 'name: {name}\ndistro: debian\nrelease: "12"\narch: aarch64\noutputs: [ims]\n'


@dataclass
class FakePipeline:
    """Builds nothing and remembers what it was asked for."""

    unchanged: bool = False
    asked: list[tuple[str, Path, bool]] = field(default_factory=list)

    def build(
        self,
        spec: ImageSpec,
        site: Site,
        output: Path,
        *,
        on_event: EventSink,
        force: bool = False,
        emulator_only: bool = False,
    ) -> ArtifactSet:
        self.asked.append((spec.name, output, force))
        if spec.name == "broken":
            raise BuildFailedError("`apt-get` exited with status 100.")
        folder = output.absolute() / spec.name
        on_event(STARTED)
        on_event(BuildFinished(name=spec.name, directory=folder, seconds=192, unchanged=self.unchanged))
        digests = Digests(size=1_500_000, sha256="0" * 64, md5="0" * 32)
        files = tuple(
            Artifact(path=PurePosixPath(f"ims/{name}"), digests=digests) for name in ("kernel", "initrd")
        )
        return ArtifactSet(
            directory=folder, name=spec.name, arch=Architecture.AARCH64, record={}, artifacts=files
        )


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    fake = FakePipeline()
    replace_pipeline(monkeypatch, build=fake.build)
    return fake


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)

    def write(name: str, file: str = "") -> str:
        path = tmp_path / (file or f"{name}.yaml")
        path.write_text(SPEC.format(name=name))
        return path.name

    return write


def test_build_ends_with_a_table_and_the_next_command(
    pipeline: FakePipeline, spec: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["build", spec("compute"), "--output", "my out"]) == 0
    assert pipeline.asked == [("compute", Path("my out"), False)]
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "Artifact      Size",
        "ims/kernel  1.5 MB",
        "ims/initrd  1.5 MB",
        "in all      3.0 MB",
        "compute is in my out/compute, built in 3 min 12 s",
        "Next: crossbuild artifacts verify 'my out/compute'",
    ]
    assert "compute: done in 3 min 12 s" in err


def timed(program: str, cpu_seconds: float | None, *, starts: int, native: bool = False) -> dict[str, object]:
    return {"program": program, "native": native, "starts": starts, "cpu_seconds": cpu_seconds}


def test_build_names_the_programs_that_took_most_time_in_qemu(
    pipeline: FakePipeline, spec: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    programs = [
        timed("/usr/bin/dpkg", 4.04, starts=23),
        timed("/usr/bin/python3.11", 3.5, starts=1),
        timed("/usr/bin/dpkg", 0.06, starts=1),
        timed("/bin/a", 0.3, starts=3),
        timed("/bin/b", 0.2, starts=2),
        timed("/bin/fifth", 0.1, starts=2),
        timed("/bin/sed", 9.0, starts=99, native=True),
    ]
    folder = Path("out/compute")
    folder.mkdir(parents=True)
    (folder / "timeline.json").write_text(json.dumps({"phases": [], "programs": programs}))
    assert run(["build", spec("compute")]) == 0
    assert (
        "Most CPU time in qemu: dpkg 4.1 s in 24 starts, python3.11 3.5 s in 1 start, a 0.3 s in 3 starts, "
        "b 0.2 s in 2 starts\n"
    ) in capsys.readouterr().out


@pytest.mark.parametrize("cpu_seconds", [None, 0.0, 0.04])
def test_build_names_no_program_that_took_no_time_to_speak_of(
    cpu_seconds: float | None,
    pipeline: FakePipeline,
    spec: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path("out/compute")
    folder.mkdir(parents=True)
    programs = [timed("/usr/bin/dpkg", cpu_seconds, starts=24)]
    (folder / "timeline.json").write_text(json.dumps({"phases": [], "programs": programs}))
    assert run(["build", spec("compute")]) == 0
    assert "in qemu" not in capsys.readouterr().out


def test_unchanged_spec_is_told_as_such(
    pipeline: FakePipeline, spec: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.unchanged = True
    assert run(["build", spec("compute")]) == 0
    assert "compute has not changed; its artifacts are in out/compute" in capsys.readouterr().out


def test_program_gets_events_and_nothing_else_on_stdout(
    pipeline: FakePipeline, spec: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["build", "--json", "--force", spec("compute"), spec("login")]) == 0
    assert pipeline.asked == [("compute", Path("out"), True), ("login", Path("out"), True)]
    out, err = capsys.readouterr()
    assert [json.loads(line)["event"] for line in out.splitlines()] == 2 * ["build-started", "build-finished"]
    assert err == ""


def test_failed_build_ends_the_command(
    pipeline: FakePipeline, spec: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["build", "--json", spec("broken"), spec("compute")]) == 1
    assert [name for name, _, _ in pipeline.asked] == ["broken"]
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 1


@pytest.mark.parametrize(
    ("second", "said"),
    [
        pytest.param(SPEC.format(name="compute"), "Two specs have the same name", id="same name"),
        pytest.param(SPEC.format(name="login") + "frob: 1\n", "frob", id="unknown key"),
    ],
)
def test_nothing_is_built_before_every_spec_is_read(
    pipeline: FakePipeline,
    spec: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    second: str,
    said: str,
) -> None:
    Path("second.yaml").write_text(second)
    assert run(["build", spec("compute"), "second.yaml"]) == 2
    assert pipeline.asked == []
    assert said in capsys.readouterr().err


def test_missing_spec_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", "nowhere.yaml"]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err
