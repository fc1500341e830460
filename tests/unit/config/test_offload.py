"""Where builds go, and how Slurm gets them: nothing but what sbatch takes as one word."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.config.site import load_site
from crossbuild.errors import SpecError
from crossbuild.model.offload import Fallback, OffloadDefaults, SlurmDefaults


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def test_the_defaults_are_said(tmp_path: Path) -> None:
    site = load_site(write(tmp_path, "{}"))
    assert site.offload == OffloadDefaults(on="auto", fallback=Fallback.QUEUE, patience=900)
    assert site.slurm == SlurmDefaults()


def test_everything_that_is_said_counts(tmp_path: Path) -> None:
    text = """\
offload: {to: arm1, fallback: emulate, patience: 60}
slurm: {folder: /s, partition: arm, constraint: "a&(b|c)", account: x, time: "1-0", options: ["--qos=q"]}
"""
    site = load_site(write(tmp_path, text))
    assert site.offload == OffloadDefaults(on="arm1", fallback=Fallback.EMULATE, patience=60)
    assert site.slurm == SlurmDefaults(
        folder=Path("/s"),
        partition="arm",
        constraint="a&(b|c)",
        account="x",
        time="1-0",
        options=("--qos=q",),
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("offload: {on: auto}", "offload"),  # YAML: the key is the word true
        ("offload: {fallback: emulated}", "offload.fallback"),
        ("offload: {to: ../x}", "offload.to"),
        ("offload: {patience: -1}", "offload.patience"),
        ("slurm: {folder: shared}", "slurm.folder"),
        ("slurm: {partition: 'arm --uid=0'}", "slurm.partition"),
        ("slurm: {time: '-1'}", "slurm.time"),
        ("slurm: {options: ['qos=x']}", "slurm.options"),
        ("slurm: {options: ['--qos=x --uid=0']}", "slurm.options"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(text: str, path: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_site(write(tmp_path, text))
    assert path in caught.value.details
