"""Hosts of the tests: a real sshd each, with an address of its own in a network namespace.

They share this machine's files and processes; network, host keys and the sshd are their own. The user's key
is in an agent, which ssh finds by SSH_AUTH_SOCK: nothing in the home of whoever runs the tests is used.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from crossbuild.model.node import Node
from crossbuild.nodes.host_keys import ask_host_keys

SSHD = "/usr/sbin/sshd"
_NUMBERS = itertools.count()
"""Of hosts in this process; 63 have addresses."""
PATIENCE = 10
"""Seconds until a server that was started must answer."""


@dataclass(kw_only=True)
class Host:
    """One host: its sshd may be stopped and started, its network cut off and slowed down."""

    name: str
    address: str
    folder: Path
    namespace: str
    link: str
    """The end of its cable on this side."""
    path: str = os.environ["PATH"]
    """What programs its sessions find."""
    world: list[str] = field(default_factory=list)
    """Commands that change what its programs see of this machine, run before its sshd starts."""
    settings: str = ""
    """Further lines of its sshd_config."""
    machine: str = os.uname().machine
    """What its kernel calls the processor (setarch(8))."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def space(self) -> Path:
        """Its build folder."""
        return self.folder / "space"

    def start(self) -> None:
        """Start its sshd, and wait until it answers."""
        config = self.folder / "sshd_config"
        config.write_text(
            f"ListenAddress {self.address}\n"
            f"HostKey {self.folder}/host_key\n"
            f"AuthorizedKeysFile {self.folder.parent}/user_key.pub\n"
            "StrictModes no\n"
            "PermitRootLogin prohibit-password\n"
            "PidFile none\n"
            "UsePAM no\n"
            # What the shell of whoever runs the tests does at its start is not the host's.
            f"SetEnv PATH={self.path} HOME={self.folder}\n"
            f"{self.settings}"
        )
        # With mounts of its own: what changes fstab changes the host's. `ip netns exec` would bring others,
        # and a /sys without control groups, which Podman asks for.
        fstab = self.folder / "fstab"
        fstab.touch()
        script = [
            f"mount --bind {fstab} /etc/fstab",
            *self.world,
            f"exec setarch {self.machine} {SSHD} -D -e -f {config}",
        ]
        log = (self.folder / "sshd.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [*self._inside(), "sh", "-euc", "\n".join(script)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for_server(self.process, self.address)

    def stop(self) -> None:
        """End its sshd and every process of its sessions at once, as a crash does."""
        found = capture(["ip", "netns", "pids", self.namespace], check=False).stdout.split()
        for number in map(int, found):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        if self.process:
            self.process.wait()
            self.process = None

    def restart(self, machine: str) -> None:
        """Be a *machine* from now on, as where other hardware has taken over its name."""
        self.stop()
        self.machine = machine
        self.start()

    def change_host_key(self) -> None:
        """Have another host key from the next start on."""
        (self.folder / "host_key").unlink()
        make_key(self.folder / "host_key")

    def fingerprint(self) -> str:
        """Return what its own console shows of its key."""
        return capture(["ssh-keygen", "-l", "-f", f"{self.folder}/host_key.pub"]).stdout.split()[1]

    def cut(self) -> None:
        """Drop every packet that comes to it and says so to nobody; it is a black hole then."""
        self._rule("-I")

    def mend(self) -> None:
        """Undo `cut`."""
        self._rule("-D")

    def slow(self, rate: str) -> None:
        """Let no more than *rate*, such as `2mbit` (tc(8)), go to it and come from it."""
        shape = ["root", "tbf", "rate", rate, "burst", "64kb", "latency", "100ms"]
        for command, device in self._ends():
            capture([*command, "qdisc", "replace", "dev", device, *shape])

    def hasten(self) -> None:
        """Undo `slow`."""
        for command, device in self._ends():
            capture([*command, "qdisc", "delete", "dev", device, "root"])

    def received(self) -> int:
        """Return how many bytes have ever come from it."""
        return int(Path(f"/sys/class/net/{self.link}/statistics/rx_bytes").read_text())

    def _inside(self) -> tuple[str, ...]:
        return ("nsenter", f"--net=/run/netns/{self.namespace}", "unshare", "--mount")

    def _ends(self) -> tuple[tuple[list[str], str], ...]:
        """Return tc for both ends of its cable, each with the name of the device."""
        return (["tc"], self.link), (["tc", "-netns", self.namespace], "eth0")

    def node(self, **changes: object) -> Node:
        """Return the record that `crossbuild node add` makes of it, with *changes*."""
        values: dict[str, object] = {
            "name": self.name,
            "address": self.address,
            "arch": Architecture(os.uname().machine),
            "slots": 2,
            "host_keys": tuple(key.line for key in ask_host_keys(self.name, self.address)),
            "added": "2026-01-01T00:00:00Z",
            "folder": self.space,
            **changes,
        }
        return Node(**values)  # type: ignore[arg-type]

    def _rule(self, change: str) -> None:
        rule = ["INPUT", "-i", "eth0", "-j", "DROP"]
        capture(["ip", "netns", "exec", self.namespace, "iptables", "-w", change, *rule])


def wait_for_server(process: subprocess.Popen[bytes], address: str, port: int = 22) -> None:
    """Wait until the server *process* takes connections."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection((address, port), timeout=PATIENCE):
                return
        except OSError:
            assert process.poll() is None, f"{process.args!r} has ended"
            assert time.monotonic() < deadline
            time.sleep(0.02)


@contextlib.contextmanager
def running_hosts(count: int) -> Iterator[tuple[Host, ...]]:
    """Yield *count* hosts with an agent that opens them; nothing of them is left afterwards."""
    # Links and namespaces are the whole machine's: the process's number keeps test runs apart.
    own = os.getpid()
    folder = Path(tempfile.mkdtemp(prefix="nodes-"))
    Path("/run/sshd").mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        make_key(folder / "user_key")
        stack.enter_context(agent(folder / "user_key"))
        hosts = []
        for position in range(count):
            number = next(_NUMBERS)
            network = f"10.{192 + own // 256 % 64}.{own % 256}"
            host = Host(
                name=f"host{position}",
                address=f"{network}.{4 * number + 2}",
                folder=folder / f"host{position}",
                namespace=f"crossbuild-{own}-{number}",
                link=f"cb{own}-{number}",
            )
            stack.callback(_take_down, host)
            _set_up(host, f"{network}.{4 * number + 1}")
            hosts.append(host)
        yield tuple(hosts)


@contextlib.contextmanager
def agent(key: Path) -> Iterator[None]:
    """Have an agent with *key* for the length of the block, which every ssh finds."""
    place = Path(tempfile.mkdtemp(prefix="agent-")) / "socket"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while not place.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSH_AUTH_SOCK", str(place))
            capture(["ssh-add", "-q", str(key)])
            yield
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(place.parent)


def make_key(path: Path) -> None:
    """Make a pair of keys without a passphrase."""
    capture(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)])


def _set_up(host: Host, here: str) -> None:
    host.space.mkdir(parents=True)
    make_key(host.folder / "host_key")
    inside = ["ip", "-n", host.namespace]
    for command in (
        ["ip", "netns", "add", host.namespace],
        ["ip", "link", "add", host.link, "type", "veth", "peer", "name", "eth0", "netns", host.namespace],
        ["ip", "address", "add", f"{here}/30", "dev", host.link],
        ["ip", "link", "set", host.link, "up"],
        [*inside, "address", "add", f"{host.address}/30", "dev", "eth0"],
        [*inside, "link", "set", "eth0", "up"],
        [*inside, "link", "set", "lo", "up"],
    ):
        capture(command)
    host.start()


def _take_down(host: Host) -> None:
    host.stop()
    # Either one takes the link with it; what was not made yet is not there.
    capture(["ip", "link", "delete", host.link], check=False)
    capture(["ip", "netns", "delete", host.namespace], check=False)
