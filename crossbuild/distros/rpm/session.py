"""Talking to dnf or zypper before a build: fetching signed metadata and resolving what would be installed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from crossbuild.distros.answers import Answers, edition
from crossbuild.distros.carriage import refuse_unportable
from crossbuild.distros.release import Release
from crossbuild.distros.rpm import complaints, database, steps
from crossbuild.distros.rpm.keys import trusted_keys
from crossbuild.distros.rpm.managers import MANAGERS, spoken
from crossbuild.distros.rpm.payload import extract
from crossbuild.distros.rpm.readiness import require_manager, require_rpm
from crossbuild.distros.rpm.repositories import CACHE, usable
from crossbuild.distros.rpm.settings import write_settings, write_stubs
from crossbuild.errors import CommandFailedError, CrossbuildError
from crossbuild.host import command
from crossbuild.host.linking import link_or_copy
from crossbuild.host.locks import NoticeSink, locked
from crossbuild.host.programs import Programs
from crossbuild.host.rooted import resolve
from crossbuild.model.architecture import Architecture
from crossbuild.model.plan import ROOT, WORK, PinnedPackage, Resolution
from crossbuild.model.spec import ImageSpec, RpmRepository, digest_of

TIMESTAMP = re.compile(r"<timestamp>(\d+)")


class RpmSession:
    """The metadata of one set of repositories, kept in the cache and shared by all builds that use them."""

    def __init__(
        self,
        spec: ImageSpec,
        release: Release,
        cache: Path,
        notice: NoticeSink,
        programs: Programs,
        installed: Path | None = None,
    ) -> None:
        """*cache* is crossbuild's cache folder; *notice* hears when another process is waited for.

        *installed* has the base's database of packages, at its place. Raises HostNotReadyError where
        *programs* have no such package manager.
        """
        self._spec = spec
        self._release = release
        self._notice = notice
        self._installed = installed
        self._programs = programs
        self._manager = MANAGERS[release.family]
        require_manager(self._manager.program, release, programs)
        require_rpm(release.rpm.database, programs)
        named = (repository for repository in spec.repositories if isinstance(repository, RpmRepository))
        self._repositories = usable(named, release.rpm.releasever, spec.arch)
        self._cache = cache / "rpm"

    def update(self) -> None:
        """Fetch what changed of the metadata; raise a CrossbuildError that says what is wrong with it."""
        with self._indexes():
            self._configure(self._folder)
            if not self._root.is_dir():
                if self._installed:
                    shutil.copytree(self._installed, self._root, symlinks=True)
                else:
                    self._root.mkdir()
                self._command(steps.trust(self._spec, self._release))
            self._run(*self._manager.refresh)

    def sources_digest(self) -> str:
        """Return a digest of the repositories' repomd.xml, which name and hash all the rest."""
        found = ((id_, hashlib.sha256(file.read_bytes()).hexdigest()) for id_, file in self._metadata())
        return digest_of(sorted(found))

    def epoch(self) -> int:
        """Return SOURCE_DATE_EPOCH: from the environment, else when the newest metadata was made."""
        if os.environ.get("SOURCE_DATE_EPOCH", "").isdigit():
            return int(os.environ["SOURCE_DATE_EPOCH"])
        texts = (file.read_text(encoding="utf-8", errors="replace") for _, file in self._metadata())
        return max((int(time) for text in texts for time in TIMESTAMP.findall(text)), default=0)

    def resolve(self) -> Resolution:
        """Return what would be installed; raise SpecError for a package that cannot be."""
        with self._indexes():
            return self._resolved()

    def _resolved(self) -> Resolution:
        smallest = () if self._installed else self._release.rpm.base
        base = self._simulate(smallest) if smallest else self._present()
        every = self._simulate([*smallest, *steps.wanted(self._spec, self._release)])
        return Resolution(
            base=base,
            added=tuple(package for package in every if package not in base),
            sources=self.sources_digest(),
            epoch=self.epoch(),
            # The epoch is the time of each installation in the database, which cannot be changed later.
            settings=digest_of([self._keys, self.epoch()]),
        )

    def closure(self, packages: Sequence[str]) -> tuple[PinnedPackage, ...]:
        """Return *packages* and all that they depend on, at the versions that the repositories have now."""
        with self._indexes():
            return self._simulate(packages)

    def _simulate(self, packages: Sequence[str]) -> tuple[PinnedPackage, ...]:
        if not packages:
            return ()
        words = (*self._manager.simulate, *packages)
        answers = Answers(self._folder / "answers")
        answer = answers.ask([words, self._state()], lambda: self._run(*words))
        return tuple(sorted(self._manager.simulated(answer), key=lambda package: package.name))

    def unpack(self, packages: Sequence[str], folder: Path) -> dict[str, Path]:
        """Fetch *packages*, a closure, and unpack each into a folder of its own below *folder*."""
        folder.mkdir(parents=True)
        with self._indexes():
            self._run(*self._manager.download, *packages)
            return extract(self._archives(self._simulate(packages)), packages, folder, self._programs)

    def stage(self, work: Path, _root: Path) -> None:
        """Put into *work* what the package manager needs: its settings, metadata, cached packages."""
        self._configure(work)
        with self._indexes():
            shutil.copytree(
                self._root / CACHE[1:], work / "rpm/cache", copy_function=link_or_copy, ignore=_not_shared
            )
        write_stubs(work / "rpm/cache")

    def portable(self) -> ImageSpec:
        """Return the spec with the keys themselves in it; raise UsageError for a repository on this disk."""
        refuse_unportable(uri for repository in self._repositories for uri in repository.uris)
        keyed = tuple(replace(one, signed_by=self._keys.get(one.id, "")) for one in self._repositories)
        return replace(self._spec, repositories=keyed)

    def hand_over(self, folder: Path, resolution: Resolution) -> None:
        """Put into the new *folder* the metadata as it is now, and the packages of *resolution*."""
        pinned = (*resolution.base, *resolution.added)
        with self._indexes():
            self._run(*self._manager.download, *(package.name for package in pinned))
            wanted = {path.name for path in self._archives(pinned)}
            cache = self._root / CACHE[1:]
            surplus = {path.name for path in cache.rglob("*.rpm")} - wanted

            def left_out(parent: str, names: list[str]) -> set[str]:
                return _not_shared(parent, names) | surplus.intersection(names)

            shutil.copytree(cache, folder / "cache", copy_function=link_or_copy, ignore=left_out)

    def take_over(self, folder: Path) -> None:
        """Have the metadata and packages that another host put into *folder*."""
        place = self._root / CACHE[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        (folder / "cache").rename(place)

    def harvest(self, work: Path) -> None:
        """Keep for other builds what was downloaded into *work* and verified."""
        cache = work / "rpm/cache"
        for package in cache.rglob("*.rpm"):
            kept = self._root / CACHE[1:] / package.relative_to(cache)
            kept.parent.mkdir(parents=True, exist_ok=True)
            if not kept.exists():
                link_or_copy(package, kept)

    def explain(self, error: CommandFailedError) -> CrossbuildError:
        """Return the error that a user should see instead of *error*."""
        known = complaints.Knowledge(names=self._known_names, elsewhere=self._elsewhere)
        return complaints.explain(error, self._spec, known)

    def handled(self, line: str) -> str | None:
        """Return the package that a line says came on: fetched, installed or verified."""
        match = self._manager.handled.match(line)
        return match["name"] if match else None

    def alarms(self, line: str) -> bool:
        """Tell whether a line of output says that something failed, however the program ended."""
        return complaints.alarms(line)

    @cached_property
    def _keys(self) -> dict[str, str]:
        """The keys that each repository may be signed by, armoured."""
        found = {one.id: trusted_keys(one, self._cache / "keys") for one in self._repositories}
        return {id_: keys for id_, keys in found.items() if keys}

    @cached_property
    def _folder(self) -> Path:
        """Of the cache, for these repositories and these keys."""
        release = [self._release.family, self._release.rpm.releasever, self._spec.arch]
        base = [self._spec.base.digest] if self._spec.base and self._installed else []
        return self._cache / digest_of([*release, repr(self._repositories), self._keys, *base])[:16]

    @property
    def _root(self) -> Path:
        """A root without files, in which everything is new that the base does not have."""
        return self._folder / "root"

    def _indexes(self) -> AbstractContextManager[None]:
        """Hold the lock of the indexes alone: package managers do the same while they read."""
        return locked(self._folder, "the package indexes", self._notice)

    def _configure(self, folder: Path) -> None:
        """Write below *folder* the settings of both package managers and of rpm."""
        write_settings(
            folder / "rpm", self._spec, self._release, self._repositories, self._keys, self._programs.root
        )

    def _state(self) -> list[object]:
        """Return all that a simulation depends on besides its words: metadata, settings, the program itself.

        What the base has and which keys are trusted is in the folder's name.
        """
        settings = sorted(path for path in (self._folder / "rpm").rglob("*") if path.is_file())
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in settings]
        program = resolve(self._programs.root, PurePosixPath("/usr/bin", self._manager.program))
        return [self.sources_digest(), *digests, edition(program)]

    def _present(self) -> tuple[PinnedPackage, ...]:
        """Return what the base has."""
        where = ("--root", str(self._root), "--dbpath", self._release.rpm.database.path)
        found = database.parse(self._command((database.QUERY[0], *where, *database.QUERY[1:])).splitlines())
        return tuple(PinnedPackage(name=package.name, version=package.version) for package in found)

    def _archives(self, packages: Sequence[PinnedPackage]) -> Iterator[Path]:
        """Yield the files of *packages*: downloaded, or where a repository on this host has them."""
        names = {
            f"{package.name}-{package.version.rpartition(':')[2]}.{arch}.rpm"
            for package in packages
            for arch in (self._spec.arch, "noarch")
        }
        uris = (uri for repository in self._repositories for uri in repository.uris)
        local = (Path(urlsplit(uri).path) for uri in uris if urlsplit(uri).scheme in {"file", "dir"})
        for folder in (self._root / CACHE[1:], *local):
            yield from (path for path in folder.rglob("*.rpm") if path.name in names)

    def _metadata(self) -> Iterator[tuple[str, Path]]:
        for repository in self._repositories:
            pattern = self._manager.metadata.format(id=repository.id)
            for file in sorted((self._root / CACHE[1:]).glob(pattern)):
                yield repository.id, file

    def _run(self, *arguments: str) -> str:
        return self._command((*self._manager.common(self._spec, self._release), *arguments))

    def _command(self, words: Sequence[str]) -> str:
        places = {ROOT: str(self._root), WORK: str(self._folder)}
        env = {
            **steps.environment(),
            "RPM_CONFIGDIR": f"{WORK}/rpm/macros",  # no script runs that could see it
        }
        filled = _filler(places)
        try:
            done = command.capture(
                self._programs.argv([filled(word) for word in words]),
                env=command.environment({name: filled(value) for name, value in env.items()}),
                check=False,
            )
        finally:
            _end_agents(self._root / CACHE[1:])
        if done.status and self._manager.declined not in done.stdout + done.stderr:
            tail = spoken(done.stdout + done.stderr).splitlines()[-command.TAIL_LINES :]
            error = CommandFailedError(
                f"`{words[0]}` exited with status {done.status}.",
                status=done.status,
                details="\n".join(tail),
            )
            raise self.explain(error) from None
        return done.stdout

    def _known_names(self) -> list[str]:
        try:
            return sorted(set(self._manager.named.findall(self._run(*self._manager.names))))
        except CrossbuildError:
            return []

    def _elsewhere(self, name: str) -> list[str]:
        """Return the repositories that have the package *name* for x86_64."""
        native = replace(self._spec, arch=Architecture.X86_64)
        other = RpmSession(native, self._release, self._cache.parent, self._notice, self._programs)
        try:
            other.update()
            answer = other._run(*self._manager.search, name)
        except CrossbuildError:
            return []
        return sorted(set(self._manager.found_in.findall(answer)))


def _end_agents(cache: Path) -> None:
    """End the gpg-agents that dnf starts to check metadata, one for each repository, and leaves behind."""
    for home in cache.glob("*/*/pubring"):
        command.capture(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False)


def _filler(places: dict[str, str]) -> Callable[[str], str]:
    def filled(word: str) -> str:
        for mark, place in places.items():
            word = word.replace(mark, place)
        return word

    return filled


def _not_shared(_folder: str, names: list[str]) -> set[str]:
    """Return what is written in place, or is of one run only."""
    return {name for name in names if name in {"log", "state", "expired_repos.json"} or name.endswith(".pid")}
