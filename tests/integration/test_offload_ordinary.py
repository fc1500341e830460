"""Ordinary users build on nodes, where they are ordinary, too, and leave nothing of their many ids there."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossbuild.errors import HostNotReadyError
from crossbuild.host.command import capture
from crossbuild.jobs.batch import space_of
from crossbuild.nodes.leases import Ledger
from tests.integration.conftest import CROSSBUILD, STATE
from tests.integration.node_rig import PATIENCE, Host, make_key, running_hosts
from tests.integration.offload_rig import SPEC, Management, quick_management
from tests.integration.ordinary_user import ID, NAME, OrdinaryUser, make_user
from tests.integration.slurm_rig import running_slurm


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A user of the management server, and the one as whom he logs in on a node."""

    here: OrdinaryUser
    there: OrdinaryUser
    host: Host

    @property
    def jobs(self) -> Path:
        """Where his jobs lie on the node."""
        return self.there.home / "space/crossbuild-jobs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Management]:
    """The same host, as root has set it up for himself."""
    with quick_management(tmp_path_factory.mktemp("server"), ()) as server:
        yield server


@pytest.fixture(scope="module")
def pair(server: Management) -> Iterator[Pair]:
    """A user with a key, who has added a node with his own commands."""
    homes = [STATE / name for name in ("user-here", "user-there")]
    for home in homes:
        shutil.rmtree(home, ignore_errors=True)
    here, there = map(make_user, homes)
    _give_key(here, there)
    config = here.home / ".config/crossbuild/config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(server.sources)
    with running_hosts(1) as (host,):
        host.stop()
        host.world = there.world()
        keys = there.home / ".ssh/authorized_keys"
        host.settings = f"Match User {NAME}\n  AuthorizedKeysFile {keys}\n"
        host.start()
        words = ("--fingerprint", host.fingerprint(), "--name", host.name, "--folder", there.home / "space")
        added = here.run(CROSSBUILD, "node", "add", f"{NAME}@{host.address}", *words)
        assert added.returncode == 0, added.stderr
        yield Pair(here=here, there=there, host=host)
    # Where his connections were: he has no folder of his own in /run.
    for folder in (*homes, Path(f"/tmp/crossbuild-{ID}")):
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _nodes_that_failed_serve_again(pair: Pair) -> Iterator[None]:
    yield
    with contextlib.closing(Ledger(pair.here.home / ".local/state/crossbuild")) as ledger:
        ledger.report_success(pair.host.name)


def _give_key(here: OrdinaryUser, there: OrdinaryUser) -> None:
    for user in (here, there):
        (user.home / ".ssh").mkdir(mode=0o700)
    (there.home / "space").mkdir()
    key = here.home / ".ssh/id_ed25519"
    make_key(key)
    shutil.copy(key.with_suffix(".pub"), there.home / ".ssh/authorized_keys")
    for user in (here, there):
        for path in user.home.rglob("*"):
            os.chown(path, ID, ID)


def write(user: OrdinaryUser, name: str, command: str) -> str:
    (user.home / f"{name}.yaml").write_text(SPEC.format(name=name, command=command, motd="hello"))
    return f"{name}.yaml"


def test_the_set_is_the_same_as_that_of_root(pair: Pair, server: Management) -> None:
    # A file of another owner, and one that needs a capability.
    spec = write(pair.here, "theirs", "chown 33 /etc/motd")
    done = pair.here.run(CROSSBUILD, "build", spec, "--on", pair.host.name)
    assert done.returncode == 0, done.stderr
    roots = server.build(pair.here.home / spec, "--on", "local")
    server.crossbuild("artifacts", "diff", str(pair.here.home / "out/theirs"), str(roots))
    assert list(pair.jobs.glob("[!.]*")) == []


def test_what_a_killed_worker_leaves_is_removed(pair: Pair) -> None:
    spec = write(pair.here, "killed", "touch /begun; sleep 60")
    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(pair.here.run, CROSSBUILD, "build", spec, "--on", pair.host.name)
        deadline = time.monotonic() + 6 * PATIENCE
        while not (found := list(pair.jobs.glob("killed-*/*/root/begun"))):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        job = found[0].parents[2]
        # Nobody but root, there or in a namespace, could remove that.
        assert found[0].with_name("etc").joinpath("shadow").stat().st_gid not in {0, ID}
        os.kill(int((job / "pid").read_text()), signal.SIGKILL)
        done = building.result()
    assert done.returncode == 4, done.stderr
    assert "without a word" in done.stderr
    assert list(pair.jobs.glob("[!.]*")) == []


def test_a_job_of_slurm_is_that_users_own(pair: Pair, server: Management) -> None:
    spec = write(pair.here, "queued", "chown 33 /etc/motd")
    with running_slurm(pair.there.world()) as cluster:
        shared = cluster.folder / "shared"
        shared.mkdir()
        os.chown(shared, ID, ID)
        config = pair.here.home / "slurm.yaml"
        config.write_text(f"{server.sources}slurm: {{folder: {shared}}}\n")
        slurm = ("env", f"SLURM_CONF={cluster.folder}/slurm.conf")
        done = pair.here.run(*slurm, CROSSBUILD, "--config", config, "build", spec, "--on", "slurm")
        assert done.returncode == 0, done.stderr + cluster.logs()
        listed = capture(["squeue", "--noheader", "--states=all", "--format=%U %T"]).stdout
        assert listed.split() == [str(ID), "COMPLETED"]
    roots = server.build(pair.here.home / spec, "--on", "local")
    server.crossbuild("artifacts", "diff", str(pair.here.home / "out/queued"), str(roots))
    space = Path(space_of(ID))
    assert list(space.glob("[!.]*")) == []
    shutil.rmtree(space.parent)


def test_a_login_without_subordinate_ids_is_refused_in_words(pair: Pair) -> None:
    ids = pair.there.home / "etc/subuid"
    before = ids.read_text()
    ids.write_text("")
    try:
        done = pair.here.run(CROSSBUILD, "build", write(pair.here, "poor", "true"), "--on", pair.host.name)
    finally:
        ids.write_text(before)
    assert done.returncode == HostNotReadyError.exit_code, done.stderr
    assert f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {NAME}" in done.stderr
    assert f"It happened on {pair.host.name}" in done.stderr
    assert list(pair.jobs.glob("[!.]*")) == []
