"""The reference of distributions and of OpenHPC says what their data says."""

from __future__ import annotations

from crossbuild.distros.catalog import RELEASES
from crossbuild.distros.definitions.enterprise_linux import EPEL_FINGERPRINTS
from crossbuild.distros.openhpc.groups import GROUPS
from crossbuild.distros.openhpc.releases import OPENHPC_RELEASES, OpenHpcRelease
from crossbuild.distros.release import Family
from crossbuild.model.architecture import Architecture
from tests.documents import CHECKOUT, column


def test_every_rpm_release_is_documented_with_its_sources_and_keys() -> None:
    documented = [column("docs/reference/package-sources.md", "# Package sources", row) for row in range(5)]
    known = []
    for entry in (entry for entry in RELEASES if entry.family is not Family.APT):
        own = [repository for repository in entry.rpm.repositories if repository.id != "epel"]
        cells = (
            (repository.id for repository in entry.rpm.repositories if repository.enabled),
            (repository.id for repository in entry.rpm.repositories if not repository.enabled),
            (fingerprint for repository in own for fingerprint in repository.fingerprints),
        )
        known.append((entry.distro, entry.release, *(" ".join(dict.fromkeys(cell)) for cell in cells)))
    assert list(zip(*documented, strict=True)) == known


def test_the_keys_of_openhpc_and_epel_are_documented() -> None:
    text = (CHECKOUT / "docs/how-to/openhpc/keys.md").read_text()
    for entry in OPENHPC_RELEASES:
        shown = " ".join(f"`{fingerprint}`" for fingerprint in entry.series.fingerprints) or "not known"
        assert f"| `{entry.series.name}` | {shown} |" in text
    sources = (CHECKOUT / "docs/reference/package-sources.md").read_text()
    assert all(f"`{fingerprint}` for {major}" in sources for major, fingerprint in EPEL_FINGERPRINTS.items())


def fitting(release: OpenHpcRelease) -> str:
    return ", ".join(f"`{tree.distros[0]} {tree.version}`" for tree in release.series.trees)


def test_every_release_of_openhpc_is_documented() -> None:
    text = (CHECKOUT / "docs/reference/openhpc.md").read_text()
    known = [
        f"| `{entry.name}` | {fitting(entry)} | `{entry.toolchain.compiler}`"
        f" | `{entry.toolchain.slurm_mpi}` | {'yes' if entry.series.fingerprints else 'no'} |"
        for entry in OPENHPC_RELEASES
    ]
    rows = text.split("## Releases", 1)[1].split("## Groups", 1)[0].splitlines()
    assert [row for row in rows if row.startswith("| `")] == known


def test_every_group_of_openhpc_is_documented_with_its_packages() -> None:
    names, packages, purposes = (
        column("docs/reference/openhpc.md", "## Groups", number) for number in range(3)
    )
    release = next(entry for entry in OPENHPC_RELEASES if entry.name == "3.1")
    listed = [
        " ".join(group.packages(release)) if Architecture.AARCH64 in group.arches else "" for group in GROUPS
    ]
    assert list(zip(names, purposes, strict=True)) == [(group.name, group.purpose) for group in GROUPS]
    assert [text if not text.startswith("none:") else "" for text in packages] == listed


def test_every_series_of_openhpc_is_documented() -> None:
    names, addresses, trees = (
        column("docs/reference/openhpc.md", "## Repositories", number) for number in range(3)
    )
    series = dict.fromkeys(entry.series.name for entry in OPENHPC_RELEASES)
    known = {entry.series.name: entry.series for entry in OPENHPC_RELEASES}
    assert names == list(series)
    assert addresses == [known[name].top for name in series]
    assert [tree.replace("`", "").split(", ") for tree in trees] == [
        list(dict.fromkeys(tree.folder for tree in known[name].trees)) for name in series
    ]
