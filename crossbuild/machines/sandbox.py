"""Private mount, PID, IPC and UTS namespaces around a root, or around this host's own programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import HostNotReadyError
from crossbuild.host import command
from crossbuild.host.binfmt import render_line
from crossbuild.machines.overlay import OverlaySpec
from crossbuild.machines.sandbox_init import Command, Spec, enter
from crossbuild.model.host import Handler

PACKAGES = Path(__file__).parents[2]
"""Where this copy of crossbuild lies: its first program imports parts of it, in isolation."""
START = (
    "import sys; sys.path.append(sys.argv.pop(1)); from crossbuild.machines.sandbox_init import main; main()"
)


@dataclass(frozen=True, kw_only=True)
class Bind:
    """A folder or file of this host that is shown at a place below the root."""

    source: Path
    target: Path
    read_only: bool = False
    """Then set-uid programs in it have no effect either."""


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """Layers that become one tree, of which the newest takes all changes."""

    folder: Path
    """It holds the layers, each a folder that is named without a path."""
    lower: tuple[str, ...]
    """The topmost first."""
    upper: str
    work: str
    """An empty folder that the kernel uses together with *upper*."""
    users: Path
    """A folder where runs of this tree find one another."""


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """What one sandbox shows to the command in it. Needs root (CAP_SYS_ADMIN)."""

    root: Path
    """The root that the command works on."""
    pivot: bool
    """Whether *root* becomes `/`; otherwise the host's files stay visible."""
    api: bool = True
    """Whether /proc, /sys, /dev and /run are mounted in *root*."""
    binds: tuple[Bind, ...] = ()
    """Made in this order, after everything else is mounted."""
    writable: tuple[Path, ...] = ()
    """With any, the host's file systems are read-only but for these folders."""
    hostname: str = ""
    network: bool = True
    """Whether the host's name servers are lent to the root while the command runs."""
    confined: bool = True
    """Whether the command loses the capabilities to mount, load modules, set clocks and the like; without,
    it loses only that to make device nodes."""
    overlay: Overlay | None = None
    """Layers to be mounted at *root* first; a target of *binds* is then made where nothing is."""
    terminal: bool = False
    """Whether the command gets a terminal of its own, joined to the one that this process runs on."""
    handler: Handler | None = None
    """What takes aarch64 programs in it instead of this host's handlers; since Linux 6.7."""
    directory: str = "/"
    """Where a command in a *pivot* sandbox starts."""

    def argv(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs *argv* in this sandbox, as a child of this process."""
        spec = json.dumps(self.spec())
        return [sys.executable, "-I", "-S", "-c", START, os.fspath(PACKAGES), spec, *argv]

    def spec(self) -> Spec:
        """Return what its first program, a child of this process, is told."""
        return {
            "parent": os.getpid(),
            "root": os.fspath(self.root),
            "pivot": self.pivot,
            "api": self.api,
            "binds": [
                (os.fspath(bind.source), os.fspath(bind.target), bind.read_only) for bind in self.binds
            ],
            "writable": [os.fspath(folder) for folder in self.writable],
            "hostname": self.hostname,
            "resolv_conf": _host_resolver() if self.network else "",
            "confined": self.confined,
            "overlay": self._layers(),
            "terminal": self.terminal,
            "handler": render_line(self.handler) if self.handler else "",
            "directory": self.directory if self.pivot else ".",
        }

    def _layers(self) -> OverlaySpec | None:
        if self.overlay is None:
            return None
        return {
            "folder": os.fspath(self.overlay.folder),
            "lower": list(self.overlay.lower),
            "upper": self.overlay.upper,
            "work": self.overlay.work,
            "users": os.fspath(self.overlay.users),
        }


@dataclass(frozen=True, kw_only=True)
class SandboxMachine:
    """Runs commands in a sandbox."""

    sandbox: Sandbox
    env: Mapping[str, str]
    """The whole environment of a command, but for what a single run adds."""

    def run(
        self, argv: Sequence[str], *, on_line: command.LineSink, env: Mapping[str, str] | None = None
    ) -> None:
        """Run *argv*, each line of its output to *on_line*; raise CommandFailedError if it fails."""
        require_root()
        command.stream(self.sandbox.argv(argv), on_line=on_line, env={**self.env, **(env or {})})

    def attach(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
        """Run *argv* on this process's own streams and return its status, minus a signal's number."""
        require_root()
        # Made before the copy, whose parent it names.
        spec = self.sandbox.spec()
        inside = Command(argv=list(argv), env={**self.env, **(env or {})})
        # Here it is a copy of this process: another Python would take longer to start than all the rest.
        return command.attached_copy(lambda: enter(spec, inside))


def require_root() -> None:
    """Raise HostNotReadyError unless this process may make namespaces."""
    if os.geteuid() != 0:
        raise HostNotReadyError(
            "Roots can be entered by root only.",
            details="In Python, `crossbuild.become_root(site)` makes others root in a private namespace.",
            resolution="Run the same command with `sudo`.",
        )


def _host_resolver() -> str:
    try:
        return Path("/etc/resolv.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
