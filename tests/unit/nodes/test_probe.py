"""What a node says of itself is read with suspicion, and judged in words."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from crossbuild.errors import ProvisionerError
from crossbuild.model.node import NodeStatus, Tool
from crossbuild.nodes.ims_status import ims_status
from crossbuild.nodes.probe import builds_with, families, judge, parse, python_version, script, ways
from tests.unit.nodes.values import DNF, PODMAN, PYTHON, make_facts, make_node

ANSWER = """\
Welcome to arm1!
crossbuild-probe clock 1000.5
crossbuild-probe arch aarch64
crossbuild-probe user 1000 build
crossbuild-probe cpus 8
crossbuild-probe load 0.50
crossbuild-probe memory 1000 500
crossbuild-probe writable
crossbuild-probe disk 2000
crossbuild-probe tool dnf /usr/bin/dnf 4.14.0
crossbuild-probe tool zypper /usr/bin/zypper
crossbuild-probe subordinate
crossbuild-probe job abc
crossbuild-probe end
"""


def test_an_answer_is_read_past_greetings() -> None:
    facts = parse(ANSWER, between=(1000, 1001))
    assert facts == make_facts(
        memory_total=1_024_000,
        memory_available=512_000,
        disk_free=2_048_000,
        tools=(DNF, Tool(name="zypper", path="/usr/bin/zypper", version="")),
        jobs=("abc",),
    )


@pytest.mark.parametrize("missing", ["clock", "arch", "user", "cpus", "memory", "disk", "end"])
def test_an_answer_that_was_cut_short_is_none(missing: str) -> None:
    lines = [line for line in ANSWER.splitlines() if f" {missing}" not in line]
    with pytest.raises(ProvisionerError, match="did not answer"):
        parse("\n".join(lines), between=(0, 0))


@pytest.mark.parametrize(
    ("between", "skew"),
    [((1000, 1001), 0.0), ((900, 901), 99.5), ((1100, 1200), -99.5), ((1000.5, 1000.5), 0.0)],
)
def test_a_clock_is_wrong_by_what_the_way_cannot_explain(between: tuple[float, float], skew: float) -> None:
    assert parse(ANSWER, between=between).clock_skew == skew


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"arch": "x86_64"}, "it is x86_64, and was added as aarch64", id="arch"),
        pytest.param({"tools": (PYTHON,)}, "it lacks Podman", id="no package manager"),
        pytest.param({"tools": (PODMAN,)}, "it lacks Podman for root", id="Podman of an ordinary user"),
        pytest.param({"tools": (PODMAN,), "root": True}, "", id="Podman"),
        pytest.param({"subordinate_ids": False}, "is not root there", id="no ids"),
        pytest.param({"subordinate_ids": False, "root": True}, "", id="root needs none"),
        pytest.param({"folder_writable": False}, "not a folder that build can write to", id="folder"),
        pytest.param({"disk_free": 1_000_000_000}, "has 1000 MB left", id="disk"),
    ],
)
def test_the_first_thing_that_is_wrong_is_told(changes: dict[str, Any], words: str) -> None:
    said = judge(make_node(), make_facts(**changes))
    assert (words in said) if words else not said


def test_a_drained_node_is_not_usable() -> None:
    assert judge(make_node(drained=""), make_facts()) == "drained: no reason given"


def test_old_python_makes_no_roots() -> None:
    assert families(make_facts()) == ("dnf",)
    old = Tool(name="python3", path="/usr/bin/python3", version="Python 3.6.8")
    assert families(make_facts(tools=(old, DNF))) == ()
    assert python_version("") == (0, 0)


@pytest.mark.parametrize(
    ("changes", "expected", "told"),
    [
        pytest.param({"tools": (PYTHON, DNF)}, {"dnf": "tools"}, ("dnf",), id="tools"),
        pytest.param(
            {"tools": (PODMAN, PYTHON, DNF), "root": True},
            {"apt": "podman", "dnf": "tools", "zypper": "podman"},
            ("dnf", "Podman"),
            id="Podman for what the tools cannot make",
        ),
        pytest.param(
            {"tools": (PODMAN, DNF), "root": True},
            dict.fromkeys(("apt", "dnf", "zypper"), "podman"),
            ("Podman",),
            id="tools without Python",
        ),
        pytest.param({"tools": (PODMAN,)}, {}, (), id="Podman of an ordinary user"),
    ],
)
def test_podman_stands_in_for_what_is_missing(
    changes: dict[str, Any], expected: dict[str, str], told: tuple[str, ...]
) -> None:
    facts = make_facts(**changes)
    assert ways(facts) == expected
    assert builds_with(facts) == told


def run_probe(folder: Path) -> str:
    argv = ["sh", "-s", str(folder)]
    return subprocess.run(argv, input=script(), text=True, capture_output=True, check=True).stdout


def test_the_script_answers_here_what_this_host_is(tmp_path: Path) -> None:
    before = time.time()
    facts = parse(run_probe(tmp_path), between=(before, time.time()))
    assert facts.folder_writable
    assert facts.tool("python3")
    assert (facts.clock_skew, facts.jobs) == (0.0, ())
    assert parse(run_probe(tmp_path / "missing/below"), between=(0, 0)).folder_writable is False


def test_only_jobs_whose_worker_lives_are_counted(tmp_path: Path) -> None:
    for name in ("alive", "dead", "ended"):
        job = tmp_path / "crossbuild-jobs" / name
        job.mkdir(parents=True)
        (job / "order.json").write_text("{}")
        (job / ".worker.lock").touch()
    (tmp_path / "crossbuild-jobs/ended/.worker.lock").unlink()
    lock = tmp_path / "crossbuild-jobs/alive/.worker.lock"
    with subprocess.Popen(["flock", lock, "sh", "-c", "echo held; read _"], stdin=-1, stdout=-1) as worker:
        assert worker.stdout
        worker.stdout.readline()
        facts = parse(run_probe(tmp_path), between=(0, 0))
        worker.communicate(b"\n")
    assert facts.jobs == ("alive",)


CONNECTED = "SSH connection established."
NOT_REACHED = "ssh: connect to host arm1 port 22: Connection refused"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        pytest.param(
            NodeStatus(
                node=make_node(labels=(("xname", "x3c0s3b0n0"),)),
                facts=make_facts(tools=(PODMAN,), jobs=("a", "b")),
                reason="",
            ),
            (True, "aarch64", 2, "Podman present at /usr/bin/podman", CONNECTED, "x3c0s3b0n0"),
            id="ready",
        ),
        pytest.param(
            NodeStatus(node=make_node(), facts=make_facts(tools=()), reason="no tools"),
            (False, "aarch64", 0, "Podman not installed on node.", CONNECTED, "arm1"),
            id="no Podman",
        ),
        pytest.param(
            NodeStatus(node=make_node(), facts=None, reason="x", unreachable=NOT_REACHED),
            (False, "Unknown", -1, "Unknown", f"Unable to connect to node. Error: {NOT_REACHED}", "arm1"),
            id="not reached",
        ),
    ],
)  # fmt: skip
def test_the_words_are_those_of_ims(status: NodeStatus, said: tuple[object, ...]) -> None:
    keys = ("ableToRunJobs", "nodeArch", "numCurrentJobs", "podmanStatus", "sshStatus", "xname")
    assert json.dumps(ims_status(status)) == json.dumps(dict(zip(keys, said, strict=True)))
