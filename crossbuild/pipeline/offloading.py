"""Builds whose root is made elsewhere: a slot is taken, and where a host fails, another one serves."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from crossbuild.distros.session import Session
from crossbuild.errors import CrossbuildError, HostNotReadyError, ProvisionerError
from crossbuild.jobs.batch import SlurmNeverError, batch_worker
from crossbuild.jobs.contained import ContainedWorker, Needed
from crossbuild.jobs.places import Place
from crossbuild.jobs.sending import worker_at
from crossbuild.jobs.speaking import DamagedRootError, NodeFullError, NodeNotReadyError, Worker
from crossbuild.jobs.store import JobStore
from crossbuild.model.architecture import Architecture
from crossbuild.model.job import Commission, Job
from crossbuild.model.node import Lease, Node
from crossbuild.model.offload import Fallback
from crossbuild.model.plan import Plan, Venue, VenueKind
from crossbuild.model.site import Site
from crossbuild.nodes.choice import Demand
from crossbuild.nodes.holding import leased, open_ledger
from crossbuild.nodes.leases import Ledger
from crossbuild.nodes.ssh import connect
from crossbuild.nodes.store import NodeStore
from crossbuild.pipeline.errand import Errand, VanishedError
from crossbuild.pipeline.finish import FinishedRoot
from crossbuild.pipeline.narrator import Narrator

ATTEMPTS = 3
"""How many nodes one build tries, where it may choose."""


@dataclass(frozen=True, kw_only=True)
class Offload:
    """What a build that runs elsewhere works with."""

    site: Site
    session: Session
    narrator: Narrator
    job: Job
    inputs: str
    needed: Needed
    plan_for: Callable[[Venue], Plan]
    """Gives the plan as soon as the venue is settled."""


class _UnfitError(Exception):
    """A node could not begin, for what *cause* says."""

    def __init__(self, cause: CrossbuildError) -> None:
        super().__init__(cause.brief)
        self.cause, self.brief = cause, cause.brief


UNFIT = (VanishedError, DamagedRootError, NodeFullError, NodeNotReadyError, _UnfitError)
"""Errors that another node may be spared."""


class NoPlaceError(ProvisionerError):
    """No place but this host takes the build now."""

    @property
    def reason(self) -> str:
        """What can stand in a sentence."""
        return self.details.strip().rstrip(".") or self.brief


def _no_place(error: ProvisionerError) -> NoPlaceError:
    return NoPlaceError(error.brief, details=error.details, resolution=error.resolution)


def node_place(site: Site, node: Node) -> Place:
    """Return *node* as a place of jobs; nothing is sent yet."""
    shore = connect(NodeStore(site.state), node)
    return Place(name=node.name, jobs=node.jobs, shore=shore, patience=site.offload.patience)


def made_elsewhere(
    offload: Offload, wish: Venue, arch: Architecture, folder: Path
) -> AbstractContextManager[FinishedRoot]:
    """Make the root of *arch* at *wish*, which is not this host, and yield it, below *folder*.

    Raises NoPlaceError where no such place takes it, and what else goes wrong with the one that did.
    """
    if wish.kind is VenueKind.SLURM:
        return made_by_slurm(offload, wish, folder)
    return made_on_node(offload, wish, arch, folder)


@contextlib.contextmanager
def made_by_slurm(offload: Offload, wish: Venue, folder: Path) -> Iterator[FinishedRoot]:
    """Make the root in a job of Slurm and yield it; raise NoPlaceError where Slurm starts no job."""
    worker = batch_worker(offload.site)
    # A build on this host may follow, and wants its folder empty.
    own = folder / "slurm"
    own.mkdir()
    errand = _commissioned(offload, wish, worker)
    try:
        errand.hand_in(offload.session, errand.store.site, own)
    except ProvisionerError as error:
        raise _no_place(error) from error
    with errand.cancelled_on_interruption():
        try:
            made = errand.bring_home(own)
        except SlurmNeverError as error:
            raise _no_place(error) from error
        yield made
    errand.conclude()


@contextlib.contextmanager
def made_on_node(offload: Offload, wish: Venue, arch: Architecture, folder: Path) -> Iterator[FinishedRoot]:
    """Make the root of *arch* on a node and yield it, below *folder*; what lies on the node goes afterwards.

    The node's slot is held until the block ends. A node that cannot be reached at first, lacks something,
    is restarted in the middle, or damages what it made gives way to another one, unless *wish* names it.
    Raises NoPlaceError where none takes it.
    """
    with open_ledger(offload.site.state) as ledger:
        for attempt in range(1, ATTEMPTS + 1):
            own = folder / f"attempt{attempt}"
            own.mkdir()
            with _slot(ledger, offload, wish, arch) as lease:
                try:
                    errand = _begun(offload, lease, own)
                    with errand.cancelled_on_interruption():
                        made = errand.bring_home(own)
                except UNFIT as error:
                    ledger.report_failure(lease.node, error.brief.rstrip("."))
                    if wish.node or attempt == ATTEMPTS:
                        raise error.cause if isinstance(error, _UnfitError) else error from error
                    offload.narrator.notice(f"{error.brief} Another node is looked for.")
                    shutil.rmtree(own)
                    continue
                except ProvisionerError as error:
                    # It may go on there, so nobody begins the same elsewhere; but the node gets nothing else.
                    ledger.report_failure(lease.node, error.brief.rstrip("."))
                    raise
                ledger.report_success(lease.node)
                with errand.cancelled_on_interruption():
                    yield made
                errand.conclude()
                return


@contextlib.contextmanager
def _slot(ledger: Ledger, offload: Offload, wish: Venue, arch: Architecture) -> Iterator[Lease]:
    demand = Demand(job=offload.job.id, arch=arch, node=wish.node)
    wait = offload.site.offload.fallback is Fallback.QUEUE
    nodes = NodeStore(offload.site.state).all
    with contextlib.ExitStack() as stack:
        try:
            lease = stack.enter_context(
                leased(ledger, demand, nodes, wait=wait, notice=offload.narrator.notice)
            )
        except ProvisionerError as error:
            raise _no_place(error) from error
        yield lease


def _begun(offload: Offload, lease: Lease, folder: Path) -> Errand:
    """Return the job, which has begun on the node of *lease*; raise _UnfitError where it could not."""
    venue = Venue(kind=VenueKind.NODE, node=lease.node, reason=lease.reason)
    try:
        node = NodeStore(offload.site.state).load(lease.node)
        cache = offload.site.cache / "workers"
        worker = worker_at(node_place(offload.site, node), cache, offload.needed)
        errand = _commissioned(offload, venue, worker)
        if isinstance(worker, ContainedWorker):
            offload.narrator.notice(f"It works in a container of Podman: {node.name} itself lacks the tools.")
        errand.hand_in(offload.session, errand.store.site, folder)
    except (ProvisionerError, HostNotReadyError) as error:
        raise _UnfitError(error) from error
    return errand


def _commissioned(offload: Offload, venue: Venue, worker: Worker) -> Errand:
    """Return the job on *worker*, written down before anything lies there."""
    store = JobStore(offload.site.state)
    offload.narrator.notice(f"Building on {venue.name}: {venue.reason}.")
    plan = offload.plan_for(venue)
    commission = Commission(plan=plan, inputs=offload.inputs, target=offload.job.target)
    store.commission(offload.job, venue, commission)
    return Errand(
        id=offload.job.id,
        plan=plan,
        worker=worker,
        narrator=offload.narrator,
        store=store,
        trees=offload.site.returned,
    )


def worker_of(job: Job, site: Site) -> Worker:
    """Return the worker that has *job*; raise UsageError for a node that was removed meanwhile."""
    assert job.venue
    if job.venue.kind is VenueKind.SLURM:
        return batch_worker(site)
    return worker_at(node_place(site, NodeStore(site.state).load(job.venue.node)), site.cache / "workers")
