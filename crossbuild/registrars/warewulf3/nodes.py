"""Nodes of Warewulf 3: which attributes become what, by which commands, and back again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crossbuild.errors import ProvisionerError
from crossbuild.model.architecture import Architecture
from crossbuild.model.receipt import ChangedValue
from crossbuild.registrars.actions import Command
from crossbuild.registrars.warewulf3.wwsh import UNSET

ARCH, BOOTSTRAP, VNFS, ARGUMENTS = "ARCH", "BOOTSTRAP", "VNFS", "KARGS"
"""As `node print` and `provision print` call them."""

_OPTIONS = {ARCH: "--arch", BOOTSTRAP: "--bootstrap", VNFS: "--vnfs", ARGUMENTS: "--kargs"}

Attributes = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class NodeWish:
    """What nodes are to be provisioned with."""

    arch: Architecture
    image: str
    """The name of bootstrap and VNFS."""
    arguments: str
    """The kernel's; empty to leave them as they are."""
    convert: bool
    """Whether nodes of another architecture may become nodes of *arch*."""


def changes_for(name: str, now: Attributes, wish: NodeWish) -> tuple[ChangedValue, ...]:
    """Return what must change on the node *name*; raise ProvisionerError if it is of another architecture."""
    if now.get(ARCH) not in ("", None, wish.arch) and not wish.convert:
        raise ProvisionerError(
            f"The node {name} is an {now[ARCH]} one, and does not get an image for {wish.arch}.",
            details="Warewulf gives nodes the architecture of this host where nobody says another.",
            resolution=f"If {name} is an {wish.arch} machine, add `--set-arch`.",
        )
    wanted = {ARCH: str(wish.arch), BOOTSTRAP: wish.image, VNFS: wish.image}
    if wish.arguments:
        wanted[ARGUMENTS] = wish.arguments
    return tuple(
        ChangedValue(kind="node", name=name, key=key, before=now.get(key, ""), after=value)
        for key, value in wanted.items()
        if now.get(key, "") != value
    )


def without_default(now: Attributes, default_arguments: str) -> Attributes:
    """Return *now* with no kernel arguments where they are the default: Warewulf prints that for none."""
    return {**now, ARGUMENTS: ""} if now.get(ARGUMENTS) == default_arguments else now


def commands(changes: Iterable[ChangedValue], *, back: bool = False) -> tuple[Command, ...]:
    """Return the commands that make *changes*, or set them *back*, nodes with equal ones in one.

    The architecture comes first: Warewulf compares it with that of the image.
    """
    settings: dict[str, dict[str, str]] = {}
    for change in changes:
        settings.setdefault(change.name, {})[change.key] = change.before if back else change.after
    reason = "It had this before." if back else "Warewulf takes an image only for a node of its architecture."
    provision = "It had this before." if back else "The node boots the image from its next start on."
    return (
        *_grouped("node", settings, (ARCH,), reason),
        *_grouped("provision", settings, (BOOTSTRAP, VNFS, ARGUMENTS), provision),
    )


def refresh(names: Sequence[str]) -> tuple[Command, ...]:
    """Return the commands that write what the nodes *names* read when they start."""
    return (
        Command(
            argv=("wwsh", "pxe", "update", *names),
            reason="Changed images alone do not change what iPXE reads.",
        ),
        Command(argv=("wwsh", "dhcp", "update"), reason="The DHCP server offers the iPXE for arm64."),
    )


def _grouped(
    module: str, settings: Mapping[str, Mapping[str, str]], keys: Sequence[str], reason: str
) -> Iterator[Command]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, values in settings.items():
        options = tuple(f"{_OPTIONS[key]}={values[key] or UNSET}" for key in keys if key in values)
        if options:
            groups.setdefault(options, []).append(name)
    for options, names in groups.items():
        yield Command(argv=("wwsh", module, "set", *names, *options), reason=reason)
