"""Taking back what was registered in Warewulf 3: nodes first, then what no node boots any more."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from crossbuild.model.receipt import ChangedValue, Receipt, RegisteredObject
from crossbuild.model.registration import Action, Left, UndoPlan
from crossbuild.registrars.actions import Command, Remove, require_word
from crossbuild.registrars.standing import Standing, left_as_foreign, standing
from crossbuild.registrars.warewulf3 import nodes, reading
from crossbuild.registrars.warewulf3.nodes import BOOTSTRAP, VNFS, Attributes
from crossbuild.registrars.warewulf3.server import Server
from crossbuild.registrars.warewulf3.words import NAME, NODE
from crossbuild.registrars.warewulf3.wwsh import StoredObject, Wwsh

_KEYS = {"bootstrap": BOOTSTRAP, "vnfs": VNFS}
"""Attributes of nodes that name what they boot."""


def plan_undo(receipt: Receipt, wwsh: Wwsh, server: Server) -> UndoPlan:
    """Return how to take back what is still there of *receipt*."""
    for change in receipt.changes:
        require_word(change.name, NODE, "a name of a node")
    stored = {kind: wwsh.stored(kind) for kind in _KEYS}
    now = wwsh.nodes()
    back, left = _changes_back(receipt, now, stored, server)
    names = tuple(dict.fromkeys(change.name for change in back))
    actions: list[Action] = [*nodes.commands(back, back=True), *(nodes.refresh(names) if names else ())]
    actions += _loader_removals(back, now, server)
    for one in reversed(receipt.objects):
        require_word(one.name, NAME, "a name")
        if not one.made:
            continue
        there = next((found for found in stored[one.kind] if found.name == one.name), None)
        if reason := _reason_to_stay(one, there, now, back):
            left.append(Left(what=f"The {one.kind} {one.name}", reason=reason))
        else:
            actions += _removals(one, there, stored["bootstrap"], server)
    return UndoPlan(receipt=receipt, actions=tuple(actions), left=tuple(left))


def _changes_back(
    receipt: Receipt,
    now: Mapping[str, Attributes],
    stored: Mapping[str, tuple[StoredObject, ...]],
    server: Server,
) -> tuple[list[ChangedValue], list[Left]]:
    back, left = [], []
    images = {_KEYS[kind]: {one.name for one in found} for kind, found in stored.items()}
    for change, current in reading.changed_nodes(receipt.changes, now, server):
        if current is None:
            left.append(Left(what=f"{change.key} of node {change.name}", reason="The node is gone."))
            continue
        match standing(change, current):
            case Standing.BEFORE:
                continue
            case Standing.FOREIGN:
                left.append(left_as_foreign(change, current))
            case Standing.CHANGED if change.before and change.before not in images.get(
                change.key, {change.before}
            ):
                reason = f"What it was before, {change.before}, is gone: it becomes unset."
                left.append(Left(what=f"{change.key} of node {change.name}", reason=reason))
                back.append(dataclasses.replace(change, before=""))
            case Standing.CHANGED:
                back.append(change)
    return back, left


def _loader_removals(
    back: list[ChangedValue], now: Mapping[str, Attributes], server: Server
) -> Iterator[Action]:
    for change in back:
        if change.key == BOOTSTRAP and not change.before:
            for path in reading.loader_files(now[change.name], server):
                reason = "Warewulf writes none for a node without bootstrap, and leaves the former one."
                yield Remove(path=path, reason=reason)


def _reason_to_stay(
    one: RegisteredObject,
    there: StoredObject | None,
    now: Mapping[str, Attributes],
    back: list[ChangedValue],
) -> str:
    if there is None:
        return ""
    if one.id and (one.id, one.checksum) != (there.id, f"md5:{there.checksum}"):
        return "Somebody imported it anew since."
    key = _KEYS[one.kind]
    freed = {change.name for change in back if change.key == key}
    users = [name for name, node in now.items() if node.get(key) == one.name and name not in freed]
    return f"These nodes boot it: {', '.join(users)}." if users else ""


def _removals(
    one: RegisteredObject,
    there: StoredObject | None,
    bootstraps: tuple[StoredObject, ...],
    server: Server,
) -> Iterator[Action]:
    number = there.id if there else one.id
    if there is not None:
        yield Command(argv=("wwsh", one.kind, "delete", one.name), reason="This registration imported it.")
        for path in server.binary_files(number):
            yield Remove(path=path, reason="wwsh forgets the file of what it deletes.")
    elif number and one.kind == "bootstrap" and number not in {found.id for found in bootstraps}:
        folder = server.bootstrap_folder(str(one.arch), number)
        if folder.exists():
            yield Remove(path=folder, reason="wwsh left it when it deleted the bootstrap.")
