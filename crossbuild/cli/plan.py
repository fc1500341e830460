"""`crossbuild plan`: what build would do, where, in which order, each step with its reason."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

import click

from crossbuild.cli import console
from crossbuild.cli.options import Session, json_option, on_option, pass_session, site_on
from crossbuild.config.site import load_site
from crossbuild.config.spec import load_spec
from crossbuild.model.events import Event, Notice
from crossbuild.model.plan import (
    BASE,
    ROOT,
    WORK,
    AccountsStep,
    CommandStep,
    ImportStep,
    Layer,
    LinkStep,
    Place,
    Plan,
    RemoveStep,
    Step,
    WriteStep,
)

DIGEST_DIGITS = 12
STEP_COLUMNS = 68
"""What 80 columns leave beside the place; `--json` has every step whole."""

STEP_NAMES = {
    CommandStep: "command",
    WriteStep: "write",
    LinkStep: "link",
    RemoveStep: "remove",
    AccountsStep: "accounts",
    ImportStep: "import",
}


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="SPEC")
@on_option
@json_option
@pass_session
def plan(session: Session, spec: Path, *, on: str, as_json: bool) -> None:
    """Show what build would do, where and why, without doing it."""
    from crossbuild.host.namespace import become_root
    from crossbuild.pipeline import building

    site = site_on(load_site(session.config), on)
    image = load_spec(spec, site)
    if building.plan_needs_root(image):
        become_root(site)
    planned = building.plan(image, site, on_event=_tell)
    if as_json:
        console.print_json(document(planned))
    else:
        _show(planned)


def _tell(event: Event) -> None:
    if isinstance(event, Notice):
        console.note(f"Note: {event.message}")


def document(planned: Plan) -> dict[str, object]:
    """Return *planned* as `plan --json` prints it; `@ROOT@` and `@WORK@` stand for folders of the build."""
    spec, resolution = planned.spec, planned.resolution
    return {
        "name": spec.name,
        "digest": planned.digest,
        "distro": spec.distro,
        "release": spec.release,
        "arch": spec.arch,
        "base": spec.base,
        "venue": planned.venue,
        "executor": planned.executor,
        "tools": planned.tools,
        "source_date_epoch": resolution.epoch,
        "packages": {"base": resolution.base, "added": resolution.added},
        "layers": [_layer_document(layer) for layer in planned.layers],
        "outputs": spec.outputs,
        "squashfs_compression": planned.squashfs_compression,
    }


def describe(step: Step) -> tuple[Place, str]:
    """Return where *step* runs and what it does, in words or as a command for a shell."""
    place = Place.OUTSIDE
    match step:
        case CommandStep():
            place, words = step.place, shlex.join(step.argv)
        case WriteStep():
            words = f"write {step.path} ({len(step.content)} bytes, mode {step.mode:04o})"
        case LinkStep():
            words = f"link {step.path} to {step.target}"
        case RemoveStep():
            words = f"remove {step.path}"
        case AccountsStep():
            words = f"make the accounts {', '.join(account.name for account in step.accounts)}"
        case ImportStep():
            words = f"unpack {step.source}"
        case _:
            assert_never(step)
    return place, words.replace(ROOT, "ROOT").replace(WORK, "WORK").replace(BASE, "BASE")


def _layer_document(layer: Layer) -> dict[str, object]:
    return {
        "key": layer.key,
        "title": layer.title,
        "digest": layer.digest,
        "packages": layer.packages,
        "kept": layer.kept,
        "steps": [{"step": STEP_NAMES[type(step)], **vars(step)} for step in layer.steps],
    }


def _show(planned: Plan) -> None:
    spec, resolution = planned.spec, planned.resolution
    console.line(console.strong(spec.name), f"  {spec.distro} {spec.release} for {spec.arch}")
    published = datetime.fromtimestamp(resolution.epoch, UTC).isoformat(sep=" ", timespec="minutes")
    facts = (
        ("Venue", f"{planned.venue.name}: {planned.venue.reason}"),
        ("Executor", f"{planned.executor.kind}: {planned.executor.reason}"),
        *((("Base", spec.base.path),) if spec.base else ()),
        *((("Tools", planned.tools),) if planned.tools else ()),
        ("Packages", f"{len(resolution.base)} of the base system, {len(resolution.added)} added"),
        ("File times", f"no later than {published}"),
        ("Artifacts", ", ".join(spec.outputs) or "none"),
    )
    for label, value in facts:
        console.line(console.strong(f"{label:12}"), value)
    for number, layer in enumerate(planned.layers, start=1):
        _show_layer(number, layer)


def _show_layer(number: int, layer: Layer) -> None:
    kept = f", kept for later builds as {layer.digest[:DIGEST_DIGITS]}" if layer.kept else ""
    packages = f", {_count(layer.packages, 'package')}" if layer.packages else ""
    steps = _count(len(layer.steps), "step")
    console.line()
    console.line(console.strong(f"{number}. {layer.title}"), f"  {steps}{packages}{kept}")
    for step in layer.steps:
        place, words = describe(step)
        shown = words if len(words) <= STEP_COLUMNS else f"{words[: STEP_COLUMNS - 3]}..."
        console.line(f"  {place:8} ", shown)
        console.line(" " * 11, console.faint(step.reason))


def _count(number: int, thing: str) -> str:
    return f"1 {thing}" if number == 1 else f"{number} {thing}s"
