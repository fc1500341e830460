"""A Docker Engine and a Podman service of the tests' own: nothing of the host's engines is touched.

All they keep lies below one folder, they listen on sockets there, they make no bridge and no firewall rule,
and they end with the tests, however those end.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crossbuild.host.command import capture
from crossbuild.host.engines import ping
from crossbuild.model.builder import EngineKind

PATIENCE = 60
"""Seconds that an engine may take to start."""
CONTAINERS_CONF = """\
[containers]
# A host without CAP_SYS_RESOURCE cannot raise the limits as Podman would.
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
# Seconds that a process stays for the sake of each command that ended; 300 of them pile up.
exit_command_delay = 5
"""


@dataclass
class RunningEngine:
    """An engine that can be stopped and started again."""

    kind: EngineKind
    folder: Path
    bridged: bool = False
    """Docker makes its bridge and its firewall rules, in a network of its own that leads nowhere."""
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "api.sock"

    @property
    def variables(self) -> Mapping[str, str]:
        """What leads clients to it."""
        name = "DOCKER_HOST" if self.kind is EngineKind.DOCKER else "CONTAINER_HOST"
        return {name: f"unix://{self.socket}"}

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self._argv()],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while reason := ping(str(self.socket)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"{self.kind} did not start: {reason}\n{(self.folder / 'log').read_text()}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it as a shutdown does: containers end, too."""
        if self.process is None:
            return
        if self.kind is EngineKind.PODMAN:
            self.client("stop", "--all", "--time=2")
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)
        self.process = None

    def end_service(self) -> None:
        """End a service that somebody else has started for this engine's socket, with its containers."""
        self.client("stop", "--all", "--time=2")
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = place.read_bytes().split(b"\0")
                if b"service" in words and f"unix://{self.socket}".encode() in words:
                    os.kill(int(place.parent.name), signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while not ping(str(self.socket)):
            assert time.monotonic() < deadline, "the service does not end"
            time.sleep(0.05)

    def client(self, *arguments: str) -> str:
        """Run the engine's own client and return its output."""
        argv = (
            self._podman()
            if self.kind is EngineKind.PODMAN
            else ["docker", "--host", f"unix://{self.socket}"]
        )
        return capture([*argv, *arguments], env=self._environment()).stdout

    def write_client(self, program: Path) -> None:
        """Write a *program* that is Podman itself, with this engine's state."""
        variable = f"CONTAINERS_CONF={self._environment()['CONTAINERS_CONF']}"
        # On some PATH the program itself may be what is called so.
        real = str(shutil.which("podman"))
        words = shlex.join(["env", variable, real, *self._podman()[1:]])
        program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        program.chmod(0o755)

    def _argv(self) -> list[str]:
        if self.kind is EngineKind.PODMAN:
            return [*self._podman(), "system", "service", "--time=0", f"unix://{self.socket}"]
        configuration = self.folder / "daemon.json"
        configuration.write_text(json.dumps({}))
        return [
            *(["unshare", "--net"] if self.bridged else []),
            "dockerd",
            "--config-file", str(configuration),  # not the host's
            "--data-root", str(self.folder / "data"),
            "--exec-root", str(self.folder / "exec"),
            "--pidfile", str(self.folder / "pid"),
            "--host", f"unix://{self.socket}",
            *([] if self.bridged else ["--bridge=none", "--iptables=false", "--ip6tables=false"]),
        ]  # fmt: skip

    def _podman(self) -> list[str]:
        return [
            "podman",
            "--root", str(self.folder / "root"),
            "--runroot", str(self.folder / "run"),
            "--tmpdir", str(self.folder / "tmp"),
            "--cgroup-manager=cgroupfs",
        ]  # fmt: skip

    def _environment(self) -> Mapping[str, str]:
        configuration = self.folder / "containers.conf"
        configuration.write_text(CONTAINERS_CONF)
        # With CONTAINER_HOST, podman is a client of that service and does not know --root.
        passed = {name: value for name, value in os.environ.items() if name != "CONTAINER_HOST"}
        return {**passed, "CONTAINERS_CONF": str(configuration)}


@contextlib.contextmanager
def running_engine(kind: EngineKind, folder: Path, *, bridged: bool = False) -> Iterator[RunningEngine]:
    """Start an engine that keeps all it has below *folder*, and remove it with all of that afterwards."""
    engine = RunningEngine(kind=kind, folder=folder, bridged=bridged)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()
        remove_storage(folder)


def remove_storage(folder: Path) -> None:
    """Remove *folder*; processes with which Podman tidies up after commands may still mount below it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        _unmount(folder)
        try:
            shutil.rmtree(folder)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _unmount(folder: Path) -> None:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split(" ")[4] for line in lines]
    for point in sorted((point for point in points if point.startswith(f"{folder}/")), reverse=True):
        capture(["umount", "--lazy", point])
