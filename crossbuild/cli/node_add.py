"""`crossbuild node add`: the fingerprint is shown, confirmed, and kept with what the host is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import click

from crossbuild.cli import console
from crossbuild.cli.options import Session, json_option, pass_session
from crossbuild.model.architecture import Architecture
from crossbuild.model.node import BUILD_FOLDER

if TYPE_CHECKING:
    from crossbuild.nodes.host_keys import HostKey


@click.command()
@click.argument("address")
@click.option("--name", metavar="NAME", help="What it is called here; by default its host name.")
@click.option(
    "--slots",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="How many builds it runs at a time; by default one for each 4 processors and 4 GB.",
)
@click.option(
    "--arch",
    type=click.Choice([arch.value for arch in Architecture]),
    help="Refuse it unless it is of this architecture.",
)
@click.option(
    "--folder",
    default=str(BUILD_FOLDER),
    show_default=True,
    metavar="PATH",
    help="Where it has space for builds.",
)
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Such as xname=…; repeatable.")
@click.option(
    "--fingerprint", default="", metavar="SHA256:…", help="That of its host key, so nobody is asked."
)
@click.option("--yes", is_flag=True, help="Trust the host keys that it shows now, without asking.")
@json_option
@pass_session
def add(
    session: Session,
    *,
    address: str,
    name: str | None,
    slots: int | None,
    arch: str | None,
    folder: str,
    labels: tuple[str, ...],
    fingerprint: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Add the host at ADDRESS, [USER@]HOST[:PORT], as a node.

    Its host keys are shown and, once confirmed, kept: without one of them it is never spoken to again.
    """
    from crossbuild.config.site import load_site
    from crossbuild.model.node import Node
    from crossbuild.nodes.adding import introduce, name_of, now
    from crossbuild.nodes.probe import judge
    from crossbuild.nodes.store import NodeStore, render

    wanted = Node(
        name=name or name_of(address),
        address=address,
        arch=Architecture(arch) if arch else Architecture.AARCH64,
        slots=slots or 0,
        host_keys=(),
        added=now(),
        folder=_folder(folder),
        labels=_labels(labels),
    )
    node, facts = introduce(
        NodeStore(load_site(session.config).state),
        wanted,
        arch=Architecture(arch) if arch else None,
        fingerprint=fingerprint,
        confirm=lambda keys: _confirm(address, keys, yes=yes),
    )
    if as_json:
        console.print_json(render(node))
        return
    console.line(f"{node.name} was added: {node.arch}, {node.slots} slots.")
    if reason := judge(node, facts):
        console.note(console.warning("It cannot run builds yet: "), f"{reason}.")
        console.note(console.strong("Next: "), f"crossbuild node prepare {node.name}")


def _confirm(address: str, keys: Sequence[HostKey], *, yes: bool) -> bool:
    console.note(f"{address} shows these host keys:")
    for key in keys:
        console.note(f"  {key.fingerprint} ({key.kind})")
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("There is nobody to ask: give --fingerprint, or --yes to trust these keys.")
    return click.confirm("Are they the ones that its own console shows?", err=True)


def _folder(text: str) -> PurePosixPath:
    folder = PurePosixPath(text)
    # It becomes a field of fstab(5) where a disk is mounted there.
    plain = text.isprintable() and " " not in text and ".." not in folder.parts
    if not plain or not folder.is_absolute() or folder == PurePosixPath("/"):
        raise click.BadParameter("must be an absolute path below / without spaces", param_hint="--folder")
    return folder


def _labels(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    pairs = dict(text.split("=", 1) for text in texts if "=" in text)
    if len(pairs) != len(texts) or "" in pairs:
        raise click.BadParameter("must be KEY=VALUE, each key once", param_hint="--label")
    return tuple(sorted(pairs.items()))
