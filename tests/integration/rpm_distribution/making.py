"""Makes the repositories: unpack, relocate, rpmbuild, sign, index; kept by a digest of all that goes in."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from crossbuild.host.command import capture
from crossbuild.host.locks import locked
from crossbuild.host.publish import publish
from crossbuild.model.architecture import Architecture
from tests.integration.rpm_distribution import signing
from tests.integration.rpm_distribution.bad import make_bad_repositories
from tests.integration.rpm_distribution.debs import Deb, fetch, rpm_version
from tests.integration.rpm_distribution.dependencies import (
    Dependencies,
    find_dependencies,
    without_unknown,
)
from tests.integration.rpm_distribution.layout import move_package
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.spec import (
    Content,
    Parts,
    read_attributes,
    render_install,
    render_spec,
    reproducible,
    rpmbuild_command,
)
from tests.integration.rpm_distribution.table import TABLE, Like, assign, read_rows

HERE = Path(__file__).parent
KERNEL = re.compile(r"linux-image-\d.*")


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """Debian's packages in the layout of the RPM distributions."""

    arch: Architecture
    root: Path
    debs: Mapping[str, Deb]
    paths: Mapping[str, tuple[str, ...]]
    """Of each package, relative to the root."""
    dependencies: Mapping[str, Dependencies]


def make_repositories(state: Path) -> tuple[MadeRepository, ...]:
    """Return a repository for each distribution and architecture, made below *state* unless it is there."""
    folder = state / "rpm" / digest_of_inputs()
    with locked(folder.parent, "the RPM repositories of the tests", print):
        if not folder.exists():
            shutil.rmtree(folder.parent, ignore_errors=True)
            scratch = folder.with_name("scratch")
            _make_all(scratch, state / "state/cache")
            publish(scratch / "repositories", folder)
            shutil.rmtree(scratch)
    key = folder / signing.KEY
    return tuple(
        MadeRepository(path=folder / like / arch, key=key, like=like, arch=arch)
        for like in Like
        for arch in Architecture
    )


def digest_of_inputs() -> str:
    """Return a digest of this folder: whatever changes in it makes new repositories."""
    files = sorted(path for path in HERE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    digests = [f"{path.relative_to(HERE)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]


def _make_all(scratch: Path, cache: Path) -> None:
    repositories = scratch / "repositories"
    with ThreadPoolExecutor() as both:
        unpacked = list(both.map(lambda arch: unpack(arch, cache, scratch / arch), Architecture))
        jobs = [(like, tree) for tree in unpacked for like in Like]
        list(both.map(lambda job: _build(job[0], job[1], scratch, repositories / job[0] / job[1].arch), jobs))
    places = [repositories / like / arch for like in Like for arch in Architecture]
    with (
        signing.new_key(repositories / signing.KEY) as signer,
        signing.new_key(repositories / signing.FOREIGN_KEY) as foreign,
        ThreadPoolExecutor() as both,
    ):
        list(both.map(signer.sign_repository, places))
        make_bad_repositories(scratch / "bad", repositories / "bad", signer, foreign)


def unpack(arch: Architecture, cache: Path, folder: Path) -> Unpacked:
    """Fetch what the table names for *arch*, with all that it needs, and relocate it."""
    names = [deb for row in read_rows(Like.EL, TABLE.read_text()) if row.name for deb in row.debs]
    debs = fetch(_of_architecture(names, arch), arch, cache, folder / "debs")
    root = folder / "root"
    root.mkdir()
    paths = {deb.name: tuple(move_package(folder / "debs" / deb.name, root, arch)) for deb in debs}
    shutil.rmtree(folder / "debs")
    dependencies = {name: find_dependencies(root, found) for name, found in paths.items()}
    return Unpacked(
        arch=arch,
        root=root,
        debs={deb.name: deb for deb in debs},
        paths=paths,
        dependencies=without_unknown(dependencies),
    )


def _of_architecture(names: Iterable[str], arch: Architecture) -> list[str]:
    other = {"aarch64": "x86-64", "x86_64": "aarch64"}[arch]
    return ["linux-image-cloud-*" if "*" in name else name for name in names if f"{other}-linux" not in name]


def _build(like: Like, tree: Unpacked, scratch: Path, target: Path) -> None:
    work = scratch / f"{like}-{tree.arch}"
    work.mkdir()
    spec = work / "distribution.spec"
    spec.write_text(render_spec(contents_of(like, tree), like, _parts(like, tree)))
    capture(rpmbuild_command(spec, work, target, tree.arch), env=reproducible())
    shutil.rmtree(work)


def _parts(like: Like, tree: Unpacked) -> Parts:
    folders = (HERE / "common", HERE / like)
    fragments = [path.read_text() for folder in folders for path in sorted(folder.glob("*.spec"))]
    kernel = next(deb for deb in tree.debs if KERNEL.fullmatch(deb))
    image = {Architecture.AARCH64: "Image", Architecture.X86_64: "vmlinuz"}[tree.arch]
    return Parts(
        macros=(HERE / like / "macros").read_text()
        + f"%global kver {kernel.removeprefix('linux-image-')}\n%global image {image}\n"
        + f"%global kernel_version {rpm_version(tree.debs[kernel].version)[0]}\n",
        # A scriptlet cannot come before its package.
        fragments=sorted(fragments, key=lambda text: "%package" not in text),
        attributes=read_attributes((HERE / "attributes.table").read_text()),
        install=render_install(
            [tree.root, *(folder / "tree" for folder in folders)],
            "".join((folder / "install.sh").read_text() for folder in folders),
        ),
    )


def contents_of(like: Like, tree: Unpacked) -> list[Content]:
    """Return what each package of the distribution has; folders that `filesystem` owns are nobody else's."""
    rows = assign(read_rows(like, TABLE.read_text()), tree.debs, like)
    found: dict[str, Content] = {}
    taken: set[str] = set()
    for row in rows:
        own = {path for deb in row.debs for path in tree.paths[deb] if path not in taken and row.takes(path)}
        folders = {path for path in own if _is_folder(tree.root / path)}
        taken |= own - folders
        if row.name:
            content = Content(
                row=row,
                debs=tuple(tree.debs[deb] for deb in row.debs),
                dependencies=tuple(tree.dependencies[deb] for deb in row.debs),
                files=frozenset(own - folders),
                folders=frozenset(folders - STANDARD),
            )
            found[row.name] = found[row.name].joined(content) if row.name in found else content
    return list(found.values())


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


STANDARD = frozenset(
    line.removeprefix("%dir /")
    for line in (HERE / "common/filesystem.spec").read_text().splitlines()
    if line.startswith("%dir /")
)
"""What `filesystem` owns, relative to the root."""
