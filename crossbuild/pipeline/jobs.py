"""What can be done with builds that run or ran: finish one that goes on elsewhere, end one, clear up."""

from __future__ import annotations

import contextlib
import enum
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from crossbuild.artifacts.store import load_set
from crossbuild.errors import CrossbuildError, ProvisionerError, UsageError
from crossbuild.host.locks import NoticeSink
from crossbuild.host.workspace import workspace
from crossbuild.jobs.batch import batch_worker
from crossbuild.jobs.sending import worker_at
from crossbuild.jobs.speaking import Worker
from crossbuild.jobs.store import JobStore
from crossbuild.machines.sandbox import require_root
from crossbuild.model.artifact import ArtifactSet
from crossbuild.model.events import EventSink
from crossbuild.model.job import Commission, Job, JobState, Standing
from crossbuild.model.plan import VenueKind
from crossbuild.model.site import Site
from crossbuild.nodes.choice import Demand
from crossbuild.nodes.holding import leased, open_ledger
from crossbuild.nodes.store import NodeStore
from crossbuild.pipeline import finish
from crossbuild.pipeline.errand import Errand
from crossbuild.pipeline.narrator import Narrator
from crossbuild.pipeline.offloading import node_place, worker_of
from crossbuild.pipeline.phases import HANDED_BACK, LAYERS, PACKING, RETURN, VERIFICATION
from crossbuild.pipeline.recording import concluded, narrated


class Condition(enum.StrEnum):
    """What becomes of a build, as far as can be told now."""

    WAITING = "waiting"
    RUNNING = "running"
    DETACHED = "detached"
    """It goes on elsewhere, and no process looks after it: `job attach` does."""
    INTERRUPTED = "interrupted"
    """Its process was killed, and nothing goes on."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Orphan:
    """Something on a node that no build of this installation needs any more."""

    node: str
    job: str
    running: bool


def condition(store: JobStore, job: Job) -> Condition:
    """Return what becomes of *job*."""
    if job.state.over or store.owner(job.id) is not None:
        return Condition(job.state.value)
    return Condition.DETACHED if store.goes_on(job.id) else Condition.INTERRUPTED


def attach(name: str, site: Site, on_event: EventSink) -> ArtifactSet:
    """Finish the build *name*, whose process is gone, from where it is; return the set.

    Raises UsageError where there is nothing to go on with, or another process does.
    """
    require_root()
    store = JobStore(site.state)
    job = store.load(name)
    with store.owned(job.id):
        if condition_is_over(store, job):
            raise UsageError(
                f"Nothing of the job {job.id} goes on.",
                details=f"It is {store.load(job.id).state}.",
                resolution="Build the image again: what is complete is not made again.",
            )
        commission = store.load_commission(job)
        with narrated(job.name, site, job.target, on_event, resumed=True) as narrator:
            narrator.begin((*LAYERS, HANDED_BACK, RETURN, VERIFICATION, PACKING))
            with concluded(store, job.id), _slot(job, commission, site, narrator.notice):
                _finish(job, commission, site, narrator)
            narrator.finish(job.target, unchanged=False)
    return load_set(job.target)


def condition_is_over(store: JobStore, job: Job) -> bool:
    """Tell whether nothing of *job* goes on, whoever looks after it."""
    return job.state.over or not store.goes_on(job.id)


def _finish(job: Job, commission: Commission, site: Site, narrator: Narrator) -> None:
    store = JobStore(site.state)
    worker = worker_of(job, site)
    errand = Errand(
        id=job.id,
        plan=commission.plan,
        worker=worker,
        narrator=narrator,
        store=store,
        trees=site.returned,
    )
    with errand.cancelled_on_interruption(), workspace(site.work, job.name) as folder:
        made = errand.bring_home(folder)
        finish.publish_set(made, job.target, folder / "build", commission.inputs, narrator)
    errand.conclude()


@contextlib.contextmanager
def _slot(job: Job, commission: Commission, site: Site, notice: NoticeSink) -> Iterator[None]:
    """Hold a slot of the job's node again; where others have taken them all, go on without."""
    if job.venue is None or job.venue.kind is not VenueKind.NODE:
        yield
        return
    demand = Demand(job=job.id, arch=commission.plan.spec.arch, node=job.venue.node)
    with contextlib.ExitStack() as held:
        ledger = held.enter_context(open_ledger(site.state))
        try:
            held.enter_context(leased(ledger, demand, NodeStore(site.state).all, wait=False))
        except ProvisionerError as error:
            notice(f"It goes on without a slot of its own: {error.details}")
        yield
        ledger.report_success(job.venue.node)


def cancel(name: str, site: Site) -> Job:
    """End the build *name* wherever it runs, and return it; what it was doing goes with it."""
    store = JobStore(site.state)
    job = store.load(name)
    if job.state.over:
        raise UsageError(f"The job {job.id} is over: it is {job.state}.")
    owner = store.owner(job.id)
    if owner is not None:
        # It cleans up by itself, also elsewhere.
        os.kill(owner, signal.SIGTERM)
    else:
        if store.goes_on(job.id):
            worker = worker_of(job, site)
            worker.cancel(job.id)
            worker.remove(job.id)
        store.close(job.id, JobState.CANCELLED)
    return job


def orphans(site: Site, notice: NoticeSink) -> tuple[Orphan, ...]:
    """Return what no build of this installation needs any more, on all nodes that can be reached."""
    return tuple(_told(worker, standing) for worker, standing in _unneeded(site, notice))


def clean(site: Site, notice: NoticeSink) -> tuple[Orphan, ...]:
    """Remove all `orphans`, and note as failed what was interrupted here; return what was removed."""
    removed = []
    for worker, standing in _unneeded(site, notice):
        worker.cancel(standing.job)
        worker.remove(standing.job)
        removed.append(_told(worker, standing))
    store = JobStore(site.state)
    for job in store.all():
        if condition(store, job) is Condition.INTERRUPTED:
            store.close(job.id, JobState.FAILED, "It was interrupted.")
    return tuple(removed)


def _unneeded(site: Site, notice: NoticeSink) -> Iterator[tuple[Worker, Standing]]:
    store = JobStore(site.state)
    for worker in _workers(site, notice):
        for standing in worker.standings():
            if standing.site == store.site and not _is_needed(store, standing):
                yield worker, standing


def _told(worker: Worker, standing: Standing) -> Orphan:
    return Orphan(node=worker.place.name, job=standing.job, running=standing.running)


def _workers(site: Site, notice: NoticeSink) -> Iterator[Worker]:
    if site.slurm.folder:
        yield batch_worker(site)
    for node in NodeStore(site.state).all():
        try:
            yield worker_at(node_place(site, node), site.cache / "workers")
        except CrossbuildError as error:
            notice(f"{node.name} is left out: {error.brief}")


def _is_needed(store: JobStore, standing: Standing) -> bool:
    """Tell whether somebody looks after the job of *standing*, or may yet."""
    try:
        job = store.load(standing.job)
    except UsageError:
        return False
    return condition(store, job) in {Condition.WAITING, Condition.RUNNING, Condition.DETACHED}
