"""What a spec gets of OpenHPC: exactly the packages of the guide for that release, or a word why not."""

from dataclasses import replace

import pytest

from crossbuild.distros.catalog import RELEASES, lookup
from crossbuild.distros.openhpc.choice import choose, releases_for
from crossbuild.distros.openhpc.groups import DEVELOPMENT, GROUPS, SHORTHANDS
from crossbuild.distros.openhpc.releases import OPENHPC_RELEASES
from crossbuild.distros.release import Release
from crossbuild.errors import SpecError
from crossbuild.model.architecture import Architecture

ARM = Architecture.AARCH64
ROCKY_9 = lookup("rocky", "9")
NOT_FOR_ARM = ("mvapich2", "geopm", "likwid", "intel", "impi", "psm2", "x86")
PAIRS = [
    pytest.param(release.name, distro, id=f"{release.name}-{distro.distro}-{distro.release}")
    for release in OPENHPC_RELEASES
    for distro in RELEASES
    if release.tree(distro)
]


def packages(release: str, distro: str, version: str, *groups: str) -> tuple[str, ...]:
    return choose(release, lookup(distro, version), groups, ARM).packages


@pytest.mark.parametrize(
    ("release", "distro", "version", "time", "manager", "client"),
    [
        ("1.3.9", "centos", "7", "ntp", "slurm-client", "ohpc-slurm-client"),
        ("1.3.9", "centos", "7", "ntp", "openpbs-execution", "pbspro-execution-ohpc"),
        ("2.8", "rocky", "8", "chrony", "openpbs-execution", "openpbs-execution-ohpc"),
        ("3.1", "openeuler", "22.03", "chrony", "slurm-client", "ohpc-slurm-client"),
        ("3.1", "opensuse-leap", "15.5", "chrony", "slurm-client", "ohpc-slurm-client"),
        ("4.0", "almalinux", "10", "chrony", "slurm-client", "ohpc-slurm-client"),
    ],
)
def test_a_compute_node_gets_what_the_guide_installs(
    release: str, distro: str, version: str, time: str, manager: str, client: str
) -> None:
    expected = ("ohpc-release", "ohpc-base-compute", time, "lmod-ohpc", client)
    assert packages(release, distro, version, "compute", manager) == expected


@pytest.mark.parametrize(
    ("release", "distro", "version", "compilers", "stacks", "environment"),
    [
        (
            "1.3.9",
            "centos",
            "7",
            ("gnu8-compilers-ohpc", "llvm5-compilers-ohpc"),
            ("openmpi3-gnu8-ohpc", "mpich-gnu8-ohpc"),
            "lmod-defaults-gnu8-openmpi3-ohpc",
        ),
        (
            "2.5",
            "rocky",
            "8",
            ("gnu9-compilers-ohpc",),
            ("openmpi4-gnu9-ohpc", "mpich-ofi-gnu9-ohpc"),
            "lmod-defaults-gnu9-openmpi4-ohpc",
        ),
        (
            "2.8",
            "rhel",
            "8",
            ("gnu12-compilers-ohpc",),
            ("openmpi4-pmix-gnu12-ohpc", "mpich-ofi-gnu12-ohpc"),
            "lmod-defaults-gnu12-openmpi4-ohpc",
        ),
        (
            "3.1",
            "rocky",
            "9",
            ("gnu13-compilers-ohpc",),
            ("openmpi5-pmix-gnu13-ohpc", "mpich-ofi-gnu13-ohpc"),
            "lmod-defaults-gnu13-openmpi5-ohpc",
        ),
        (
            "4.0",
            "openeuler",
            "24.03",
            ("gnu15-compilers-ohpc",),
            ("openmpi5-pmix-gnu15-ohpc", "mpich-ofi-gnu15-ohpc"),
            "lmod-defaults-gnu15-openmpi5-ohpc",
        ),
    ],
)
def test_compilers_and_mpi_have_the_names_of_the_release(
    release: str,
    distro: str,
    version: str,
    compilers: tuple[str, ...],
    stacks: tuple[str, ...],
    environment: str,
) -> None:
    found = packages(release, distro, version, "compilers", "mpi", "default-environment")
    assert found == (*compilers, *stacks, environment)


def test_the_whole_development_stack_is_the_guides_chapter() -> None:
    assert packages("3.1", "rocky", "9", "development") == (
        "ohpc-autotools",
        "EasyBuild-ohpc",
        "hwloc-ohpc",
        "spack-ohpc",
        "valgrind-ohpc",
        "gnu13-compilers-ohpc",
        "openmpi5-pmix-gnu13-ohpc",
        "mpich-ofi-gnu13-ohpc",
        "ohpc-gnu13-perf-tools",
        "lmod-defaults-gnu13-openmpi5-ohpc",
        "ohpc-gnu13-serial-libs",
        "ohpc-gnu13-io-libs",
        "ohpc-gnu13-python-libs",
        "ohpc-gnu13-runtimes",
        "ohpc-gnu13-mpich-parallel-libs",
        "ohpc-gnu13-openmpi5-parallel-libs",
    )


def test_open_mpi_for_openpbs_is_built_without_pmix() -> None:
    found = packages("3.1", "rocky", "9", "mpi-openpbs")
    assert found == ("openmpi5-gnu13-ohpc", "mpich-ofi-gnu13-ohpc")


@pytest.mark.parametrize(("release", "distro"), PAIRS)
def test_aarch64_gets_nothing_that_only_x86_64_has(release: str, distro: Release) -> None:
    groups = [group.name for group in GROUPS if ARM in group.arches and group.name != "warewulf4-dracut"]
    found = choose(release, distro, groups, ARM).packages
    assert [name for name in found if any(word in name for word in NOT_FOR_ARM)] == []
    assert len(found) > len(DEVELOPMENT)


def test_groups_are_taken_once_and_in_the_order_of_the_guides() -> None:
    chosen = choose("3.1", ROCKY_9, ["mpi", "development", "compute"], ARM)
    assert [group.group for group in chosen.groups] == ["compute", *DEVELOPMENT]
    assert len(set(chosen.packages)) == len(chosen.packages)


def test_the_name_of_a_series_is_its_newest_release() -> None:
    assert choose("3", ROCKY_9, ["compute"], ARM).release == "3.5"


def test_openhpc_brings_its_repositories_and_switches_on_those_it_needs() -> None:
    chosen = choose("2.8", lookup("almalinux", "8"), ["compute"], ARM)
    assert chosen.extra == ("powertools", "epel")
    assert [(repository.id, repository.uris) for repository in chosen.repositories] == [
        ("openhpc", ("https://repos.openhpc.community/OpenHPC/2/EL_8/",)),
        ("openhpc-updates", ("https://repos.openhpc.community/OpenHPC/2/updates/EL_8/",)),
    ]


@pytest.mark.parametrize(("release", "distro"), PAIRS)
def test_every_repository_that_is_switched_on_exists(release: str, distro: Release) -> None:
    chosen = choose(release, distro, ["compute"], ARM)
    known = {repository.id for repository in distro.rpm.repositories}
    assert set(chosen.extra) <= known


@pytest.mark.parametrize(
    ("release", "distro", "groups", "expected"),
    [
        pytest.param(
            "3.1", ("rocky", "8"), ["compute"], "OpenHPC 3.1 does not fit Rocky Linux 8", id="older"
        ),
        pytest.param("2.8", ("rocky", "9"), ["compute"], "is made for rocky 8", id="newer"),
        pytest.param("4.0", ("opensuse-leap", "15.6"), ["compute"], "does not fit openSUSE", id="no leap"),
        pytest.param("3.1", ("debian", "12"), ["compute"], "does not fit Debian 12", id="family"),
        pytest.param("5.0", ("rocky", "9"), ["compute"], "does not know OpenHPC 5.0", id="unknown"),
        pytest.param("3.1", ("rocky", "9"), ["compte"], "openhpc.groups[0]: known are compute", id="group"),
        pytest.param("3.1", ("rocky", "9"), ["geopm"], "`geopm` does not exist for aarch64", id="x86 only"),
        pytest.param(
            "3.1",
            ("rocky", "9"),
            ["warewulf4-dracut"],
            "`warewulf4-dracut` does not exist for OpenHPC 3.1",
            id="later only",
        ),
    ],
)
def test_what_does_not_exist_is_refused_in_words(
    release: str, distro: tuple[str, str], groups: list[str], expected: str
) -> None:
    with pytest.raises(SpecError) as caught:
        choose(release, lookup(*distro), groups, ARM)
    assert expected in f"{caught.value.brief} {caught.value.details}"
    assert caught.value.resolution


def test_a_release_that_does_not_fit_names_those_that_do() -> None:
    with pytest.raises(SpecError) as caught:
        choose("3.1", lookup("rocky", "8"), ["compute"], ARM)
    assert '"2.4", "2.5", "2.6", "2.7", "2.8"' in caught.value.resolution


@pytest.mark.parametrize(("version", "fits"), [("9", True), ("9.4", True), ("90", False), ("10", False)])
def test_minor_releases_of_a_distribution_fit_as_their_major_one_does(version: str, *, fits: bool) -> None:
    minor = replace(ROCKY_9, release=version)
    assert ("3.1" in releases_for(minor)) is fits


def test_x86_64_has_groups_of_its_own() -> None:
    chosen = choose("3.1", ROCKY_9, ["mvapich2", "geopm"], Architecture.X86_64)
    assert chosen.packages == (
        "mvapich2-gnu13-ohpc",
        "ohpc-gnu13-mvapich2-parallel-libs",
        "ohpc-gnu13-geopm",
    )


def test_every_rpm_release_that_a_guide_is_for_has_an_openhpc() -> None:
    without = [entry.title for entry in RELEASES if not releases_for(entry)]
    in_no_guide = [entry.title for entry in RELEASES if entry.distro in {"debian", "ubuntu"}]
    assert without == [*in_no_guide, "openSUSE Leap 15.6"]


def test_shorthands_stand_for_groups_that_exist() -> None:
    names = {group.name for group in GROUPS}
    assert all(set(meant) <= names for meant in SHORTHANDS.values())
    assert not names & set(SHORTHANDS)
