"""Phases, events and a stand-in for the pipeline that several tests need."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crossbuild import pipeline
from crossbuild.model.events import BuildStarted, Phase, PhaseFinished, Progress

BASE = Phase(key="base", title="Base system", estimate=100)
PACKAGES = Phase(key="packages", title="Packages", estimate=200)
PACKING = Phase(key="packing", title="Artifacts", estimate=50)
STARTED = BuildStarted(name="compute", phases=(BASE, PACKAGES, PACKING), log=Path("/log"))


def finished(phase: Phase, seconds: float, *, cached: bool = False) -> PhaseFinished:
    return PhaseFinished(phase=phase.key, seconds=seconds, cached=cached)


def progress(phase: Phase, done: int, total: int, *, unit: str = "packages", detail: str = "") -> Progress:
    return Progress(phase=phase.key, done=done, total=total, unit=unit, detail=detail)


def replace_pipeline(monkeypatch: pytest.MonkeyPatch, **functions: Callable[..., Any]) -> None:
    """Let the commands find *functions* where they look for the pipeline, which is not even imported."""
    fake = ModuleType("crossbuild.pipeline.building")
    vars(fake).update(functions)
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    # `from crossbuild.pipeline import building` asks the package first.
    monkeypatch.setattr(pipeline, "building", fake, raising=False)
