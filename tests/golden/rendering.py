"""Plans and repository files of every example of OpenHPC as text, to be reviewed like code.

`python -m tests.golden.rendering` writes them anew; tests/unit/test_golden.py says where they differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from crossbuild.cli.plan import describe
from crossbuild.config.document import read_document
from crossbuild.config.site import load_site
from crossbuild.config.spec import spec_from
from crossbuild.distros.catalog import lookup
from crossbuild.distros.release import Family, Release
from crossbuild.distros.rpm import steps
from crossbuild.distros.rpm.repositories import dnf_main, repo_file, usable, zypp_main
from crossbuild.model.host import Handler, HostFacts, OperatingSystem, OsFamily, elf_header
from crossbuild.model.plan import WORK, PinnedPackage, Plan, Resolution, Step, Venue, VenueKind, WriteStep
from crossbuild.model.site import Site
from crossbuild.model.spec import Account, ImageSpec, RpmRepository
from crossbuild.planning.planner import plan_build
from tests.documents import CHECKOUT

FOLDER = Path(__file__).parent
EXAMPLES = tuple(sorted((CHECKOUT / "examples/openhpc").glob("*.yaml")))
ACCOUNTS = {
    name: Account(
        name=name, uid=id_, gid=id_, group=name, gecos="", home="/nonexistent", shell="/usr/sbin/nologin"
    )
    for name, id_ in (("munge", 970), ("slurm", 971))
}
"""In place of those of the host that runs the tests."""


def site() -> Site:
    """Return the configuration that all golden plans share."""
    return load_site(FOLDER / "site.yaml")


def example_spec(path: Path) -> ImageSpec:
    """Return the spec in *path*, with ACCOUNTS for what it asks of the host."""
    document = read_document(path)
    users = document.pop("users", {"sync": []})
    assert isinstance(users, dict)
    return replace(
        spec_from(document, path, site()), accounts=tuple(ACCOUNTS[name] for name in users["sync"])
    )


def example_plan(spec: ImageSpec, release: Release) -> Plan:
    """Return the plan for packages that have no dependencies, on a host that emulates."""
    host = HostFacts(
        machine="x86_64",
        kernel="6.1.0",
        system=OperatingSystem(id="debian", version="12", family=OsFamily.DEBIAN),
        systemd=True,
        root=True,
        binfmt_mounted=True,
        handlers=(
            Handler(
                name="crossbuild-aarch64",
                interpreter="/usr/bin/qemu-aarch64-static",
                flags="POF",
                offset=0,
                magic=elf_header(spec.arch),
                mask=b"\xff" * 20,
            ),
        ),
        tools=(),
        engines=(),
        places=(),
    )
    resolution = Resolution(
        base=tuple(PinnedPackage(name=name, version="1") for name in release.rpm.base),
        added=tuple(PinnedPackage(name=name, version="1") for name in steps.wanted(spec, release)),
        sources="0" * 64,
        epoch=1_700_000_000,
    )
    return plan_build(spec, release, resolution, host, Venue(kind=VenueKind.LOCAL, reason=""))


def render(path: Path) -> str:
    """Return what the example in *path* makes of repositories and steps."""
    spec = example_spec(path)
    release = lookup(spec.distro, spec.release)
    plan = example_plan(spec, release)
    parts = [f"# {path.relative_to(CHECKOUT)}: {release.title} for {spec.arch}", *_settings(spec, release)]
    for layer in plan.layers:
        parts.append(f"## {layer.title}")
        parts += [_step(step) for step in layer.steps]
    return "\n\n".join(parts) + "\n"


def _settings(spec: ImageSpec, release: Release) -> Iterator[str]:
    main = dnf_main(release.rpm.platform) if release.family is Family.DNF else zypp_main(spec.arch)
    yield f"## Settings of {release.family}\n\n{main.rstrip()}"
    named = (repository for repository in spec.repositories if isinstance(repository, RpmRepository))
    for repository in usable(named, release.rpm.releasever, spec.arch):
        section = repo_file(repository, f"{WORK}/rpm/keys/{repository.id}.asc".replace("@", ""))
        trusted = " ".join(repository.fingerprints) or "every key in the file"
        yield f"{section}# keys from {repository.signed_by}\n# trusted: {trusted}"


def _step(step: Step) -> str:
    place, words = describe(step)
    lines = [f"{place}: {words}", f"    because: {step.reason}"]
    if isinstance(step, WriteStep):
        lines += [f"    | {line}".rstrip() for line in step.content.decode().splitlines()]
    return "\n".join(lines)


def golden(path: Path) -> Path:
    """Return the file that holds what `render` gave for the example when it was last reviewed."""
    return FOLDER / f"{path.stem}.txt"


if __name__ == "__main__":
    for example in EXAMPLES:
        golden(example).write_text(render(example), encoding="utf-8")
