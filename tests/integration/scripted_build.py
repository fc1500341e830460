"""A build that only pretends, to look at its progress: `scripted_build.py [SPEED] [--json] [--fail]`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from crossbuild.cli.errors import guarded
from crossbuild.cli.options import Session
from crossbuild.cli.progress import progress_for
from crossbuild.errors import BuildFailedError
from crossbuild.model.events import (
    BuildFinished,
    BuildStarted,
    EventSink,
    Log,
    Notice,
    Phase,
    PhaseFinished,
    PhaseStarted,
    Progress,
)

PHASES = (
    Phase(key="resolve", title="Choose packages", estimate=2),
    Phase(key="base", title="Unpack the base system", estimate=10),
    Phase(key="packages", title="Install packages", estimate=30),
    Phase(key="finish", title="Write configuration", estimate=1),
    Phase(key="verify", title="Verify the root", estimate=4),
    Phase(key="initrd", title="Make the initial ramdisk", estimate=8),
    Phase(key="warewulf3", title="Pack for Warewulf 3", estimate=6),
    Phase(key="ims", title="Pack for IMS", estimate=5),
)
PACKAGES = 311
FAILURE = BuildFailedError(
    "`dracut` exited with status 1.",
    details="Command: dracut --force\n/usr/lib/dracut/\x1b[31mfail\x1b[0m [bold]: not found",
    resolution="Read the log that is named above, then run `crossbuild build "
    "examples/debian12-compute.yaml` again.",
)


def play(sink: EventSink, speed: float, *, fail: bool) -> None:
    """Send the events of one build, *speed* times as fast as it would be."""
    sink(
        Notice(
            message="another build of 'debian12-compute' is running (process 4711): waiting for it to end."
        )
    )
    sink(
        BuildStarted(
            name="debian12-compute", phases=PHASES, log=Path("/var/lib/crossbuild/logs/debian12-compute.log")
        )
    )
    for phase in PHASES:
        sink(PhaseStarted(phase=phase))
        steps = max(1, int(phase.estimate * 10))
        for step in range(steps):
            time.sleep(0.1 / speed)
            if fail and phase.key == "initrd" and step > steps / 2:
                raise FAILURE
            sink(_progress(phase, step + 1, steps))
            sink(
                Log(
                    phase=phase.key,
                    line=f"\x1b[32mSetting up\x1b[0m libsystemd{step}:arm64 (252.31-1~deb12u1) "
                    + "x" * 60
                    + "END",
                )
            )
        sink(PhaseFinished(phase=phase.key, seconds=phase.estimate / speed, cached=phase.key == "base"))
    sink(
        BuildFinished(
            name="debian12-compute",
            directory=Path("out/debian12-compute"),
            seconds=66 / speed,
            unchanged=False,
        )
    )


def _progress(phase: Phase, step: int, steps: int) -> Progress:
    if phase.key == "packages":
        return Progress(
            phase=phase.key,
            done=PACKAGES * step // steps,
            total=PACKAGES,
            unit="packages",
            detail="libsystemd0",
        )
    size = 494_000_000
    total = size if phase.key in {"warewulf3", "base"} else 0
    return Progress(
        phase=phase.key, done=size * step // steps, total=total, unit="bytes", detail="usr/lib/firmware/\nodd"
    )


def main() -> int:
    """Play it on the standard streams, below the error boundary, as `crossbuild build` does."""
    options = sys.argv[1:]
    speed = next((float(option) for option in options if not option.startswith("--")), 1.0)
    as_json = "--json" in options

    def work() -> int:
        with progress_for(json=as_json) as sink:
            play(sink, speed, fail="--fail" in options)
        return 0

    return guarded(work, session=Session(as_json=as_json), argv=options)


if __name__ == "__main__":
    sys.exit(main())
