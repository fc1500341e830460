"""Plans of the examples are what was reviewed; `python -m tests.golden.rendering` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.distros.catalog import RELEASES, lookup
from crossbuild.distros.openhpc.choice import releases_for
from crossbuild.distros.release import Family
from crossbuild.model.plan import CommandStep
from tests.golden.rendering import EXAMPLES, FOLDER, example_plan, example_spec, golden, render


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_a_plan_is_what_was_reviewed(example: Path) -> None:
    assert render(example) == golden(example).read_text(encoding="utf-8")


def test_every_golden_file_has_its_example() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in EXAMPLES}


def test_every_example_is_named_after_its_file() -> None:
    assert [example_spec(path).name for path in EXAMPLES] == [path.stem for path in EXAMPLES]


def test_there_is_an_example_for_every_release_that_openhpc_is_made_for() -> None:
    """Those built from the same sources differ in nothing but repositories and keys."""
    shown = {(spec.distro, spec.release) for spec in map(example_spec, EXAMPLES)}
    made_for = {
        (entry.distro, entry.release)
        for entry in RELEASES
        if releases_for(entry) and entry.family is not Family.APT
    }
    missing = made_for - shown
    assert missing <= {
        ("almalinux", "8"),
        ("rhel", "8"),
        ("rhel", "10"),
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_no_step_takes_the_kernel_of_the_host_for_that_of_the_image(example: Path) -> None:
    spec = example_spec(example)
    plan = example_plan(spec, lookup(spec.distro, spec.release))
    commands = [step for layer in plan.layers for step in layer.steps if isinstance(step, CommandStep)]
    assert commands
    assert [step for step in commands if "uname" in " ".join(step.argv)] == []
