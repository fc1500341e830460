from __future__ import annotations

from dataclasses import replace

import pytest

from crossbuild.host.advice import advise
from crossbuild.host.measure import Measurement, Times


def qemu(
    version: str, start: float, computing: float, *, in_use: bool = False, keeps_argv0: bool = True
) -> Measurement:
    return Measurement(
        path=f"/opt/qemu-{version}",
        version=version,
        in_use=in_use,
        keeps_argv0=keeps_argv0,
        times=Times(start=start, computing=computing),
    )


SLOW, QUICK = qemu("7.2", 0.022, 0.120), qemu("10.0", 0.016, 0.180)
WRONG = replace(qemu("9.0", 0.001, 0.001), faults=("2 arguments arrive as 3.",), times=None)
HANDLER = replace(qemu("8.0", 0.001, 0.001), handler="crossbuild-aarch64", in_use=True)


@pytest.mark.parametrize(
    ("measured", "version", "reason"),
    [
        pytest.param((SLOW,), "7.2", "the only one", id="only one"),
        pytest.param((SLOW, QUICK), "10.0", "starts programs fastest", id="starts come before computing"),
        pytest.param((QUICK, qemu("11", 0.0165, 0.100)), "11", "computes fastest", id="starts alike"),
        pytest.param((QUICK, qemu("11", 0.015, 0.170)), "10.0", "10 %", id="all alike, so the first"),
        pytest.param(
            (QUICK, qemu("11", 0.0165, 0.185, in_use=True)), "11", "10 %", id="all alike, so the one in use"
        ),
        pytest.param(
            (qemu("7.2", 0.022, 0.120, in_use=True), QUICK), "10.0", "starts", id="not the one in use"
        ),
        pytest.param((WRONG, SLOW), "7.2", "the only one", id="one with faults is never taken"),
        pytest.param((SLOW, HANDLER), "7.2", "the only one", id="a handler is not a program to configure"),
        pytest.param(
            (qemu("5.2", 0.010, 0.100, keeps_argv0=False), SLOW, QUICK),
            "10.0",
            "Of those that keep argv[0], it starts",
            id="one that loses argv[0] comes last",
        ),
        pytest.param(
            (qemu("5.1", 0.020, 0.1, keeps_argv0=False), qemu("5.2", 0.010, 0.1, keeps_argv0=False)),
            "5.2",
            "It starts programs fastest",
            id="where none keeps argv[0], that decides nothing",
        ),
    ],
)
def test_the_advice_names_one_with_its_reason(
    measured: tuple[Measurement, ...], version: str, reason: str
) -> None:
    advice = advise(measured)
    assert advice is not None
    assert (advice.version, advice.path) == (version, f"/opt/qemu-{version}")
    assert reason in advice.reason
    assert advice.in_use == next(entry.in_use for entry in measured if entry.version == version)


@pytest.mark.parametrize("measured", [(), (WRONG,), (WRONG, HANDLER)])
def test_where_none_is_fit_none_is_recommended(measured: tuple[Measurement, ...]) -> None:
    assert advise(measured) is None
