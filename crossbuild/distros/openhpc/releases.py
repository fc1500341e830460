"""The releases of OpenHPC and what they are made for, as data; a new release is a new entry."""

from __future__ import annotations

from dataclasses import dataclass

from crossbuild.distros.release import KnownRepository, Release

ENTERPRISE_LINUX = ("rocky", "almalinux", "rhel")
"""Each of them follows the guide that is written for the first one."""
EPOL = ("epol", "epol-update")


@dataclass(frozen=True, kw_only=True)
class Tree:
    """The folder that a series has for one distribution, in all of the releases that it fits."""

    folder: str
    distros: tuple[str, ...]
    version: str
    """A release of the distribution; its minor releases fit, too."""
    extra: tuple[str, ...] = ()
    """Repositories of the distribution, by id, that are off by default and that OpenHPC depends on."""

    def fits(self, distro: Release) -> bool:
        """Tell whether packages of this folder are made for *distro*."""
        minor = distro.release.removeprefix(self.version)
        return distro.distro in self.distros and (not minor or minor[0] == ".")


@dataclass(frozen=True, kw_only=True)
class Series:
    """Releases of OpenHPC that share repositories, to which each release adds its packages."""

    name: str
    top: str
    key: str
    fingerprints: tuple[str, ...]
    """Of its key. Empty where it is not known: then the site must name the key that it trusts."""
    trees: tuple[Tree, ...]

    def repositories(self, tree: Tree) -> tuple[KnownRepository, ...]:
        """Return what its package ohpc-release sets up, less the sources."""
        folders = {"openhpc": tree.folder, "openhpc-updates": f"updates/{tree.folder}"}
        return tuple(
            KnownRepository(
                id=id_,
                uris=(f"{self.top}/{folder}/",),
                key=self.key,
                fingerprints=self.fingerprints,
                signs_metadata=False,
                enabled=True,
            )
            for id_, folder in folders.items()
        )


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """The compiler and MPI stacks that the guides of a release name, as parts of package names."""

    compiler: str
    openmpi: str
    slurm_mpi: str
    """Open MPI for Slurm, which from some release on is built with PMIx."""
    mpich: str


@dataclass(frozen=True, kw_only=True)
class OpenHpcRelease:
    """One release of OpenHPC."""

    name: str
    series: Series
    toolchain: Toolchain

    @property
    def number(self) -> tuple[int, ...]:
        """Its name, for comparing."""
        return tuple(int(part) for part in self.name.split("."))

    def tree(self, distro: Release) -> Tree | None:
        """Return its folder for *distro*, None where there is none."""
        return next((tree for tree in self.series.trees if tree.fits(distro)), None)


SERIES_1 = Series(
    name="1.3",
    top="http://build.openhpc.community/OpenHPC:/1.3",
    key="http://build.openhpc.community/OpenHPC:/1.3/CentOS_7/repodata/repomd.xml.key",
    fingerprints=(),
    trees=(Tree(folder="CentOS_7", distros=("centos",), version="7", extra=("epel",)),),
)
SERIES_2 = Series(
    name="2",
    top="https://repos.openhpc.community/OpenHPC/2",
    key="https://repos.openhpc.community/OpenHPC/2/EL_8/repodata/repomd.xml.key",
    fingerprints=(),
    trees=(
        Tree(folder="EL_8", distros=ENTERPRISE_LINUX, version="8", extra=("powertools", "epel")),
        Tree(folder="Leap_15", distros=("opensuse-leap",), version="15.3"),
    ),
)
# Keys of series 3 and 4 lie in OpenHPC's own repository of sources; the fingerprints are of these files.
SOURCES = "https://raw.githubusercontent.com/openhpc/ohpc"
KEY_FILE = "components/admin/ohpc-release/SOURCES/RPM-GPG-KEY-OpenHPC"
SERIES_3 = Series(
    name="3",
    top="https://repos.openhpc.community/OpenHPC/3",
    key=f"{SOURCES}/3.x/{KEY_FILE}-3",
    fingerprints=("6E19BE11D9A082C00A7DB41A7AC05F0940A90CC8",),
    trees=(
        Tree(folder="EL_9", distros=ENTERPRISE_LINUX, version="9", extra=("crb", "epel")),
        Tree(folder="Leap_15", distros=("opensuse-leap",), version="15.5"),
        Tree(folder="openEuler_22.03", distros=("openeuler",), version="22.03", extra=EPOL),
    ),
)
SERIES_4 = Series(
    name="4",
    top="https://repos.openhpc.community/OpenHPC/4",
    key=f"{SOURCES}/4.x/{KEY_FILE}-4",
    fingerprints=("5E333CA3A1BDBBC9DF149D7409ADFAE4D722A692",),
    trees=(
        Tree(folder="EL_10", distros=ENTERPRISE_LINUX, version="10", extra=("crb", "epel")),
        Tree(folder="openEuler_24.03", distros=("openeuler",), version="24.03", extra=EPOL),
    ),
)

GNU8 = Toolchain(compiler="gnu8", openmpi="openmpi3", slurm_mpi="openmpi3", mpich="mpich")
GNU9 = Toolchain(compiler="gnu9", openmpi="openmpi4", slurm_mpi="openmpi4", mpich="mpich-ofi")
GNU12 = Toolchain(compiler="gnu12", openmpi="openmpi4", slurm_mpi="openmpi4", mpich="mpich-ofi")
GNU12_PMIX = Toolchain(compiler="gnu12", openmpi="openmpi4", slurm_mpi="openmpi4-pmix", mpich="mpich-ofi")
GNU13 = Toolchain(compiler="gnu13", openmpi="openmpi5", slurm_mpi="openmpi5-pmix", mpich="mpich-ofi")
GNU14 = Toolchain(compiler="gnu14", openmpi="openmpi5", slurm_mpi="openmpi5-pmix", mpich="mpich-ofi")
GNU15 = Toolchain(compiler="gnu15", openmpi="openmpi5", slurm_mpi="openmpi5-pmix", mpich="mpich-ofi")

OPENHPC_RELEASES = tuple(
    OpenHpcRelease(name=name, series=series, toolchain=toolchain)
    for name, series, toolchain in (
        ("1.3.9", SERIES_1, GNU8),
        ("2.4", SERIES_2, GNU9),
        ("2.5", SERIES_2, GNU9),
        ("2.6", SERIES_2, GNU12),
        ("2.7", SERIES_2, GNU12),
        ("2.8", SERIES_2, GNU12_PMIX),
        ("3.0", SERIES_3, GNU12_PMIX),
        ("3.1", SERIES_3, GNU13),
        ("3.2", SERIES_3, GNU14),
        ("3.3", SERIES_3, GNU14),
        ("3.4", SERIES_3, GNU15),
        ("3.5", SERIES_3, GNU15),
        ("4.0", SERIES_4, GNU15),
        ("4.1", SERIES_4, GNU15),
    )
)
"""The oldest first. Before 2.4, guides of series 2 were for CentOS 8 and Leap 15.2, which have no mirrors."""
