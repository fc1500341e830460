"""The table of packers."""

from __future__ import annotations

from pathlib import Path

from crossbuild.artifacts.packing import PACKERS, pack
from crossbuild.model.artifact import OutputKind
from tests.unit.artifacts.jobs import KERNEL_SPEC, make_job
from tests.unit.specs import make_spec


def test_every_output_has_a_packer() -> None:
    assert set(PACKERS) == set(OutputKind)


def test_only_what_the_spec_asks_for_is_packed(tmp_path: Path) -> None:
    spec = make_spec(kernel=KERNEL_SPEC, outputs=(OutputKind.WAREWULF4,))
    seen: list[tuple[str, int, int]] = []
    packed = pack(make_job(tmp_path, spec=spec), tmp_path / "out", lambda *progress: seen.append(progress))
    assert {path.relative_to(tmp_path / "out").parts[0] for path in (tmp_path / "out").rglob("*")} == {
        "warewulf4"
    }
    assert {Path(artifact.path) for artifact in packed} == {
        path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.*")
    }
    detail, done, total = seen[-1]
    assert (detail, done) == ("warewulf4/node.tar", total)
