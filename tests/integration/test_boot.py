"""The example boots as each provisioner boots it, and what does not boot is judged rightly."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossbuild.artifacts.boots import read_boot
from crossbuild.errors import ProvisionerError
from crossbuild.host.command import environment
from crossbuild.model.artifact import OutputKind
from crossbuild.model.boot import BootRecord
from crossbuild.model.site import Site
from crossbuild.pipeline.boot_proof import require_booted
from tests.integration.booted_sets import TinyRoots, resealed, with_layer, without_driver
from tests.integration.conftest import STATE, CommandLine

pytestmark = pytest.mark.image

SECONDS = "400"
"""Enough for a busy machine; a boot that hangs is a failure, not a test that never ends."""
TESTS = """\
def test_the_machine_is_the_example(host):
    assert host.system_info.distribution == "debian"
    assert host.check_output("uname -m") == "aarch64"


def test_that_cannot_hold(host):
    assert host.file("/nowhere").exists
"""


@pytest.fixture
def boots(crossbuild: CommandLine) -> Any:
    """Boots a set and returns the exit status and the records."""

    def run(directory: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
        done = crossbuild("boot", str(directory), "--timeout", SECONDS, "--json", *options, check=False)
        assert done.stdout, done.stderr
        return done.status, json.loads(done.stdout)["boots"]

    return run


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where changed sets lie: on the disk of the example, whose files they link."""
    path = STATE / "boots"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def tiny(built_example: Path, folder: Path) -> TinyRoots:
    return TinyRoots(built_example, folder)


def results(record: dict[str, Any]) -> dict[str, str]:
    return {check["check"]: f"{check['result']}: {check['found']}" for check in record["checks"]}


def stages(record: dict[str, Any]) -> list[str]:
    return [stage["stage"] for stage in record["stages"]]


def test_the_example_boots_as_warewulf_3_with_its_tree_and_tests(
    boots: Any, built_example: Path, site: Site, folder: Path
) -> None:
    site.exported.mkdir(parents=True, exist_ok=True)
    (site.exported / "module").write_text("gnu12\n")
    checks = {"commands": ["test -e /etc/passwd", "false"], "tests": [{"name": "node.py", "content": TESTS}]}
    directory = resealed(built_example, folder / "warewulf3", {}, OutputKind.WAREWULF3, checks=checks)
    status, (record,) = boots(directory, "--as", "warewulf3", "--pub")
    found = results(record)
    # What the spec asks and cannot hold is all that is wrong.
    assert (status, record["verdict"]) == (1, "failed")
    wrong = {name: text for name, text in found.items() if not text.startswith("ok")}
    assert set(wrong) == {"command false", "test node.py::test_that_cannot_hold"}, wrong
    assert "test node.py::test_the_machine_is_the_example" in found
    assert "read" in found["exported tree"]
    assert stages(record) == ["kernel", "initramfs", "fetch", "unpack", "switch", "target"]
    with pytest.raises(ProvisionerError, match="not proved"):
        require_booted(directory, OutputKind.WAREWULF3)


def test_the_example_boots_as_ims(boots: Any, crossbuild: CommandLine, own_example: Path) -> None:
    status, (record,) = boots(own_example, "--as", "ims")
    assert (status, record["verdict"], record["reason"]) == (0, "booted", None), record
    assert {text.partition(":")[0] for text in results(record).values()} == {"ok"}
    assert {"service ssh", "service chrony", "file capabilities", "network"} <= results(record).keys()
    assert stages(record) == ["kernel", "initramfs", "fetch", "switch", "target"]
    kept = read_boot(own_example, OutputKind.IMS)
    assert kept is not None
    assert kept.seconds == record["seconds"]
    assert b"Linux version" in (own_example / "boot/ims.log").read_bytes()
    require_booted(own_example, OutputKind.IMS)
    crossbuild("artifacts", "verify", str(own_example))


def test_the_example_boots_as_warewulf_4_and_a_service_that_fails_is_named(
    boots: Any, built_example: Path, folder: Path
) -> None:
    unit = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo no disk here >&2; exit 7'\n"
    units = "etc/systemd/system"
    more = {
        f"{units}/broken.service": unit,
        f"{units}/multi-user.target.d/broken.conf": "[Unit]\nWants=broken.service\n",
    }
    directory = with_layer(built_example, folder / "warewulf4", more)
    status, (record,) = boots(directory, "--as", "warewulf4")
    found = results(record)
    assert (status, record["verdict"]) == (1, "failed")
    assert "failed units" in record["reason"]
    wrong = {name: text for name, text in found.items() if not text.startswith("ok")}
    assert set(wrong) == {"failed units"}, wrong
    assert "broken.service" in found["failed units"]
    assert "no disk here" in found["failed units"]
    # Warewulf's cpio loses them, and the set's script gives them back.
    assert found["file capabilities"].startswith("ok")
    assert stages(record) == ["kernel", "initramfs", "unpack", "switch", "target"]


def test_a_bootstrap_without_a_driver_of_the_network_is_judged_so(
    boots: Any, built_example: Path, folder: Path, tmp_path: Path
) -> None:
    directory = without_driver(built_example, folder / "driverless", tmp_path)
    status, (record,) = boots(directory, "--as", "warewulf3")
    assert (status, record["verdict"]) == (1, "failed")
    assert "no driver of the bootstrap" in record["reason"]
    assert record["stages"][-1]["stage"] == "initramfs"


def judged(crossbuild: CommandLine, directory: Path, limit: str = SECONDS) -> BootRecord:
    """Boot a set whose init is started and never brings the machine up; return the record, which is shown."""
    done = crossbuild("boot", str(directory), "--as", "warewulf3", "--timeout", limit, check=False)
    record = read_boot(directory, OutputKind.WAREWULF3)
    assert record is not None
    assert done.status == 1
    assert record.stages[-1].stage == "switch"
    assert record.reason
    assert record.reason in done.stdout
    return record


@pytest.fixture(scope="module")
def panic(crossbuild: CommandLine, tiny: TinyRoots) -> BootRecord:
    """What is told of an image whose init ends as soon as it has begun."""
    return judged(crossbuild, tiny.make("panic", "exit 3"))


def test_an_init_that_ends_is_a_panic(panic: BootRecord) -> None:
    assert "panicked: Attempted to kill init" in (panic.reason or "")


@pytest.mark.parametrize(
    ("name", "init", "reason"),
    [
        pytest.param("restart", "echo b >/proc/sysrq-trigger; sleep 60", "restarted", id="a loop"),
        pytest.param("foreign", "", "init does not start", id="an init with a library for x86_64"),
    ],
)
def test_an_image_that_never_comes_up_is_judged(
    crossbuild: CommandLine, tiny: TinyRoots, name: str, init: str, reason: str
) -> None:
    assert reason in (judged(crossbuild, tiny.make(name, init)).reason or "")


def test_an_init_that_hangs_is_judged_in_bounded_time(
    crossbuild: CommandLine, tiny: TinyRoots, panic: BootRecord
) -> None:
    """It gets twice as long as another one took to start: how long that is, the machine decides."""
    limit = str(int(2 * panic.seconds) + 5)
    assert "not up after" in (judged(crossbuild, tiny.make("hang", "sleep 1000"), limit).reason or "")


def test_a_console_is_shown_and_typed_into(crossbuild: CommandLine, tiny: TinyRoots) -> None:
    init = """
    echo '<2>crossbuild: end' >/dev/kmsg
    read -r word
    echo "heard $word"
    echo o >/proc/sysrq-trigger
    sleep 60
    """
    directory = tiny.make("shell", init)
    done = crossbuild("boot", str(directory), "--as", "warewulf3", "--shell", check=False, stdin="hello\n")
    assert "heard hello" in done.stdout
    assert "Booting Linux" in done.stdout
    # An end that only pretends to have looked at the machine proves nothing.
    assert done.status == 1
    assert "told nothing" in done.stdout


def test_too_little_memory_is_called_that(boots: Any, own_example: Path) -> None:
    status, (record,) = boots(own_example, "--as", "warewulf4", "--memory", "384M")
    assert (status, record["verdict"]) == (1, "failed")
    assert "memory" in record["reason"]


def test_a_kernel_for_another_machine_is_not_even_started(
    boots: Any, built_example: Path, folder: Path
) -> None:
    bzimage = bytes(0x202) + b"HdrS" + bytes(1000)
    directory = resealed(built_example, folder / "x86", {"ims/kernel": bzimage}, OutputKind.IMS)
    status, (record,) = boots(directory, "--as", "ims")
    assert (status, record["reason"]) == (1, "The kernel is for x86_64, not for aarch64.")
    assert record["stages"] == []


def test_a_damaged_set_is_not_booted(crossbuild: CommandLine, built_example: Path, folder: Path) -> None:
    directory = resealed(built_example, folder / "damaged", {}, OutputKind.IMS)
    (directory / "ims/boot_parameters").unlink()
    (directory / "ims/boot_parameters").write_text("console=ttyS0")
    done = crossbuild("boot", str(directory), check=False)
    assert done.status == 1
    assert "damaged" in done.stderr
    assert "ims/boot_parameters" in done.stderr


def test_a_host_without_an_emulator_of_machines_is_told_which_package(
    crossbuild: CommandLine, own_example: Path, tmp_path: Path
) -> None:
    for name in ("unshare", "ip"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = crossbuild("boot", str(own_example), check=False, PATH=str(tmp_path))
    assert done.status == 3
    assert "qemu-system" in done.stderr


def test_a_machine_ends_with_a_crossbuild_that_is_killed(crossbuild: CommandLine, tiny: TinyRoots) -> None:
    directory = tiny.make("killed", "sleep 1000")
    argv = crossbuild.argv("boot", str(directory), "--as", "warewulf3")
    with subprocess.Popen(argv, env=environment({}), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("kernel after" in line for line in process.stderr)
        (machine,) = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
        process.kill()
        process.wait()
        # The kernel ends the machine as soon as its parent is gone; otherwise this waits in vain.
        ended = subprocess.run(["timeout", "60", "tail", f"--pid={machine}", "-f", "/dev/null"], check=False)
    assert ended.returncode == 0
