"""Taking back what was registered in Warewulf 4: nodes first, then what no node boots any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crossbuild.model.receipt import ChangedValue, Receipt, RegisteredObject
from crossbuild.model.registration import Action, Left, UndoPlan
from crossbuild.registrars.actions import Command, Remove, require_word
from crossbuild.registrars.standing import Standing, left_as_foreign, standing
from crossbuild.registrars.warewulf4 import nodes, reading
from crossbuild.registrars.warewulf4.nodes import IMAGE, OVERLAYS, SECTIONS
from crossbuild.registrars.warewulf4.server import CHROOTS, Server
from crossbuild.registrars.warewulf4.wwctl import NAME, NODE, Wwctl


def plan_undo(receipt: Receipt, wwctl: Wwctl, server: Server) -> UndoPlan:
    """Return how to take back what is still there of *receipt*."""
    for change in receipt.changes:
        require_word(change.name, NODE, f"a name of a {change.kind}")
    document = server.read_nodes()
    back, left = _changes_back(receipt, document, wwctl, server)
    actions: list[Action] = list(nodes.commands(back, server, back=True))
    if names := nodes_of(back):
        actions.append(build_overlays(names))
    for one in reversed(receipt.objects):
        require_word(one.name, NAME, "a name")
        if not one.made:
            continue
        if reason := _reason_to_stay(one, document, back, wwctl, server):
            left.append(Left(what=f"The {one.kind} {one.name}", reason=reason))
        else:
            actions += _removals(one, wwctl, server)
    return UndoPlan(receipt=receipt, actions=tuple(actions), left=tuple(left))


def nodes_of(changes: list[ChangedValue] | tuple[ChangedValue, ...]) -> tuple[str, ...]:
    """Return the nodes, without profiles, that *changes* are about."""
    return tuple(dict.fromkeys(change.name for change in changes if change.kind == "node"))


def build_overlays(names: tuple[str, ...]) -> Command:
    """Return the command that builds the overlays of the nodes *names*."""
    return Command(
        argv=("wwctl", "overlay", "build", *names), reason="Nodes fetch overlays as they were built."
    )


def _changes_back(
    receipt: Receipt, document: Mapping[str, Any], wwctl: Wwctl, server: Server
) -> tuple[list[ChangedValue], list[Left]]:
    back: list[ChangedValue] = []
    left: list[Left] = []
    images = wwctl.names(server.word) if receipt.changes else frozenset()
    for change in receipt.changes:
        what = f"{change.key} of {change.kind} {change.name}"
        now = nodes.own_values(change.kind, change.name, document, server)
        if now is None:
            left.append(Left(what=what, reason=f"The {change.kind} is gone."))
            continue
        match standing(change, now[change.key]):
            case Standing.BEFORE:
                continue
            case Standing.FOREIGN:
                left.append(left_as_foreign(change, now[change.key]))
            case Standing.CHANGED if change.key == IMAGE and change.before and change.before not in images:
                left.append(
                    Left(what=what, reason=f"The image that it was before, {change.before}, is gone.")
                )
            case Standing.CHANGED:
                back.append(change)
    return back, left


def _reason_to_stay(
    one: RegisteredObject,
    document: Mapping[str, Any],
    back: list[ChangedValue],
    wwctl: Wwctl,
    server: Server,
) -> str:
    key = IMAGE if one.kind == "image" else OVERLAYS
    freed = {(change.kind, change.name) for change in back if change.key == key}
    users = [
        f"{kind} {name}"
        for kind, section in SECTIONS.items()
        for name in document.get(section) or {}
        if (kind, name) not in freed and one.name in _said(key, kind, name, document, server)
    ]
    if users:
        return f"It is used by {', '.join(users)}."
    if one.kind == "image" and one.checksum:
        rootfs = wwctl.rootfs(server.word, one.name)
        if rootfs is not None and reading.tree_checksum(rootfs) != one.checksum:
            return "Somebody changed what is in it since."
    return ""


def _said(key: str, kind: str, name: str, document: Mapping[str, Any], server: Server) -> list[str]:
    return (nodes.own_values(kind, name, document, server) or {}).get(key, "").split(",")


def _removals(one: RegisteredObject, wwctl: Wwctl, server: Server) -> Iterator[Action]:
    reason = "This registration made it."
    if one.kind == "overlay":
        if one.name in wwctl.names("overlay"):
            yield Command(argv=("wwctl", "overlay", "delete", "--force", one.name), reason=reason)
        return
    rootfs = wwctl.rootfs(server.word, one.name)
    if one.name in wwctl.names(server.word):
        yield Command(argv=("wwctl", server.word, "delete", "--yes", one.name), reason=reason)
    if rootfs is not None:
        for file in server.built_images(one.name, rootfs):
            yield Remove(path=file, reason="It was built of that image; some versions leave it.")
    folder = rootfs.parent if rootfs else server.path("wwchrootdir", CHROOTS) / one.name
    if folder.is_dir():
        yield Remove(path=folder, reason="It is left where an import or a removal ended too early.")
