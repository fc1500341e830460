"""One root that is made elsewhere: handed in, followed, brought home, and verified like any other."""

from __future__ import annotations

import contextlib
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from crossbuild.distros.session import Session
from crossbuild.errors import (
    BuildFailedError,
    CommandFailedError,
    CrossbuildError,
    ProvisionerError,
    TerminatedError,
)
from crossbuild.executors import trees
from crossbuild.jobs.batch import SlurmEndedError
from crossbuild.jobs.speaking import (
    DamagedRootError,
    NodeFullError,
    NodeNotReadyError,
    Worker,
    as_error,
)
from crossbuild.jobs.store import JobStore
from crossbuild.model import job as names
from crossbuild.model.job import Ending, Outcome, WorkOrder
from crossbuild.model.plan import Plan
from crossbuild.model.spec import ImageSpec
from crossbuild.pipeline.finish import FinishedRoot, finish_root
from crossbuild.pipeline.homecoming import Homecoming
from crossbuild.pipeline.importing import importer
from crossbuild.pipeline.narrator import Narrator
from crossbuild.pipeline.phases import HANDOVER, RETURN
from crossbuild.pipeline.shelf import Ahead, Shelf

NOTHING_COMES = (SlurmEndedError, DamagedRootError)
"""Errors after which a job can give nothing any more, also to who attaches to it."""


class VanishedError(ProvisionerError):
    """The worker was killed, or its host was restarted: nothing came of the job."""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """The job *id* of the plan *plan* on one host."""

    id: str
    plan: Plan
    worker: Worker
    narrator: Narrator
    store: JobStore
    trees: Path
    """A folder with trees of other hosts, kept for later builds."""
    ahead: Ahead = field(default_factory=Ahead)

    @property
    def place(self) -> str:
        """The host's name."""
        return self.worker.place.name

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self.trees, self.narrator.notice)

    def hand_in(self, session: Session, site: str, folder: Path) -> None:
        """Give the host what it needs and let it begin; *folder* is scratch, *site* the sender's id."""
        with self.narrator.phase(HANDOVER[0]):
            layers = self.plan.layers
            # First of all: what no node could use is refused.
            spec = _without_place(session.portable())
            order = WorkOrder(
                job=self.id,
                site=site,
                spec=spec,
                layers=layers,
                epoch=self.plan.resolution.epoch,
            )
            try:
                receipt = self.worker.begin(order, lambda: self._handed(session, folder))
                if receipt.tree:
                    self.ahead.begin(self._shelf, receipt.tree, folder / "root")
            except CommandFailedError as error:
                self.abandon()
                raise self._refused(error) from error
            except BaseException:
                self.abandon()
                raise

    def bring_home(self, folder: Path) -> FinishedRoot:
        """Follow the job to its end and return the root, unpacked below *folder* and verified.

        Raises the error that the host tells, or VanishedError, DamagedRootError, NodeUnreachableError.
        """
        try:
            outcome = self.worker.follow(self.id, self.narrator.replay, self.narrator.notice)
            self._require_done(outcome)
            root = self._fetched(outcome, folder)
        except NOTHING_COMES:
            self.abandon()
            raise
        finally:
            self.ahead.settle()
        with self.narrator.phase("verification"):
            return finish_root(self.plan, root, outcome.packages, self.narrator)

    @contextlib.contextmanager
    def cancelled_on_interruption(self) -> Iterator[None]:
        """End the job if a person or a signal ends the block; what fails by itself leaves it alone.

        A terminal that is gone is a connection that was lost: the job goes on.
        """
        try:
            yield
        except (BrokenPipeError, KeyboardInterrupt):
            self.abandon()
            raise
        except TerminatedError as error:
            if error.number != signal.SIGHUP:
                self.abandon()
            raise

    def conclude(self) -> None:
        """Remove what is left of the job, whose root is in safety."""
        self.store.forget_commission(self.id)
        with contextlib.suppress(CrossbuildError):
            self.worker.remove(self.id)

    def abandon(self) -> None:
        """End the job and remove what is left of it, as far as its host can be reached."""
        self.store.forget_commission(self.id)
        # Whatever hinders the one may not hinder the other.
        for step in (self.worker.cancel, self.worker.remove):
            with contextlib.suppress(CrossbuildError):
                step(self.id)

    def _fetched(self, outcome: Outcome, folder: Path) -> Path:
        way = Homecoming(
            job=self.id,
            worker=self.worker,
            shelf=self._shelf,
            ahead=self.ahead,
            notice=self.narrator.notice,
            on_bytes=lambda done, size: self.narrator.progress(done, size, "bytes", f"from {self.place}"),
        )
        with self.narrator.phase(RETURN[0]):
            return way.fetch(outcome, folder)

    def _handed(self, session: Session, folder: Path) -> Path:
        gathered, archive = folder / "handed", folder / "handed.tar"
        gathered.mkdir(exist_ok=True)
        session.hand_over(gathered, self.plan.resolution)
        if self.plan.spec.base:
            tree = folder / "base"
            importer(self.plan.spec)(tree)
            trees.pack(tree, gathered / names.BASE)
            shutil.rmtree(tree)
        trees.pack(gathered, archive)
        return archive

    def _refused(self, error: CommandFailedError) -> CrossbuildError:
        """Return the error for a host that could not even take the job."""
        if trees.FULL in error.details:
            return NodeFullError(f"The disk is full on {self.place}.", details=error.details)
        return NodeNotReadyError(f"{self.place} could not take the job {self.id}.", details=error.details)

    def _require_done(self, outcome: Outcome) -> None:
        if outcome.ending is not Ending.DONE:
            self.conclude()
        if outcome.ending is Ending.FAILED and outcome.complaint:
            raise as_error(outcome.complaint, self.place)
        if outcome.ending is Ending.CANCELLED:
            raise BuildFailedError(f"The job {self.id} was cancelled.", details=f"It ran on {self.place}.")
        if outcome.ending is not Ending.DONE:
            raise VanishedError(
                f"The job {self.id} ended on {self.place} without a word.",
                details="Its worker was killed, or the host was restarted.",
                resolution="Run it again: trees that were complete are kept there.",
            )


def _without_place(spec: ImageSpec) -> ImageSpec:
    """Return *spec* for another host, to which it says nothing where its base lies on this one."""
    return replace(spec, base=replace(spec.base, path="")) if spec.base else spec
