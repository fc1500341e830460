"""Times of programs, as this kernel tells them, and what a build makes of them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from crossbuild.host import taskstats
from crossbuild.host.command import capture
from crossbuild.host.taskstats import listening
from tests.integration.conftest import SMALL, CommandLine

HEARD_NOTHING = """
from crossbuild.host.command import capture
from crossbuild.host.taskstats import listening
with listening() as heard:
    capture(["true"])
raise SystemExit(len(heard.processes))
"""


@pytest.fixture(scope="module")
def timed_build(
    crossbuild: CommandLine, small_root: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A set whose configuration runs ldconfig, which has no rule, and what the build printed."""
    folder = tmp_path_factory.mktemp("timed")
    commands = (
        f"commands: {json.dumps(['ldconfig', 'exec ldconfig', 'ln -sf /sbin/ldconfig /tmp/l; /tmp/l'] * 3)}\n"
    )
    spec = folder / "spec.yaml"
    spec.write_text(SMALL.replace("name: small", "name: timed") + commands)
    result = crossbuild("build", str(spec), "--output", str(folder))
    return folder / "timed", result.stdout


def programs_of(folder: Path) -> list[dict[str, Any]]:
    found = json.loads((folder / "timeline.json").read_text())["programs"]
    assert isinstance(found, list)
    return found


def test_every_start_of_a_build_has_its_time(timed_build: tuple[Path, str]) -> None:
    programs = programs_of(timed_build[0])
    (ldconfig,) = (entry for entry in programs if entry["program"].endswith("/ldconfig"))
    # Nine in the configuration, and those of the installation where this build made its base itself.
    assert ldconfig["native"] is False
    assert ldconfig["timed"] == ldconfig["starts"] >= 9
    assert ldconfig["seconds"] > 0
    assert ldconfig["cpu_seconds"] > 0
    starts, timed = (sum(entry[key] for entry in programs) for key in ("starts", "timed"))
    assert 0.9 * starts <= timed <= starts


def test_the_most_costly_program_in_qemu_is_listed_first_and_named(timed_build: tuple[Path, str]) -> None:
    folder, printed = timed_build
    first = programs_of(folder)[0]
    assert first["program"].endswith("/ldconfig")
    assert "Most CPU time in qemu: ldconfig " in printed


def test_the_record_sums_up_what_no_host_could_exceed(timed_build: tuple[Path, str]) -> None:
    folder, _ = timed_build
    programs = programs_of(folder)
    build = json.loads((folder / "image.json").read_text())["build"]
    for key, native in (("cpu_seconds_native", True), ("cpu_seconds_emulated", False)):
        parts = [entry["cpu_seconds"] for entry in programs if entry["native"] is native and entry["timed"]]
        # Each part was rounded to milliseconds, and so was the sum.
        assert build[key] == pytest.approx(sum(parts), abs=0.0005 * (len(parts) + 1))
    assert build["programs_timed"] == sum(entry["timed"] for entry in programs)
    phases = json.loads((folder / "timeline.json").read_text())["phases"]
    possible = (os.cpu_count() or 1) * sum(phase["seconds"] for phase in phases)
    assert build["cpu_seconds_native"] + build["cpu_seconds_emulated"] <= possible


def test_the_kernel_tells_programs_from_copies() -> None:
    with listening() as heard:
        capture(["sh", "-c", "(:); /bin/true; exec sleep 0"])
    (outer,) = (process for process in heard.processes if process.parent == os.getpid())
    inner = [process for process in heard.processes if process.parent == outer.id]
    assert (outer.name, outer.executed) == ("sleep", True)
    assert [(process.name, process.executed) for process in inner] == [("sh", False), ("true", True)]


def test_a_full_queue_is_counted_and_listening_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taskstats, "QUEUE", 1)
    with taskstats._registered() as connection:
        capture(["sh", "-c", "for number in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done"])
        list(taskstats._queued(connection))
        assert taskstats._dropped(connection) > 0
        capture(["true"])
        assert list(taskstats._queued(connection))


def test_nothing_is_heard_in_a_user_namespace_and_nothing_breaks() -> None:
    argv = ["unshare", "--user", "--map-root-user", sys.executable, "-c", HEARD_NOTHING]
    assert capture(argv).status == 0
