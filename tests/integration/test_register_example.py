"""The built example in both Warewulfs, and receipts that outlive a build."""

from __future__ import annotations

import json
from pathlib import Path

from crossbuild.artifacts.receipts import read_receipt
from tests.integration.conftest import CommandLine
from tests.integration.small_sets import receipts
from tests.integration.warewulf3_rig import Warewulf3Host
from tests.integration.warewulf4_rig import Warewulf4Host


def test_example_boots_from_warewulf_3_and_goes(
    crossbuild: CommandLine, tmp_path: Path, own_example: Path
) -> None:
    host = Warewulf3Host(tmp_path / "host", crossbuild)
    host.add_node("n1")
    before = host.snapshot()
    host("warewulf3", own_example, "--node", "n1", check=True)
    arguments = json.loads((own_example / "image.json").read_text())["kernel"]["args"]
    assert host.read()["nodes"]["n1"]["KARGS"] == arguments
    kernel = (own_example / "ims/kernel").read_bytes()
    assert (host.state / "bootstrap/aarch64/101/kernel").read_bytes() == kernel
    shown = crossbuild("artifacts", "show", str(own_example)).stdout
    assert "warewulf3-1.json" in shown
    assert crossbuild("artifacts", "verify", str(own_example)).status == 0
    host("--undo", receipts(own_example)[0], check=True)
    assert host.snapshot() == before


def test_example_boots_from_warewulf_4_with_its_capabilities_and_goes(
    crossbuild: CommandLine, tmp_path: Path, own_example: Path
) -> None:
    host = Warewulf4Host(tmp_path / "host", crossbuild)
    host.add_node("n1")
    before = host.read()
    host("warewulf4", own_example, "--name", "image", "--node", "n1", check=True)
    assert host.read()["nodes"]["n1"]["system overlay"] == ["image"]
    script = host.prefix / "var/overlays/image/warewulf/init.d/50-restore-capabilities"
    assert script.read_bytes() == (own_example / "warewulf4/restore-capabilities.sh").read_bytes()
    assert script.stat().st_mode & 0o777 == 0o755
    kinds = {one.kind: one.checksum.split(":")[0] for one in read_receipt(receipts(own_example)[0]).objects}
    assert kinds == {"image": "tree", "overlay": "sha256"}
    host("--undo", receipts(own_example)[0], check=True)
    assert (host.read(), host.images()) == (before, [])
    assert not script.exists()


def test_accounts_that_were_not_synchronized_are_found_out(
    crossbuild: CommandLine, tmp_path: Path, own_example: Path
) -> None:
    host = Warewulf4Host(tmp_path / "host", crossbuild)
    host.let("other-ids")
    host.let("no-sync")
    result = host("warewulf4", own_example)
    assert (result.status, "root is 4242" in result.stderr) == (4, True)
    assert host.images() == []
    host("warewulf4", own_example, "--no-syncuser", check=True)


def test_a_new_build_keeps_the_receipts_of_the_former_one(
    crossbuild: CommandLine, tmp_path: Path, small_spec: Path
) -> None:
    host = Warewulf4Host(tmp_path / "host", crossbuild)
    build = ("build", str(small_spec), "--output", str(tmp_path / "out"), "--force")
    crossbuild(*build)
    directory = tmp_path / "out/small"
    host("warewulf4", directory, check=True)
    receipt = receipts(directory)[0].read_text()
    crossbuild(*build)
    assert [path.read_text() for path in receipts(directory)] == [receipt]
    host("--undo", receipts(directory)[0], check=True)
    assert host.images() == []
