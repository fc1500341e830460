"""What `crossbuild run` costs in a container against the engine's own client, and what acceleration gives.

`python -m benchmarks.running STATE` starts a Docker Engine of its own, keeps two builders in it, one of them
without acceleration, and prints medians of runs in turn, and ratios. Needs root.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from crossbuild.engines.names import base_image, container_name
from crossbuild.model.builder import EngineKind
from tests.integration.engine_rig import RunningEngine, running_engine

CROSSBUILD = str(Path(sys.executable).with_name("crossbuild"))
ACCELERATED, EMULATED = "bench-accelerated", "bench-emulated"
ROOT, PACKAGE = "bench-running", "hello"
STARTS, INSTALLATIONS = 25, 3


def median_seconds(ways: Mapping[str, Sequence[str]], rounds: int) -> dict[str, float]:
    """Run every command line in turn, *rounds* times, and return the medians."""
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, argv in ways.items():
            begin = time.perf_counter()
            subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL)
            found[way].append(time.perf_counter() - begin)
    return {way: statistics.median(seconds) for way, seconds in found.items()}


def measure_starts(engine: RunningEngine, run: Sequence[str]) -> None:
    """Compare `crossbuild run true` with what the engine's client does."""
    client = ("docker", "--host", f"unix://{engine.socket}")
    ours, execs, runs = "crossbuild run true", "docker exec true", "docker run true"
    ways = {
        ours: (*run, EMULATED, "true"),
        execs: (*client, "exec", container_name(EMULATED), "true"),
        runs: (*client, "run", "--rm", base_image(EMULATED), "true"),
    }
    median_seconds(ways, 2)  # counts for nothing
    medians = median_seconds(ways, STARTS)
    for way, seconds in medians.items():
        print(f"{way:22}{seconds * 1000:6.0f} ms")
    print(f"crossbuild run: {medians[ours] / medians[execs]:.2f} times docker exec (wanted: at most 1.3),")
    print(f"                {medians[ours] / medians[runs]:.2f} times docker run (wanted: under 0.5)")


def measure_installation(title: str, run: Sequence[str]) -> None:
    """Compare the installation of a small package with and without acceleration."""
    found: dict[str, list[float]] = {ACCELERATED: [], EMULATED: []}
    for builder in found:
        for words in ("update", f"install --yes {PACKAGE}"):  # counts for nothing: it downloads
            subprocess.run((*run, builder, "apt-get", *words.split()), check=True, capture_output=True)
    for _ in range(INSTALLATIONS):
        for builder, seconds in found.items():
            remove = (*run, builder, "apt-get", "remove", "--yes", PACKAGE)
            subprocess.run(remove, check=True, capture_output=True)
            install = {builder: (*run, builder, "apt-get", "install", "--yes", PACKAGE)}
            seconds.append(median_seconds(install, 1)[builder])
    fast, slow = (statistics.median(found[builder]) for builder in (ACCELERATED, EMULATED))
    print(f"apt-get install {PACKAGE}, {title}: emulated {slow:.2f} s, accelerated {fast:.2f} s,")
    print(f"                {slow / fast:.1f} times faster (wanted: at least 3)", flush=True)


@contextlib.contextmanager
def builders(crossbuild: Sequence[str], engine: str) -> Iterator[tuple[str, ...]]:
    """Keep both builders during the block; yield the command line that runs something in one of them."""
    for builder, options in {ACCELERATED: (), EMULATED: ("--emulator-only",)}.items():
        create = ("builder", "create", builder, "--engine", engine, "--from-root", ROOT, *options)
        subprocess.run((*crossbuild, *create), check=True, capture_output=True)
    try:
        yield (*crossbuild, "run", "--builder")
    finally:
        for builder in (ACCELERATED, EMULATED):
            subprocess.run((*crossbuild, "builder", "remove", builder), check=True, capture_output=True)


@contextlib.contextmanager
def docker(*, bridged: bool) -> Iterator[RunningEngine]:
    """Run a Docker Engine during the block, which `crossbuild` finds by the environment."""
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    with running_engine(EngineKind.DOCKER, folder, bridged=bridged) as engine:
        os.environ.update(engine.variables)
        yield engine


def main(folder: str) -> None:
    """Measure both."""
    state = Path(folder).absolute()
    state.mkdir(parents=True, exist_ok=True)
    config = state / "config.yaml"
    config.write_text(f"state: {state}/state\nprefix: {state}/prefix\n")
    crossbuild = (CROSSBUILD, "--config", str(config))
    subprocess.run((*crossbuild, "root", "create", ROOT, "--replace"), check=True, capture_output=True)
    # With a bridge, as engines are installed: it is part of what `docker run` takes.
    with docker(bridged=True) as engine, builders(crossbuild, "docker") as run:
        measure_starts(engine, run)
    with docker(bridged=False), builders(crossbuild, "docker") as run:
        measure_installation("Docker", run)
    with builders(crossbuild, "sandbox") as run:
        measure_installation("no engine", run)
    subprocess.run((*crossbuild, "root", "remove", ROOT), check=True, capture_output=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
