"""A real Slurm of the tests' own on loopback: munged, slurmctld, and two slurmd for compute nodes."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crossbuild.host.command import capture

PATIENCE = 30
"""Seconds until everything that was started must answer."""
NODES = ("c1", "c2")
CONFIGURATION = """\
ClusterName=tests
SlurmctldHost=localhost
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmdSpoolDir={folder}/%n
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
SchedulerParameters=sched_interval=1
KillWait=2
MpiDefault=none
ReturnToService=2
JobRequeue=1
SlurmctldTimeout=10
SlurmdTimeout=5
MessageTimeout=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
{nodes}
PartitionName=builds Nodes={names} Default=YES MaxTime=INFINITE State=UP
PartitionName=empty State=UP
PartitionName=spare Nodes={names} PreemptMode=CANCEL State=UP
PartitionName=urgent Nodes={names} PriorityTier=10 State=UP
PartitionName=short Nodes={names} MaxTime=1 State=UP
PartitionName=theirs Nodes={names} AllowAccounts=physics State=UP
"""
"""What is submitted to `urgent` takes the nodes of the others. Slurm takes jobs for `short` and `theirs` also
where it will never start them: by default, limits count later (EnforcePartLimits)."""


@dataclass(kw_only=True)
class Cluster:
    """A Slurm whose controller may be stopped and started."""

    folder: Path
    world: list[str] = field(default_factory=list)
    """Commands that change what its programs see of this machine, run before each starts."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *argv: str) -> None:
        """Start the program *argv* under *name*."""
        script = "\n".join([*self.world, 'exec "$@"'])
        private = ["unshare", "--mount", "--propagation=private", "sh", "-euc", script, "sh"]
        with (self.folder / f"{name}.out").open("ab") as out:
            self.processes[name] = subprocess.Popen(
                [*private, *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder
            )

    def stop(self, name: str) -> None:
        """End what was started under *name*."""
        process = self.processes.pop(name)
        process.terminate()
        process.wait()

    def start_node(self, name: str) -> None:
        """Start the slurmd of the compute node *name*."""
        self.start(name, "slurmd", "-D", "-N", name, "-f", str(self.folder / "slurm.conf"))

    def crash_node(self, name: str, worker: int) -> None:
        """End the compute node *name*, on which the process *worker* is a job, as a loss of power does."""
        step = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1]
        for number in (self.processes[name].pid, int(step), worker):
            os.kill(number, signal.SIGKILL)
        self.processes.pop(name).wait()

    def start_controller(self) -> None:
        """Start slurmctld, and wait until it answers."""
        self.start("controller", "slurmctld", "-D", "-f", str(self.folder / "slurm.conf"))
        self.wait(lambda: capture(["squeue"], check=False).status == 0)

    def wait(self, done: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until *done* says so, *patience* seconds at most."""
        deadline = time.monotonic() + patience
        while not done():
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)

    def logs(self) -> str:
        """Return the ends of all logs."""
        files = [*self.folder.glob("*.out"), *self.folder.glob("*.log")]
        return "\n".join(f"{file.name}: {file.read_text()[-1000:]}" for file in files)


@contextlib.contextmanager
def running_slurm(
    world: Sequence[str] = (), prepare: Callable[[Cluster], str] = lambda _cluster: ""
) -> Iterator[Cluster]:
    """Yield a cluster in *world*, which Slurm's commands find by SLURM_CONF; nothing of it stays.

    *prepare* starts what its controller needs, and returns more lines of configuration.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    cluster = Cluster(folder=folder, world=[*world])
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
            _start_munge(cluster)
            _configure(folder, prepare(cluster))
            cluster.start_controller()
            for name in NODES:
                cluster.start_node(name)
            idle = ["sinfo", "--noheader", "--states=idle", "--partition=builds", "--format=%D"]
            cluster.wait(lambda: capture(idle, check=False).stdout.strip() == str(len(NODES)))
            yield cluster
    finally:
        for name in reversed(list(cluster.processes)):
            cluster.stop(name)
        shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path, further: str) -> None:
    ports = free_ports(1 + len(NODES))
    where = "NodeHostname=localhost NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN"
    described = [
        f"NodeName={name} Port={port} Feature={name} {where}"
        for name, port in zip(NODES, ports[1:], strict=True)
    ]
    text = CONFIGURATION.format(
        folder=folder, controller=ports[0], nodes="\n".join(described), names=",".join(NODES)
    )
    for place in ("state", *NODES):
        (folder / place).mkdir()
    (folder / "slurm.conf").write_text(text + further)


def _start_munge(cluster: Cluster) -> None:
    # munged refuses to run as root, and wants its files to be its own.
    key = cluster.folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    place = cluster.folder / "munge"
    place.mkdir(mode=0o755)
    found = pwd.getpwnam("munge")
    for path in (key, place):
        os.chown(path, found.pw_uid, found.pw_gid)
    socket_path = cluster.folder / "munge.socket"
    cluster.folder.chmod(0o777)
    words = (
        "--foreground", "--force", f"--socket={socket_path}", f"--key-file={key}",
        f"--pid-file={place}/pid", f"--log-file={place}/log", f"--seed-file={place}/seed",
    )  # fmt: skip
    cluster.start("munge", "setpriv", "--reuid=munge", "--regid=munge", "--clear-groups", "munged", *words)
    cluster.wait(socket_path.exists)


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody uses."""
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
