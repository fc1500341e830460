from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossbuild.cli.main import run
from crossbuild.cli.plan import STEP_NAMES, describe
from crossbuild.model.events import EventSink, Notice
from crossbuild.model.plan import (
    AccountsStep,
    CommandStep,
    ExecutorChoice,
    ExecutorKind,
    Layer,
    LinkStep,
    PinnedPackage,
    Place,
    Plan,
    RemoveStep,
    Resolution,
    Step,
    Venue,
    VenueKind,
    WriteStep,
)
from crossbuild.model.site import Site
from crossbuild.model.spec import Account, ImageSpec

from ..specs import make_spec
from .builds import replace_pipeline

MUNGE = Account(name="munge", uid=991, gid=990, group="munge", gecos="", home="/", shell="/bin/false")
WRITE = WriteStep(path="/etc/fstab", content=b"none\n", mode=0o644, reason="The spec has mounts.")
LONG = CommandStep(
    place=Place.OUTSIDE, argv=("mmdebstrap", *["--long-option"] * 20, "@ROOT@"), reason="Smallest root."
)
INSIDE = CommandStep(place=Place.INSIDE, argv=("sh", "-c", "echo 'a b'"), reason="The spec says so.")
PLAN = Plan(
    spec=make_spec(name="compute"),
    executor=ExecutorChoice(kind=ExecutorKind.HYBRID, reason="this host is x86_64"),
    venue=Venue(kind=VenueKind.LOCAL, reason="it was asked for"),
    resolution=Resolution(
        base=(PinnedPackage(name="libc6", version="2.36"),), added=(), sources="0" * 64, epoch=1_700_000_000
    ),
    layers=(
        Layer(key="base", title="Base system", steps=(LONG,), identity="", packages=1, kept=True),
        Layer(
            key="configuration",
            title="Configuration",
            steps=(WRITE, INSIDE),
            identity="",
            packages=0,
            kept=False,
        ),
    ),
    initramfs="/boot/initrd.img-{version}",
    squashfs_compression="zstd",
)


@pytest.fixture(autouse=True)
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def plan(spec: ImageSpec, site: Site, *, on_event: EventSink) -> Plan:
        assert spec.name == "compute"
        on_event(Notice(message="fetching indexes"))
        return PLAN

    replace_pipeline(monkeypatch, plan=plan, plan_needs_root=lambda _spec: False)
    monkeypatch.chdir(tmp_path)
    Path("compute.yaml").write_text(
        'name: compute\ndistro: debian\nrelease: "12"\narch: aarch64\noutputs: [ims]\n'
    )


def test_plan_says_what_where_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "compute.yaml"]) == 0
    out, err = capsys.readouterr()
    assert err == "Note: fetching indexes\n"
    assert [line.rstrip() for line in out.splitlines()] == [
        "compute  debian 12 for aarch64",
        "Venue       local: it was asked for",
        "Executor    hybrid: this host is x86_64",
        "Packages    1 of the base system, 0 added",
        "File times  no later than 2023-11-14 22:13+00:00",
        "Artifacts   none",
        "",
        f"1. Base system  1 step, 1 package, kept for later builds as {PLAN.layers[0].digest[:12]}",
        "  outside  mmdebstrap --long-option --long-option --long-option --long-optio...",
        "           Smallest root.",
        "",
        "2. Configuration  2 steps",
        "  outside  write /etc/fstab (5 bytes, mode 0644)",
        "           The spec has mounts.",
        """  inside   sh -c 'echo '"'"'a b'"'"''""",
        "           The spec says so.",
    ]
    assert max(map(len, out.splitlines())) <= 80


def test_plan_for_programs_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--json", "compute.yaml"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["executor"] == {"kind": "hybrid", "reason": "this host is x86_64"}
    assert document["digest"] == PLAN.digest
    base, configuration = document["layers"]
    assert base["steps"][0]["argv"] == list(LONG.argv)
    assert [step["step"] for step in configuration["steps"]] == ["write", "command"]
    assert configuration["steps"][0]["content"] == b"none\n".hex()


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (WRITE, "write /etc/fstab (5 bytes, mode 0644)"),
        (LinkStep(path="/etc/localtime", target="/usr/x", reason=""), "link /etc/localtime to /usr/x"),
        (RemoveStep(path="/etc/machine-id", reason=""), "remove /etc/machine-id"),
        (AccountsStep(accounts=(MUNGE,), reason=""), "make the accounts munge"),
        (
            CommandStep(place=Place.OUTSIDE, argv=("ls", "@ROOT@/a b", "@WORK@"), reason=""),
            "ls 'ROOT/a b' WORK",
        ),
    ],
)
def test_step_is_described_in_words(step: Step, words: str) -> None:
    assert describe(step) == (Place.OUTSIDE, words)
    assert type(step) in STEP_NAMES
