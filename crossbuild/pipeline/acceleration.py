"""Brings a twin into a build: made once for a set of package versions, shared, never part of the image."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from crossbuild.acceleration.build import FRONT
from crossbuild.acceleration.rules import DEBIAN_RULES, RPM_RULES, Ruleset
from crossbuild.acceleration.starts import read_starts
from crossbuild.acceleration.times import program_uses
from crossbuild.config.spec import spec_from
from crossbuild.distros import catalog
from crossbuild.distros.release import Family
from crossbuild.distros.sessions import open_session
from crossbuild.errors import CrossbuildError
from crossbuild.host.binfmt import is_outdated
from crossbuild.host.checks.speed import OTHER_VERSION
from crossbuild.host.facts import inspect_host
from crossbuild.host.interpreter import NAME, holds_front
from crossbuild.host.linking import link_or_copy
from crossbuild.host.locks import NoticeSink, locked
from crossbuild.host.publish import publish
from crossbuild.host.taskstats import listening
from crossbuild.host.workspace import keep_newest, workspace
from crossbuild.machines.twin import make_twin
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import HostFacts
from crossbuild.model.plan import ACCELERATE, COUNT, PinnedPackage, Plan
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec, digest_of
from crossbuild.pipeline.narrator import Narrator
from crossbuild.pipeline.programs import RootPrograms
from crossbuild.pipeline.tools import choose_programs

REBUILT = re.compile(r"\+b\d+$")
"""What Debian appends to a version when it only compiles a package again, on each architecture by itself."""
PERL = "perl-base"
PERL_PACKAGE = re.compile(r"libperl\d.*|lib.+-perl")
MODULES = PurePosixPath("usr/lib", Architecture.X86_64.multiarch, "perl5")
"""Of a twin: modules in C that are no part of perl itself."""
RULESETS: Mapping[Family, Ruleset] = {
    Family.APT: DEBIAN_RULES,
    Family.DNF: RPM_RULES,
    Family.ZYPPER: RPM_RULES,
}
KEPT = 6
"""How many twins stay in the cache; running builds have names of their own for the files."""
FORMAT = 11
"""Of a twin; another one makes those in the cache stale."""


def accelerate(plan: Plan, host: HostFacts, site: Site, work: Path, narrator: Narrator) -> None:
    """Put table, twin and counter into *work*/accelerate, where sandboxes find them.

    Where that is not possible, the reason is reported and everything runs in qemu, with the same result.
    """
    if not _handler_can(host, narrator.notice):
        return
    packages = (*plan.resolution.base, *plan.resolution.added)
    versions = {package.name: package.version for package in packages}
    try:
        target = work / ACCELERATE
        twin = _twin(plan.spec, versions, site, narrator.notice)
        shutil.copytree(twin, target, symlinks=True, copy_function=link_or_copy)
        (target / COUNT).touch()
        # Programs of the root run under many ids; all may append to it.
        (target / COUNT).chmod(0o622)
    except CrossbuildError as error:
        narrator.notice(f"Without acceleration: {error.brief}")


def accelerate_builder(programs: RootPrograms, site: Site, target: Path, notice: NoticeSink) -> None:
    """Put table and twin for a builder with *programs* into the folder *target*, for runs that are to come.

    Where that is not possible, the reason is told to *notice* and everything runs in qemu.
    """
    host = inspect_host()
    if host.native(Architecture.AARCH64) or not _handler_can(host, notice):
        return
    if not programs.versions:
        notice("Without acceleration: nothing on this host reads its database of packages.")
        return
    document: dict[str, object] = {
        "name": "builder",
        "distro": programs.distro,
        "release": programs.release,
        "kernel": False,
    }
    try:
        spec = spec_from(document, Path("os-release"), site)
        twin = _twin(spec, programs.versions, site, notice)
        if (twin / "twin" / MODULES).is_dir():
            # More of them may come, and a native perl could not load those.
            without = {name: version for name, version in programs.versions.items() if not _is_perl(name)}
            twin = _twin(spec, without, site, notice)
        with workspace(target.parent / ".crossbuild", "twin") as folder:
            shutil.copytree(twin, folder / ACCELERATE, symlinks=True, copy_function=link_or_copy)
            put_in_place(folder / ACCELERATE, target)
    except CrossbuildError as error:
        notice(f"Without acceleration: {error.brief}")


def put_in_place(made: Path, target: Path) -> None:
    """Move table and twin from the folder *made* to *target*, where runs find them."""
    target.mkdir(parents=True, exist_ok=True)
    publish(made / "twin", target / "twin")
    # The table comes last: what it names is there.
    (made / "table").replace(target / "table")


def _handler_can(host: HostFacts, notice: NoticeSink) -> bool:
    handler = host.handler_for(Architecture.AARCH64)
    if handler is None or not handler.interpreter.endswith(NAME):
        notice("Without acceleration: the handler is plain qemu; `crossbuild setup` changes that.")
        return False
    if not holds_front(Path(handler.interpreter), FRONT) or is_outdated(handler):
        notice(f"Without acceleration: {OTHER_VERSION}; `sudo crossbuild setup` renews it.")
        return False
    return True


@contextmanager
def accounted(work: Path, narrator: Narrator) -> Iterator[None]:
    """Tell *narrator* behind the block which programs of the root ran in it; without acceleration, none."""
    count = work / ACCELERATE / COUNT
    if not count.is_file():
        yield
        return
    with listening() as heard:
        yield
    if heard.lost:
        narrator.line(f"Times of programs are incomplete: the ends of {heard.lost} processes were missed.")
    with count.open("rb") as file:
        narrator.programs = program_uses(read_starts(file), heard.processes, os.getpid())


def _twin(spec: ImageSpec, versions: Mapping[str, str], site: Site, notice: NoticeSink) -> Path:
    """Return the folder of the cache with `table` and `twin`, made now if it is not there."""
    # Its packages come from the sources, whatever the root was made of.
    spec = replace(spec, base=None)
    twins = site.cache / "twins"
    ruleset = RULESETS[catalog.lookup(spec.distro, spec.release).family]
    wanted = {
        name: version
        for name, version in versions.items()
        if name in ruleset.packages or (ruleset.debian and _is_perl(name))
    }
    target = twins / _key(wanted)
    if not target.is_dir():
        target = _make(spec, site, wanted, ruleset, notice)
    os.utime(target)
    keep_newest(twins, KEPT)
    return target


def _make(spec: ImageSpec, site: Site, wanted: dict[str, str], ruleset: Ruleset, notice: NoticeSink) -> Path:
    """Make the twin of what has the *wanted* versions for this processor, too, unless it is there."""
    native = Architecture.X86_64
    programs = choose_programs(spec, site)
    session = open_session(replace(spec, arch=native), site.cache, notice, programs)
    session.update()
    found = session.closure(sorted(wanted))
    skewed = _left_out(wanted, found)
    for name in skewed:
        notice(f"{name} runs in qemu: its version for {native} is not that of the image.")
    kept = [package.name for package in found if package.name not in skewed]
    target = site.cache / "twins" / _key({name: wanted[name] for name in wanted if name not in skewed})
    with locked(target, "the twin of these packages", notice):
        if not target.is_dir():
            with workspace(target.parent / ".crossbuild", "twin") as folder:
                packages = session.unpack(kept, folder / "packages")
                image = open_session(spec, site.cache, notice, programs)
                image.update()
                replaced = [name for name in kept if name in ruleset.packages]
                originals = image.unpack(replaced, folder / "originals")
                make_twin(packages, originals, folder / "made", native, ruleset)
                (folder / "made").rename(target)
    return target


def _key(packages: dict[str, str]) -> str:
    """Return the name of the twin that has the programs of *packages*, by name and version."""
    return digest_of([FORMAT, sorted(packages.items())])[:24]


def _is_perl(name: str) -> bool:
    return name == PERL or bool(PERL_PACKAGE.fullmatch(name))


def _left_out(wanted: dict[str, str], found: tuple[PinnedPackage, ...]) -> tuple[str, ...]:
    """Return the names of what has another version for this processor, and of what depends on that."""
    skewed = tuple(
        package.name
        for package in found
        if package.name in wanted
        and REBUILT.sub("", package.version) != REBUILT.sub("", wanted[package.name])
    )
    modules = any(PERL_PACKAGE.fullmatch(name) for name in skewed)
    # A native perl could not load modules that are there for the image's processor only.
    return (*skewed, PERL) if modules and PERL in wanted and PERL not in skewed else skewed
