"""What Warewulf's own files keep secret appears nowhere that registering writes or shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.model.artifact import OutputKind
from tests.integration.conftest import CommandLine
from tests.integration.small_sets import receipts, small_set
from tests.integration.warewulf3_rig import Warewulf3Host
from tests.integration.warewulf4_rig import Warewulf4Host

SECRET = "correct-horse-battery"


@pytest.mark.parametrize("fault", ["", "deaf-vnfs-import"])
def test_password_of_the_database_stays_in_its_file(
    crossbuild: CommandLine, tmp_path: Path, fault: str
) -> None:
    host = Warewulf3Host(tmp_path / "host", crossbuild)
    for name in ("database.conf", "database-root.conf"):
        (host.etc / name).write_text(f"database password = {SECRET}\n")
    host.add_node("n1")
    if fault:
        host.let(fault)
    directory = small_set(tmp_path / "set", OutputKind.WAREWULF3)
    shown = [host("warewulf3", directory, "--node", "n1", "--dry-run"), host("warewulf3", directory)]
    shown += [host("--undo", path) for path in receipts(directory)]
    written = [path.read_text() for path in receipts(directory)]
    said = "".join(result.stdout + result.stderr for result in shown)
    assert SECRET not in "".join([said, *written, *host.calls()])
    assert len(host.calls()) > 10


@pytest.mark.parametrize("fault", ["", "deaf-node-set"])
def test_password_of_a_management_controller_stays_in_nodes_conf(
    crossbuild: CommandLine, tmp_path: Path, fault: str
) -> None:
    host = Warewulf4Host(tmp_path / "host", crossbuild)
    host.add_node("n1", ipmi={"password": SECRET})
    if fault:
        host.let(fault)
    directory = small_set(tmp_path / "set", OutputKind.WAREWULF4)
    shown = [host("warewulf4", directory, "--node", "n1", *more) for more in (["--dry-run"], ["--json"])]
    shown += [host("--undo", path) for path in receipts(directory)]
    written = [path.read_text() for path in receipts(directory)]
    said = "".join(result.stdout + result.stderr for result in shown)
    calls = (host.prefix / "calls").read_text()
    assert SECRET not in "".join([said, *written, calls])
    assert "image import" in calls
    assert host.read()["nodes"]["n1"]["ipmi"] == {"password": SECRET}
