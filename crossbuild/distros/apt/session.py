"""Talking to apt before a build: fetching signed indexes and resolving what would be installed."""

from __future__ import annotations

import email.utils
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from crossbuild.distros.answers import Answers, edition
from crossbuild.distros.apt import complaints, configuration, steps
from crossbuild.distros.apt.progress import package_handled
from crossbuild.distros.apt.sources import as_deb822, choose_sources
from crossbuild.distros.carriage import refuse_unportable
from crossbuild.distros.dpkg_database import DATABASE, installed_packages
from crossbuild.distros.release import Release
from crossbuild.errors import BuildFailedError, CommandFailedError, CrossbuildError, SpecError
from crossbuild.host import command
from crossbuild.host.linking import link_or_copy
from crossbuild.host.locks import NoticeSink, locked
from crossbuild.model.plan import PinnedPackage, Resolution
from crossbuild.model.spec import ImageSpec, digest_of

INSTALLS = re.compile(r"Inst (?P<name>\S+) (?:\[[^]]*\] )?\((?P<version>\S+) ")
DATE = re.compile(r"^Date: (.+)$", re.MULTILINE)
SUITES = re.compile(r"^(?:Suite|Codename): *(\S+)$", re.MULTILINE)


class AptSession:
    """The indexes of one set of sources, kept in the cache and shared by all builds that use them."""

    def __init__(
        self,
        spec: ImageSpec,
        release: Release,
        cache: Path,
        notice: NoticeSink,
        installed: Path | None = None,
    ) -> None:
        """*cache* is crossbuild's cache folder; *notice* hears when another process is waited for.

        *installed* has the base's database of packages, at its place.
        """
        self._installed = installed
        self._spec = spec
        self._release = release
        self._notice = notice
        self._repositories = choose_sources(spec.repositories, release, spec.arch)
        self._sources = as_deb822(self._repositories)
        acquire = configuration.acquire_settings(command.capture(["apt-config", "dump"]).stdout)
        self._acquire = acquire
        base = [spec.base.digest] if spec.base and installed else []
        key = digest_of([self._sources, acquire, spec.arch, *base])[:16]
        self._folder = cache / "apt" / "indexes" / key
        self._archives = cache / "apt" / "archives" / spec.arch.debian
        self._answers = Answers(self._folder / "answers")

    def update(self) -> None:
        """Fetch what changed of the indexes; raise a CrossbuildError that says what is wrong with them."""
        with self._indexes():
            self._write_configuration()
            # Whoever reads the indexes first makes apt's cache of them, if anybody does.
            self._apt("update", "--error-on=any", "--option", "pkgCacheFile::Generate=false")

    def sources_digest(self) -> str:
        """Return a digest of the signed indexes: it changes whenever one of the sources does."""
        files = sorted(self._release_files())
        return digest_of([(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files])

    def epoch(self) -> int:
        """Return SOURCE_DATE_EPOCH: from the environment, else when the newest source was published."""
        if os.environ.get("SOURCE_DATE_EPOCH", "").isdigit():
            return int(os.environ["SOURCE_DATE_EPOCH"])
        dates = (DATE.search(file.read_text(encoding="utf-8")) for file in self._release_files())
        return max(int(email.utils.parsedate_to_datetime(date[1]).timestamp()) for date in dates if date)

    def resolve(self) -> Resolution:
        """Return what would be installed; raise SpecError for sources or a package that cannot be."""
        with self._indexes(shared=True):
            return self._resolved()

    def _resolved(self) -> Resolution:
        if not self._installed:
            self._require_release()
        found = installed_packages(self._installed) if self._installed else ()
        base = tuple(PinnedPackage(name=package.name, version=package.version) for package in found)
        smallest = () if self._installed else steps.BASE
        base = base or self._simulate(smallest)
        every = self._simulate([*smallest, *steps.wanted(self._spec, self._release)])
        return Resolution(
            base=base,
            added=tuple(package for package in every if package not in base),
            sources=self.sources_digest(),
            epoch=self.epoch(),
            settings=digest_of(self._sources),
        )

    def closure(self, packages: Sequence[str]) -> tuple[PinnedPackage, ...]:
        """Return *packages* and all that they depend on, at the versions that the sources have now."""
        with self._indexes(shared=True):
            return self._simulate(packages)

    def unpack(self, packages: Sequence[str], folder: Path) -> dict[str, Path]:
        """Fetch *packages*, a closure, and unpack each into a folder of its own below *folder*."""
        archives = folder / "archives"
        (archives / "partial").mkdir(parents=True)
        self._archives.mkdir(parents=True, exist_ok=True)
        for package in self._archives.glob("*.deb"):
            _link(package, archives / package.name)
        self._apt("install", "--download-only", "--option", f"Dir::Cache::archives={archives}", *packages)
        unpacked = {}
        for archive in sorted(archives.glob("*.deb")):
            name = archive.name.split("_")[0]
            if name in packages:
                unpacked[name] = folder / name
                command.capture(["dpkg-deb", "--extract", str(archive), str(folder / name)])
                _link(archive, self._archives / archive.name)
        return unpacked

    def stage(self, work: Path, root: Path) -> None:
        """Put into *work* what apt needs while it installs: indexes as they are now, cached packages."""
        folder = work / "apt"
        (folder / "archives" / "partial").mkdir(parents=True)
        (folder / "log").mkdir()
        with self._indexes(shared=True):
            self._copy_lists(folder / "lists")
        (folder / "lists" / "partial").mkdir()
        (folder / "sources.sources").write_text(self._sources, encoding="utf-8")
        common = configuration.common(self._spec.arch, str(folder), self._acquire)
        for_root = configuration.for_root(str(root), str(folder))
        (folder / "apt.conf").write_text(common + for_root, encoding="utf-8")
        (folder / "acquire.conf").write_text(self._acquire, encoding="utf-8")
        self._archives.mkdir(parents=True, exist_ok=True)
        for package in self._archives.glob("*.deb"):
            _link(package, folder / "archives" / package.name)

    def portable(self) -> ImageSpec:
        """Return the spec with the sources that were chosen for it; raise UsageError for some of them."""
        refuse_unportable(uri for repository in self._repositories for uri in repository.uris)
        return replace(self._spec, repositories=self._repositories)

    def hand_over(self, folder: Path, resolution: Resolution) -> None:
        """Put into the new *folder* the indexes as they are now, and the packages of *resolution*."""
        archives = folder / "archives"
        (archives / "partial").mkdir(parents=True)
        pinned = (*resolution.base, *resolution.added)
        self._archives.mkdir(parents=True, exist_ok=True)
        for package in pinned:
            for archive in self._archives.glob(f"{package.name}_{package.version.replace(':', '%3a')}_*.deb"):
                _link(archive, archives / archive.name)
        wanted = [f"{package.name}={package.version}" for package in pinned]
        self._apt("install", "--download-only", "--option", f"Dir::Cache::archives={archives}", *wanted)
        for archive in archives.glob("*.deb"):
            _link(archive, self._archives / archive.name)
        (archives / "lock").unlink(missing_ok=True)
        (archives / "partial").rmdir()
        with self._indexes(shared=True):
            self._copy_lists(folder / "lists")

    def take_over(self, folder: Path) -> None:
        """Have the indexes and packages that another host put into *folder*."""
        for name, place in (("lists", self._folder / "lists"), ("archives", self._archives)):
            place.parent.mkdir(parents=True, exist_ok=True)
            (folder / name).rename(place)

    def harvest(self, work: Path) -> None:
        """Keep for other builds what apt downloaded into *work* and verified."""
        for package in (work / "apt" / "archives").glob("*.deb"):
            _link(package, self._archives / package.name)

    def explain(self, error: CommandFailedError) -> CrossbuildError:
        """Return the error that a user should see instead of *error*."""
        return complaints.explain(error, self._spec)

    def handled(self, line: str) -> str | None:
        """Return the package that a line says was unpacked or configured."""
        return package_handled(line)

    def alarms(self, _line: str) -> bool:
        """Tell that nothing fails without apt's own failure."""
        return False

    def _indexes(self, *, shared: bool = False) -> AbstractContextManager[None]:
        """Hold the lock of the indexes: no other process writes them, nor reads them unless *shared*."""
        return locked(self._folder, "the package indexes", self._notice, shared=shared)

    def _copy_lists(self, target: Path) -> None:
        shutil.copytree(self._folder / "lists", target, copy_function=link_or_copy, ignore=_not_indexes)

    def _release_files(self) -> list[Path]:
        lists = self._folder / "lists"
        return [*lists.glob("*InRelease"), *lists.glob("*_Release")]

    def _require_release(self) -> None:
        """Raise SpecError where mmdebstrap would find no base system: it takes that of one suite only."""
        texts = (file.read_text(encoding="utf-8") for file in self._release_files())
        named = {name for text in texts for name in SUITES.findall(text)}
        if self._release.apt.codename not in named:
            raise SpecError(
                f"The package sources are not those of {self._release.title}.",
                details=f"They say that they are {', '.join(sorted(named)) or 'nothing'}.",
                resolution=f"Name one of `{self._release.apt.codename}` in `repositories`,"
                " or correct `release`.",
            )

    def _write_configuration(self) -> None:
        (self._folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        common = configuration.common(self._spec.arch, str(self._folder), self._acquire)
        wanted = {
            "status": (self._installed / DATABASE).read_bytes() if self._installed else b"",
            "sources.sources": self._sources.encode(),
            "apt.conf": (common + configuration.for_index(str(self._folder))).encode(),
        }
        for name, content in wanted.items():
            file = self._folder / name
            # Another process may be downloading with it, which takes no lock.
            if not file.exists() or file.read_bytes() != content:
                file.write_bytes(content)

    def _simulate(self, packages: Sequence[str]) -> tuple[PinnedPackage, ...]:
        words = ("install", "--simulate", *packages)
        output = self._answers.ask([words, self._state()], lambda: self._apt(*words))
        found = (INSTALLS.match(line) for line in output.splitlines())
        return tuple(PinnedPackage(name=match["name"], version=match["version"]) for match in found if match)

    def _state(self) -> list[object]:
        """Return all that a simulation depends on besides its words: indexes, base, settings, apt itself."""
        files = (self._folder / name for name in ("status", "apt.conf", "sources.sources"))
        digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        return [self.sources_digest(), *digests, edition(Path(command.find("apt-get") or "apt-get"))]

    def _apt(self, *arguments: str) -> str:
        env = command.environment({"APT_CONFIG": str(self._folder / "apt.conf")})
        try:
            return command.capture(["apt-get", *arguments], env=env).stdout
        except CommandFailedError as error:
            raise complaints.explain(error, self._spec, lambda: self._known_names(env)) from error

    def _known_names(self, env: dict[str, str]) -> list[str]:
        return command.capture(["apt-cache", "pkgnames"], env=env, check=False).stdout.split()


def _not_indexes(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in {"lock", "partial", "auxfiles"}}


def _link(source: Path, target: Path) -> None:
    """Give *source* a second name; a name that is there already holds the same verified package."""
    try:
        link_or_copy(source, target)
    except FileExistsError:
        return
    except OSError as error:
        raise BuildFailedError(
            f"Cannot keep {source.name} in the package cache.", details=str(error)
        ) from error
