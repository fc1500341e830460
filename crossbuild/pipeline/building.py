"""From a spec to an artifact set, or to a named root."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from crossbuild import __version__
from crossbuild.artifacts.store import load_set
from crossbuild.distros import catalog
from crossbuild.distros.release import Family
from crossbuild.distros.session import Session
from crossbuild.distros.sessions import open_session
from crossbuild.errors import UsageError
from crossbuild.host.checks.storage import require_capabilities
from crossbuild.host.facts import inspect_host
from crossbuild.host.locks import NoticeSink
from crossbuild.host.probe import prove_emulation
from crossbuild.host.publish import publish
from crossbuild.host.workspace import workspace
from crossbuild.jobs.store import JobStore
from crossbuild.machines.sandbox import require_root
from crossbuild.model.artifact import ArtifactSet
from crossbuild.model.events import EventSink, Notice
from crossbuild.model.job import Job
from crossbuild.model.offload import Fallback
from crossbuild.model.plan import ExecutorKind, Plan, Venue, VenueKind
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec, digest_of
from crossbuild.pipeline import finish
from crossbuild.pipeline.acceleration import accelerate, accounted
from crossbuild.pipeline.importing import installed_in_base
from crossbuild.pipeline.installing import Run, carry_out
from crossbuild.pipeline.inventory import INVENTORIES
from crossbuild.pipeline.narrator import Narrator
from crossbuild.pipeline.offloading import NoPlaceError, Offload, made_elsewhere
from crossbuild.pipeline.phases import LAYERS, SOURCES, TWIN, VERIFICATION, phases_of_build
from crossbuild.pipeline.recording import narrated, recorded
from crossbuild.pipeline.tool_images import needed_for
from crossbuild.pipeline.tools import choose_programs
from crossbuild.pipeline.venues import venue_of
from crossbuild.planning.planner import plan_build

_ROOTS = Venue(kind=VenueKind.LOCAL, reason="named roots are made where they are kept")


def quiet(_event: object) -> None:
    """Receive events and do nothing with them."""


def plan_needs_root(spec: ImageSpec) -> bool:
    """Say whether `plan` can be called by root only: rpm enters roots, and bases are unpacked."""
    return spec.base is not None or catalog.lookup(spec.distro, spec.release).family is not Family.APT


def plan(spec: ImageSpec, site: Site, *, on_event: EventSink = quiet) -> Plan:
    """Return what `build` would do; it fetches package indexes and changes nothing else.

    Raises SpecError, HostNotReadyError, or BuildFailedError where the sources do not answer.
    """
    session = _open(spec, site, lambda message: on_event(Notice(message=message)))
    session.update()
    return _planner(spec, site, session)(venue_of(spec, site))


def build(
    spec: ImageSpec,
    site: Site,
    output: Path,
    *,
    on_event: EventSink = quiet,
    force: bool = False,
    emulator_only: bool = False,
) -> ArtifactSet:
    """Build *spec* into the folder *output*/NAME and return the set that lies there.

    A set that this spec and the present sources already gave is returned at once, unless *force*.
    A former set stays in place until the new one is complete. The site's `offload.to` says where the root is
    made, and *emulator_only* switches acceleration off on this host: the result is the same everywhere.
    Raises CrossbuildError.
    """
    require_root()
    target = output.absolute() / spec.name
    venue = venue_of(spec, site, emulator_only=emulator_only)
    with narrated(spec.name, site, target, on_event) as narrator:
        finish.refuse_foreign(target)
        narrator.begin(phases_of_build(venue))
        session = _open(spec, site, narrator.notice)
        narrator.explain = session.explain
        run = Run(site=site, session=session, narrator=narrator, emulator_only=emulator_only)
        inputs = _fetch(session, spec, narrator)
        found = None if force else finish.unchanged_set(target, inputs)
        if found is None:
            with (
                recorded(JobStore(site.state), spec.name, target, narrator.log_path) as job,
                workspace(site.work, spec.name) as folder,
                _root_somewhere(spec, run, _Task(job=job, inputs=inputs, folder=folder), venue) as made,
            ):
                finish.publish_set(made, target, folder / "build", inputs, narrator)
        narrator.finish(target, unchanged=found is not None)
        return found or load_set(target)


def create_root(
    spec: ImageSpec,
    site: Site,
    *,
    on_event: EventSink = quiet,
    replace: bool = False,
    emulator_only: bool = False,
) -> Path:
    """Build the root of *spec* and keep it under its name below the site's roots; return its path.

    A root that is there already is an error, unless *replace*. Raises CrossbuildError.
    """
    require_root()
    target = site.roots / spec.name
    with narrated(spec.name, site, target, on_event) as narrator:
        if target.exists() and not replace:
            raise UsageError(
                f"There is a root `{spec.name}` already.",
                details=str(target),
                resolution="Choose another name, or say --replace.",
            )
        narrator.begin((SOURCES, TWIN, *LAYERS, VERIFICATION))
        session = _open(spec, site, narrator.notice)
        narrator.explain = session.explain
        run = Run(site=site, session=session, narrator=narrator, emulator_only=emulator_only)
        _fetch(session, spec, narrator)
        # On the same file system as its place, so that it gets there by rename.
        with workspace(site.roots / ".crossbuild", spec.name) as folder:
            made = _make_root(_planner(spec, site, session)(_ROOTS), run, folder)
            publish(made.root.path, target)
        narrator.finish(target, unchanged=False)
        return target


def _open(spec: ImageSpec, site: Site, notice: NoticeSink) -> Session:
    programs = choose_programs(spec, site)
    installed = installed_in_base(spec, site, programs, notice)
    return open_session(spec, site.cache, notice, programs, installed)


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One build that has something to do."""

    job: Job
    inputs: str
    folder: Path


@contextmanager
def _root_somewhere(spec: ImageSpec, run: Run, task: _Task, wish: Venue) -> Iterator[finish.FinishedRoot]:
    """Make the root where *wish* says, or here where no other place takes it and the site's policy allows."""
    planner = _planner(spec, run.site, run.session)
    with ExitStack() as held:
        if wish.kind is not VenueKind.LOCAL:
            offload = Offload(
                site=run.site,
                session=run.session,
                narrator=run.narrator,
                job=task.job,
                inputs=task.inputs,
                needed=needed_for(spec, run.site, run.narrator.notice, create_root),
                plan_for=planner,
            )
            try:
                made = held.enter_context(made_elsewhere(offload, wish, spec.arch, task.folder))
            except NoPlaceError as error:
                if run.site.offload.fallback is not Fallback.EMULATE:
                    raise
                reason = f"`offload.fallback` is `emulate`, and {error.reason}"
                wish = Venue(kind=VenueKind.LOCAL, reason=reason)
            else:
                yield made
                return
        run.narrator.notice(f"Building on this host: {wish.reason}.")
        JobStore(run.site.state).commission(task.job, wish, None)
        yield _make_root(planner(wish), run, task.folder)


def _fetch(session: Session, spec: ImageSpec, narrator: Narrator) -> str:
    """Bring the indexes up to date; return the digest of everything that decides the result."""
    for name in spec.unverified:
        narrator.notice(f"NOT VERIFIED: packages of `{name}` need no signature (`gpgcheck: false`).")
    with narrator.phase("sources"):
        session.update()
    return digest_of([spec.digest, session.sources_digest(), session.epoch(), __version__])


def _planner(spec: ImageSpec, site: Site, session: Session) -> Callable[[Venue], Plan]:
    release, resolution = catalog.lookup(spec.distro, spec.release), session.resolve()
    tools = choose_programs(spec, site).reason
    return lambda venue: plan_build(spec, release, resolution, inspect_host(), venue, tools)


def _make_root(the_plan: Plan, run: Run, folder: Path) -> finish.FinishedRoot:
    """Carry out the plan below *folder*, from the newest tree that the cache has, and verify the result."""
    require_capabilities(folder)
    root, work = folder / "root", folder / "build"
    (work / "scratch").mkdir(parents=True)
    run.session.stage(work, root)
    if the_plan.executor.kind is ExecutorKind.HYBRID:
        prove_emulation(folder)
        if not run.emulator_only:
            with run.narrator.phase("twin"):
                accelerate(the_plan, inspect_host(), run.site, work, run.narrator)
    with accounted(work, run.narrator):
        carry_out(the_plan, run, root, work)
    with run.narrator.phase("verification"):
        packages = INVENTORIES[catalog.lookup(the_plan.spec.distro, the_plan.spec.release).family](root)
        return finish.finish_root(the_plan, root, packages, run.narrator)
