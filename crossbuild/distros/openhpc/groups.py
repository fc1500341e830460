"""What the guides install by which name: groups of packages, as data."""

from __future__ import annotations

from dataclasses import dataclass

from crossbuild.distros.openhpc.releases import OpenHpcRelease
from crossbuild.model.architecture import Architecture

X86_64_ONLY = (Architecture.X86_64,)
LAST_OF_SERIES_1 = (1, 3, 9)
FOREVER = (9999,)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A package of a group; in its name the parts of a release's toolchain are filled in."""

    name: str
    since: tuple[int, ...] = ()
    until: tuple[int, ...] = FOREVER
    """First and last release of OpenHPC that has it."""

    def of(self, release: OpenHpcRelease) -> tuple[str, ...]:
        """Return its name in *release*, nothing where that does not have it."""
        if not self.since <= release.number <= self.until:
            return ()
        return (self.name.format_map(vars(release.toolchain)),)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Packages that a chapter of the guides installs."""

    name: str
    purpose: str
    parts: tuple[Part, ...]
    arches: tuple[Architecture, ...] = tuple(Architecture)
    """Where there are such packages."""

    def packages(self, release: OpenHpcRelease) -> tuple[str, ...]:
        """Return its packages in *release*, in the order of the guide."""
        return tuple(name for part in self.parts for name in part.of(release))


def _group(
    name: str, purpose: str, *parts: str | Part, arches: tuple[Architecture, ...] = tuple(Architecture)
) -> Group:
    every = tuple(part if isinstance(part, Part) else Part(name=part) for part in parts)
    return Group(name=name, purpose=purpose, parts=every, arches=arches)


GROUPS = (
    _group(
        "compute",
        "what every compute node gets: repositories, base packages, time, modules",
        "ohpc-release",
        "ohpc-base-compute",
        Part(name="ntp", until=LAST_OF_SERIES_1),
        Part(name="chrony", since=(2,)),
        "lmod-ohpc",
    ),
    _group("slurm-client", "compute nodes of Slurm", "ohpc-slurm-client"),
    _group(
        "openpbs-execution",
        "compute nodes of OpenPBS",
        Part(name="pbspro-execution-ohpc", until=LAST_OF_SERIES_1),
        Part(name="openpbs-execution-ohpc", since=(2,)),
    ),
    _group("node-health", "checks of a node's health", "nhc-ohpc"),
    _group(
        "warewulf4-dracut",
        "lets dracut boot a node of Warewulf 4 in two stages",
        # What it is called in 3.3 is not known.
        Part(name="warewulf-dracut-ohpc", since=(3, 2), until=(3, 2)),
        Part(name="warewulf-ohpc-dracut", since=(3, 4)),
    ),
    _group(
        "development-tools",
        "autotools, EasyBuild, hwloc, Spack, Valgrind",
        "ohpc-autotools", "EasyBuild-ohpc", "hwloc-ohpc", "spack-ohpc", "valgrind-ohpc",
    ),
    _group(
        "compilers",
        "compilers",
        "{compiler}-compilers-ohpc",
        Part(name="llvm5-compilers-ohpc", until=LAST_OF_SERIES_1),
    ),
    _group("mpi", "MPI stacks for Slurm", "{slurm_mpi}-{compiler}-ohpc", "{mpich}-{compiler}-ohpc"),
    _group("mpi-openpbs", "MPI stacks for OpenPBS", "{openmpi}-{compiler}-ohpc", "{mpich}-{compiler}-ohpc"),
    _group("performance-tools", "performance tools", "ohpc-{compiler}-perf-tools"),
    _group("default-environment", "modules loaded at login", "lmod-defaults-{compiler}-{openmpi}-ohpc"),
    _group("serial-libraries", "serial libraries", "ohpc-{compiler}-serial-libs"),
    _group("io-libraries", "libraries for I/O", "ohpc-{compiler}-io-libs"),
    _group("python-libraries", "libraries for Python", "ohpc-{compiler}-python-libs"),
    _group("runtimes", "container runtimes", "ohpc-{compiler}-runtimes"),
    _group(
        "parallel-libraries",
        "parallel libraries, for each MPI stack",
        "ohpc-{compiler}-mpich-parallel-libs", "ohpc-{compiler}-{openmpi}-parallel-libs",
    ),
    _group(
        "mvapich2",
        "MVAPICH2 and parallel libraries for it",
        "mvapich2-{compiler}-ohpc", "ohpc-{compiler}-mvapich2-parallel-libs",
        arches=X86_64_ONLY,
    ),
    _group(
        "geopm",
        "power management by GEOPM",
        Part(name="ohpc-{compiler}-geopm", until=(3, 3)),
        arches=X86_64_ONLY,
    ),
)  # fmt: skip
"""In the order of the guides' chapters."""

DEVELOPMENT = (
    "development-tools", "compilers", "mpi", "performance-tools", "default-environment", "serial-libraries",
    "io-libraries", "python-libraries", "runtimes", "parallel-libraries",
)  # fmt: skip
SHORTHANDS = {"development": DEVELOPMENT}
"""Names that stand for several groups: the guides' whole chapter on development components, for Slurm."""
