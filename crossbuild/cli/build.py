"""`crossbuild build`: specs become artifact sets, with progress while they do."""

from __future__ import annotations

import json
import shlex
import time
from collections import Counter
from pathlib import Path, PurePosixPath

import click

from crossbuild.cli import console
from crossbuild.cli.options import Session, json_option, on_option, pass_session, site_on
from crossbuild.cli.progress import progress_for
from crossbuild.config.site import load_site
from crossbuild.config.spec import load_spec
from crossbuild.errors import UsageError
from crossbuild.model.artifact import ArtifactSet
from crossbuild.model.events import Booted, BuildFinished, Event
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec
from crossbuild.wording import duration_text, size_text

COSTLY = 4
"""How many of the programs that take most time in qemu are named."""
SHORTEST = 0.05
"""Seconds below which a program would be named with 0.0 s."""


@click.command()
@click.argument(
    "specs",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="SPEC...",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    metavar="DIR",
    help="Put each artifact set below DIR, in a folder named like its spec.",
)
@click.option("--force", is_flag=True, help="Build also what has not changed.")
@click.option(
    "--emulator-only", is_flag=True, help="Run every program of the image in qemu: slower, same result."
)
@on_option
@click.option(
    "--depfile",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write rules for make into FILE: the files that each set's image.json depends on.",
)
@click.option(
    "--boot", "boots", is_flag=True, help="Then boot each set in all its ways; status 1 if one does not."
)
@json_option
@pass_session
@click.pass_context
def build(
    context: click.Context,
    session: Session,
    specs: tuple[Path, ...],
    output: Path,
    *,
    force: bool,
    emulator_only: bool,
    on: str,
    depfile: Path | None,
    boots: bool,
    as_json: bool,
) -> None:
    """Build images and the artifacts that provisioners want.

    A spec that has not changed since its artifacts were made, on package sources that have not changed, is
    recognised and done at once. With --json, stdout has one event on each line. With --depfile, image.json
    gets the time at which the spec was read.

    Several specs are built at a time where their roots are made elsewhere, and one after the other here.
    """
    from crossbuild.cli.depfile import date_record, write_depfile
    from crossbuild.cli.fleet import build_fleet, command_line
    from crossbuild.host.namespace import become_root

    read = time.time_ns()
    site = site_on(load_site(session.config), on)
    images = [load_spec(path, site) for path in specs]
    _refuse_same_names(images)
    if depfile:
        targets = {output / image.name: path for image, path in zip(images, specs, strict=True)}
        write_depfile(depfile, targets, site, session.config)
    elsewhere = [] if emulator_only or len(images) == 1 else [one for one in images if _leaves(one, site)]
    if elsewhere:
        options = [*(["--on", on] if on else []), *(["--force"] if force else [])]
        lines = [
            command_line(session.config, path, output, *options)
            for image, path in zip(images, specs, strict=True)
            if image in elsewhere
        ]
        build_fleet([image.name for image in elsewhere], lines, as_json=as_json)
    become_root(site)
    for image in images:
        if image not in elsewhere:
            _build_one(image, site, output, force=force, emulator_only=emulator_only, as_json=as_json)
    for image in images:
        if depfile:
            date_record(output / image.name, read)
    # Last of all: ordinary users do not come back from the network of a machine.
    if boots:
        verdicts = [_boots(output / image.name, site, as_json=as_json) for image in images]
        context.exit(0 if all(verdicts) else 1)


def _leaves(image: ImageSpec, site: Site) -> bool:
    """Tell whether the root of *image* is to be made elsewhere."""
    from crossbuild.model.plan import VenueKind
    from crossbuild.pipeline.venues import venue_of

    return venue_of(image, site).kind is not VenueKind.LOCAL


def _refuse_same_names(images: list[ImageSpec]) -> None:
    repeated = [name for name, count in Counter(image.name for image in images).items() if count > 1]
    if repeated:
        raise UsageError(
            "Two specs have the same name.",
            details="\n".join(f"name: {name}" for name in repeated),
            resolution="Give each spec a name of its own, or build them with different `--output` folders.",
        )


def _build_one(
    image: ImageSpec, site: Site, output: Path, *, force: bool, emulator_only: bool, as_json: bool
) -> None:
    from crossbuild.pipeline import building

    finished: list[BuildFinished] = []
    with progress_for(json=as_json) as sink:

        def on_event(event: Event) -> None:
            if isinstance(event, BuildFinished):
                finished.append(event)
            sink(event)

        made = building.build(
            image, site, output, on_event=on_event, force=force, emulator_only=emulator_only
        )
    if not as_json:
        _show(made, finished[-1] if finished else None)


def _boots(directory: Path, site: Site, *, as_json: bool) -> bool:
    """Boot the set in *directory* in all its ways; say whether all is well."""
    from crossbuild.cli.booting import boot_set, show_record
    from crossbuild.model.boot import BootWish, Verdict

    records = boot_set(directory, (), BootWish(), site)
    for record in records:
        if as_json:
            with progress_for(json=True) as sink:
                sink(Booted(record=record))
        else:
            show_record(record, directory)
    return all(record.verdict is Verdict.BOOTED for record in records)


def _shares(made: ArtifactSet) -> str:
    """Say how many of the image's programs ran natively, where they were counted."""
    build = made.record.get("build")
    if not isinstance(build, dict) or not build.get("programs_native"):
        return ""
    return f"; {build['programs_native']} programs ran natively, {build['programs_emulated']} in qemu"


def _costly(made: ArtifactSet) -> str:
    """Say which programs took most of the CPU time in qemu; empty where that was not measured."""
    timeline = made.directory / "timeline.json"
    programs = json.loads(timeline.read_bytes())["programs"] if timeline.is_file() else []
    seconds: Counter[str] = Counter()
    starts: Counter[str] = Counter()
    for program in programs:
        if not program["native"] and program["cpu_seconds"]:
            name = PurePosixPath(program["program"]).name
            seconds[name] += program["cpu_seconds"]
            starts[name] += program["starts"]
    return ", ".join(
        f"{name} {duration_text(spent)} in {starts[name]} {'start' if starts[name] == 1 else 'starts'}"
        for name, spent in seconds.most_common(COSTLY)
        if spent >= SHORTEST
    )


def _show(made: ArtifactSet, finished: BuildFinished | None) -> None:
    rows = [(str(artifact.path), size_text(artifact.digests.size)) for artifact in made.artifacts]
    place = console.near(made.directory)
    total = size_text(sum(artifact.digests.size for artifact in made.artifacts))
    console.table(("Artifact", "Size"), [*rows, ("in all", total)], right={1})
    if finished and finished.unchanged:
        console.line(f"{made.name} has not changed; its artifacts are in {place}")
    else:
        took = f", built in {duration_text(finished.seconds)}" if finished else ""
        console.line(f"{made.name} is in {place}{took}{_shares(made)}")
        if costly := _costly(made):
            console.line(f"Most CPU time in qemu: {costly}")
    console.line("Next: ", console.strong(f"crossbuild artifacts verify {shlex.quote(place)}"))
