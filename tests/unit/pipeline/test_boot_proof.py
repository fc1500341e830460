"""What a registration may ask for: that the set was seen booting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.artifacts.boots import write_boot
from crossbuild.artifacts.receipts import record_digest
from crossbuild.errors import ProvisionerError
from crossbuild.model.artifact import OutputKind
from crossbuild.model.boot import Verdict
from crossbuild.pipeline.boot_proof import require_booted
from tests.unit.artifacts.sets import make_set
from tests.unit.booting.records import RECORD


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "console").touch()
    return make_set(tmp_path)


def test_a_set_that_booted_so_is_accepted(directory: Path, tmp_path: Path) -> None:
    write_boot(replace(RECORD, image_digest=record_digest(directory)), tmp_path / "console", directory)
    require_booted(directory, OutputKind.WAREWULF3)


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        pytest.param(None, "never booted", id="never"),
        pytest.param({"way": OutputKind.IMS}, "never booted", id="in another way"),
        pytest.param({"image_digest": "cd34"}, "another build", id="an earlier build"),
        pytest.param({"verdict": Verdict.FAILED, "reason": "It hung."}, "It hung.", id="failed"),
    ],
)
def test_anything_else_is_refused(
    directory: Path, tmp_path: Path, changes: dict[str, object] | None, details: str
) -> None:
    if changes is not None:
        record = replace(RECORD, **{"image_digest": record_digest(directory), **changes})  # type: ignore[arg-type]
        write_boot(record, tmp_path / "console", directory)
    with pytest.raises(ProvisionerError) as caught:
        require_booted(directory, OutputKind.WAREWULF3)
    assert details in caught.value.details
    assert "--as warewulf3" in caught.value.resolution
