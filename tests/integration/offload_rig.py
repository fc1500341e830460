"""Builds on hosts of the tests: a small native root, so that each takes seconds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crossbuild.config.site import load_site
from crossbuild.host.command import capture, environment
from crossbuild.host.locks import held
from crossbuild.model.site import Site
from crossbuild.nodes.leases import Ledger
from crossbuild.nodes.store import NodeStore
from tests.integration.conftest import SHARED, STATE, CommandLine
from tests.integration.node_rig import Host
from tests.integration.small_mirror import PLACE, make_small_mirror
from tests.integration.web_server import serving

SPEC = """\
name: {name}
distro: debian
release: "12"
arch: x86_64
kernel: false
packages: [iputils-ping]
files: [{{target: /etc/motd, content: "{motd}\\n"}}]
commands: ["{command}"]
outputs: [warewulf4]
"""


GATED = "while [ ! -e /go ]; do sleep 0.1; done; rm /go"
"""A step that lasts until `open_gate`: the root lies where the tests can reach it."""


@dataclass(frozen=True)
class Management:
    """A management server of its own, which knows *hosts*; its cache is shared with other tests."""

    folder: Path
    crossbuild: CommandLine
    site: Site
    hosts: tuple[Host, ...]
    trees: Path
    """Of layers, as they lie in its cache."""
    sources: str
    """The part of its configuration that says where packages come from."""

    def spec(self, name: str, *, command: str = "true", motd: str = "hello") -> Path:
        """Write a spec whose last step is *command*."""
        path = self.folder / f"{name}.yaml"
        path.write_text(SPEC.format(name=name, command=command, motd=motd))
        return path

    def build(self, spec: Path, *options: str) -> Path:
        """Build *spec* to its end and return its set."""
        output = self.folder / "out"
        self.crossbuild("build", str(spec), "--output", str(output), *options)
        return output / spec.stem

    @contextlib.contextmanager
    def building(self, spec: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Build *spec* for the length of the block, events on stdout; what is left of it is killed."""
        argv = self.crossbuild.argv(
            "build", str(spec), "--json", "--output", str(self.folder / "out"), *options
        )
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def with_settings(self, name: str, settings: str) -> Management:
        """Return the same server with other *settings* of where builds go; *name* is of their file."""
        config = self.folder / f"{name}.config.yaml"
        config.write_text(f"{_places(self.folder)}{self.sources}{settings}")
        return replace(self, crossbuild=CommandLine(config), site=load_site(config))

    def jobs(self) -> list[dict[str, Any]]:
        """Return what `job list` lists."""
        return list(json.loads(self.crossbuild("job", "list", "--json").stdout))

    def warm(self, *jobs: Path) -> None:
        """Have in the folders *jobs*, of nodes, the trees that other builds of these tests have made."""
        for folder in jobs:
            folder.mkdir(mode=0o700)
            shutil.copytree(self.trees, folder / ".cache/layers")

    def condition(self, job: str) -> str:
        """Return what `job list` says of *job*."""
        return next(str(one["condition"]) for one in self.jobs() if one["id"] == job)

    def failing(self) -> dict[str, str]:
        """Return why nodes get nothing at present."""
        with contextlib.closing(Ledger(self.site.state)) as ledger:
            return ledger.failing()

    def require_nothing_left(self) -> None:
        """Fail where a job lies on a host, or a slot is taken; nodes that failed may have builds again."""
        left = self.folders()
        for host in self.hosts:
            # So that one failure is one.
            capture(["sh", "-c", 'rm -rf "$1"/[!.]*', "sh", str(host.space / "crossbuild-jobs")], check=False)
        assert left == []
        with contextlib.closing(Ledger(self.site.state)) as ledger:
            assert ledger.leases() == ()
            for host in self.hosts:
                ledger.report_success(host.name)

    def folders(self) -> list[str]:
        """Return the ids of the jobs that lie on the hosts."""
        return [path.name for host in self.hosts for path in (host.space / "crossbuild-jobs").glob("[!.]*")]


def management(
    folder: Path,
    hosts: tuple[Host, ...],
    *,
    sources: str = "",
    settings: str = "",
    shares: Sequence[str] = (),
) -> Management:
    """Return a new management server below *folder*; *sources* is of its packages.

    Its cache is empty but for the parts *shares*, which are those of other tests.
    """
    for part in shares:
        (STATE / "state/cache" / part).mkdir(parents=True, exist_ok=True)
        (folder / "state/cache").mkdir(parents=True, exist_ok=True)
        (folder / "state/cache" / part).symlink_to(STATE / "state/cache" / part)
    config = folder / "config.yaml"
    config.write_text(f"{_places(folder)}{sources}{settings}")
    site = load_site(config)
    store = NodeStore(site.state)
    for host in hosts:
        store.add(host.node())
    return Management(folder, CommandLine(config), site, hosts, site.cache / "layers", sources)


def _places(folder: Path) -> str:
    """Return what each configuration of the server below *folder* begins with."""
    return f"state: {folder}/state\nprefix: {folder}/prefix\n"


@contextlib.contextmanager
def quick_management(folder: Path, hosts: tuple[Host, ...], *, settings: str = "") -> Iterator[Management]:
    """Yield a management server whose packages come from the tests' own mirror, and that has its trees."""
    with held(SHARED / ".mirror.lock"):
        mirror = make_small_mirror(SHARED / "mirror", SPEC.format(name="first", command="true", motd=""))
    with serving(mirror.folder, PLACE) as address:
        trees = mirror.trees(address)
        server = management(folder, hosts, sources=mirror.settings(address), settings=settings)
        server.site.cache.mkdir(parents=True)
        server.trees.symlink_to(trees)
        yield replace(server, trees=trees)


def running(process: subprocess.Popen[str], server: Management) -> str:
    """Return the id of the job whose last step *process* waits for."""
    wait_for(process, begins("configuration"))
    return next(str(job["id"]) for job in server.jobs() if job["condition"] == "running")


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the last thing that *process* says."""
    said = list(events(process))
    process.wait()
    return said[-1]


def events(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Yield what *process* says, until it ends."""
    assert process.stdout
    for line in process.stdout:
        yield json.loads(line)


def wait_for(
    process: subprocess.Popen[str], wanted: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """Return what *process* says up to the first event that is *wanted*; fail where there is none."""
    heard = []
    for event in events(process):
        heard.append(event)
        if wanted(event):
            return heard
    raise AssertionError(f"{heard[-3:]}\n{process.stderr.read() if process.stderr else ''}")


def open_gate(host: Host, job: str) -> None:
    """Let the step GATED of *job* on *host* end."""
    (host.space / "crossbuild-jobs" / job / "work/root/go").touch()


def stop_server(host: Host) -> None:
    """End the sshd of *host* with all its sessions, but not what has left them."""
    for number in map(int, capture(["ip", "netns", "pids", host.namespace]).stdout.split()):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            if Path(f"/proc/{number}/comm").read_text().startswith("sshd"):
                os.kill(number, signal.SIGKILL)
    assert host.process
    host.process.wait()
    host.process = None


def restart_server(host: Host) -> None:
    """Stop the sshd of *host* as `stop_server` does, and start it anew."""
    stop_server(host)
    host.start()


def worker_of(host: Host, job: str) -> int:
    """Return the process id of the worker of *job* on *host*."""
    return int((host.space / "crossbuild-jobs" / job / "pid").read_text())


def begins(phase: str) -> Callable[[dict[str, Any]], bool]:
    """Return what recognises the beginning of *phase*."""
    return lambda event: event.get("event") == "phase-started" and event["phase"] == phase
