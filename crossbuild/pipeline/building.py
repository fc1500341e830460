"""From a spec to an artifact set, or to a named root."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossbuild import __version__
from crossbuild.artifacts.store import load_set
from crossbuild.distros import catalog
from crossbuild.distros.release import Family
from crossbuild.distros.session import Session
from crossbuild.distros.sessions import open_session
from crossbuild.errors import BuildFailedError, CommandFailedError, CrossbuildError, StorageError, UsageError
from crossbuild.host.checks.storage import require_capabilities
from crossbuild.host.facts import inspect_host
from crossbuild.host.locks import NoticeSink, locked
from crossbuild.host.probe import prove_emulation
from crossbuild.host.publish import publish
from crossbuild.host.timings import Timings
from crossbuild.host.workspace import workspace
from crossbuild.machines.sandbox import require_root
from crossbuild.model.artifact import ArtifactSet
from crossbuild.model.events import EventSink, Notice
from crossbuild.model.plan import ExecutorKind, Plan
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec, digest_of
from crossbuild.pipeline import finish
from crossbuild.pipeline.acceleration import accelerate, accounted
from crossbuild.pipeline.importing import installed_in_base
from crossbuild.pipeline.installing import Run, carry_out
from crossbuild.pipeline.inventory import INVENTORIES
from crossbuild.pipeline.narrator import Narrator
from crossbuild.pipeline.tools import choose_programs
from crossbuild.planning.planner import plan_build

# Seconds on a small machine under plain emulation, until this host's own figures are known.
SOURCES = ("sources", "Package sources", 4.0)
LAYERS = (
    ("base", "Base system", 90.0),
    ("packages", "Packages", 100.0),
    ("configuration", "Configuration", 110.0),
)
VERIFICATION = ("verification", "Verification", 6.0)
PACKING = ("packing", "Artifacts", 30.0)


TWIN = ("twin", "Native twin", 15.0)


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
    return _plan(spec, site, session)


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
    A former set stays in place until the new one is complete. *emulator_only* switches acceleration off:
    the result is the same. Raises CrossbuildError.
    """
    require_root()
    target = output.absolute() / spec.name
    with _narrated(spec, site, target, on_event) as narrator:
        finish.refuse_foreign(target)
        narrator.begin((SOURCES, TWIN, *LAYERS, VERIFICATION, PACKING))
        session = _open(spec, site, narrator.notice)
        narrator.explain = session.explain
        run = Run(site=site, session=session, narrator=narrator, emulator_only=emulator_only)
        inputs = _fetch(session, spec, narrator)
        found = None if force else finish.unchanged_set(target, inputs)
        if found is None:
            with (
                workspace(site.work, spec.name) as folder,
                # On the same file system as its place, so that it gets there by rename.
                workspace(output / ".crossbuild", spec.name) as staging,
            ):
                made = _make_root(_plan(spec, site, session), run, folder)
                places = finish.SetPlaces(scratch=folder / "build", staging=staging / "set")
                with narrator.phase("packing"):
                    finish.write_set(made, places, inputs, narrator)
                finish.complete_records(places.staging, target, narrator)
                publish(places.staging, target)
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
    with _narrated(spec, site, target, on_event) as narrator:
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
            made = _make_root(_plan(spec, site, session), run, folder)
            publish(made.root.path, target)
        narrator.finish(target, unchanged=False)
        return target


def _open(spec: ImageSpec, site: Site, notice: NoticeSink) -> Session:
    programs = choose_programs(spec, site)
    installed = installed_in_base(spec, site, programs, notice)
    return open_session(spec, site.cache, notice, programs, installed)


@contextmanager
def _narrated(spec: ImageSpec, site: Site, target: Path, on_event: EventSink) -> Iterator[Narrator]:
    """Hold the lock of *target*, keep a log, and put every failure into words."""
    log_path = site.state / "logs" / f"{spec.name}.log"
    # Modes of what is made must not depend on who calls.
    umask = os.umask(0o022)
    try:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with (
            locked(target, f"`{spec.name}`", lambda message: on_event(Notice(message=message))),
            log_path.open("w", encoding="utf-8") as log,
        ):
            narrator = Narrator(spec.name, on_event, Timings(site.state / "timings.json"), log, log_path)
            try:
                yield narrator
            except CommandFailedError as error:
                raise _with_log(narrator.explain(error), log_path) from error
    except BrokenPipeError:
        # Whoever listened to the events has left: no matter of files.
        raise
    except OSError as error:
        raise _with_log(_storage_error(error), log_path) from error
    finally:
        os.umask(umask)


def _with_log(error: CrossbuildError, log_path: Path) -> CrossbuildError:
    error.details = f"{error.details}\nThe whole log: {log_path}".lstrip()
    return error


def _storage_error(error: OSError) -> CrossbuildError:
    place = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(
            "The disk is full.", details=place, resolution="Free some space and run it again."
        )
    return BuildFailedError("A file could not be read or written.", details=place)


def _fetch(session: Session, spec: ImageSpec, narrator: Narrator) -> str:
    """Bring the indexes up to date; return the digest of everything that decides the result."""
    for name in spec.unverified:
        narrator.notice(f"NOT VERIFIED: packages of `{name}` need no signature (`gpgcheck: false`).")
    with narrator.phase("sources"):
        session.update()
    return digest_of([spec.digest, session.sources_digest(), session.epoch(), __version__])


def _plan(spec: ImageSpec, site: Site, session: Session) -> Plan:
    release = catalog.lookup(spec.distro, spec.release)
    return plan_build(spec, release, session.resolve(), inspect_host(), choose_programs(spec, site).reason)


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
