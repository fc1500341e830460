from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from crossbuild.distros.catalog import lookup
from crossbuild.model.codec import decode, encode
from crossbuild.model.events import Event, PhaseFinished, Progress
from crossbuild.model.job import Commission, Ending, Outcome, WorkOrder
from crossbuild.model.plan import PinnedPackage, Resolution, Venue, VenueKind
from crossbuild.model.root import Package
from crossbuild.model.spec import AptRepository, FileSpec, KernelSpec
from crossbuild.planning.planner import plan_build
from tests.unit.planning.test_planner import HOST, MUNGE
from tests.unit.specs import make_spec

EVENTS = cast("type[Event]", Event)
SPEC = make_spec(
    repositories=(
        AptRepository(uris=("http://a",), suites=("bookworm",), components=("main",), signed_by="/k"),
    ),
    kernel=KernelSpec(package="linux-image-arm64", drivers=(), firmware=("x*",), modprobe=(), args="ro"),
    accounts=(MUNGE,),
    files=(FileSpec(target="/etc/x", content=b"\0\xff\n", mode=0o600, owner="root", group="root"),),
)
RESOLUTION = Resolution(base=(PinnedPackage(name="a", version="1"),), added=(), sources="0", epoch=7)
PLAN = plan_build(
    SPEC, lookup("debian", "12"), RESOLUTION, HOST, Venue(kind=VenueKind.NODE, node="arm1", reason="free")
)


def through_json(value: object) -> Any:
    return json.loads(json.dumps(encode(value)))


def test_a_whole_plan_arrives_as_it_was() -> None:
    commission = Commission(plan=PLAN, inputs="abc", target=Path("/out/node"))
    assert decode(Commission, through_json(commission)) == commission


def test_keys_of_layers_survive_the_way() -> None:
    order = WorkOrder(job="a", site="b", spec=SPEC, layers=PLAN.layers, epoch=7)
    arrived = decode(WorkOrder, through_json(order))
    assert [layer.digest for layer in arrived.layers] == [layer.digest for layer in PLAN.layers]


def test_members_of_a_union_are_told_apart() -> None:
    for event in (
        PhaseFinished(phase="base", seconds=1.5, cached=False),
        Progress(phase="base", done=1, total=2, unit="packages", detail="bash"),
    ):
        assert decode(EVENTS, through_json(event)) == event


OUTCOME = through_json(
    Outcome(ending=Ending.DONE, packages=(Package(name="a", version="1", arch="all", kind="deb"),))
)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"ending": "well"}, id="no such member"),
        pytest.param({"size": "1"}, id="another type"),
        pytest.param({"size": True}, id="a truth value is no number"),
        pytest.param({"packages": {}}, id="no list"),
        pytest.param({"packages": [{"is": "Package"}]}, id="missing keys"),
        pytest.param({"more": 1}, id="another key"),
        pytest.param({"is": "Order"}, id="another class"),
    ],
)
def test_what_was_not_written_by_encode_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(Outcome, OUTCOME | damage)


@pytest.mark.parametrize("document", [None, 1, "text", [], {}, {"is": "Unknown"}])
def test_no_event_is_no_event(document: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(EVENTS, document)


def test_what_has_no_form_is_no_user_error() -> None:
    with pytest.raises(TypeError):
        encode(replace(RESOLUTION, base=[object()]))  # type: ignore[arg-type]
