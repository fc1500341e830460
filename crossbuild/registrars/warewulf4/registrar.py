"""The registrar of Warewulf 4."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossbuild.errors import ProvisionerError
from crossbuild.model.artifact import Artifact, ArtifactSet, OutputKind
from crossbuild.model.receipt import ChangedValue, Receipt, ReceiptState, RegisteredObject
from crossbuild.model.registration import Action, RegistrationPlan, UndoPlan
from crossbuild.registrars.actions import Command, Remove, remove, require_word
from crossbuild.registrars.contract import Listener
from crossbuild.registrars.intake import (
    kernel_arguments,
    new_receipt,
    require_whole,
    the_artifact,
    versioned_name,
)
from crossbuild.registrars.warewulf4 import nodes, reading, undoing
from crossbuild.registrars.warewulf4.content import menu_entry, require_bootable, restore_script
from crossbuild.registrars.warewulf4.nodes import Wish
from crossbuild.registrars.warewulf4.reading import SCRIPT, ReadBuilt, ReadImage, ReadNodes, ReadOverlay
from crossbuild.registrars.warewulf4.server import Server, find_server, require_ready
from crossbuild.registrars.warewulf4.wwctl import NAME, NODE, Wwctl


@dataclass(frozen=True, kw_only=True)
class Warewulf4Wish:
    """What the user wants beside importing the set."""

    name: str = ""
    """Of the image; empty for one that tells images apart."""
    nodes: tuple[str, ...] = ()
    """Boot the image."""
    profiles: tuple[str, ...] = ()
    """Say so for all their nodes."""
    arguments: str = ""
    """The kernel's on these; empty for those of the image."""
    synchronize: bool = True
    """Whether accounts of this host get the same ids in the image."""
    set_arch: bool = False
    """Whether nodes that boot an image for another architecture may get this one."""


class Warewulf4:
    """Registers sets in the Warewulf 4 of this host."""

    kind = OutputKind.WAREWULF4
    resumes = False

    def __init__(
        self, wish: Warewulf4Wish | None = None, earlier: Callable[[], Iterable[Receipt]] = tuple
    ) -> None:
        """Without a *wish* it is good for taking back.

        *earlier* returns the receipts of the set: Warewulf keeps no checksums, so only they tell that an
        image is that of the set.
        """
        self._wish, self._earlier = wish or Warewulf4Wish(), earlier
        self._wwctl = Wwctl()

    @functools.cached_property
    def _server(self) -> Server:
        return find_server(self._wwctl.transcript)

    def plan(self, artifacts: ArtifactSet, unfinished: Receipt | None) -> RegistrationPlan:
        """Look at the set, at Warewulf and at the nodes, and decide."""
        assert unfinished is None
        archive = the_artifact(artifacts, "warewulf4/*.tar")
        script = restore_script(artifacts)
        name = self._name(artifacts, archive)
        require_bootable(artifacts)
        require_whole(artifacts, (archive, *((script,) if script else ())))
        require_ready(self._server, artifacts.arch)
        there = self._found(name)
        overlay = name if script else ""
        imports = (*self._imports(name, artifacts, archive), *_overlay(name, artifacts, script))
        wish = self._values(artifacts, name, overlay)
        changes = self._changes(artifacts, wish)
        return RegistrationPlan(
            actions=(*(imports if not there else ()), *_node_actions(changes, self._server)),
            receipt=new_receipt(
                self.kind, name, self._server.version, there or _planned(name, overlay), changes
            ),
            notes=() if self._wish.nodes or self._wish.profiles else _hints(wish, self._server),
        )

    def register(self, plan: RegistrationPlan, listener: Listener) -> Receipt:
        """Carry out the plan, reading back each part before anything relies on it."""
        receipt = plan.receipt
        for action in plan.actions:
            listener.on_action(action)
            found = self._do(action)
            if found is not None:
                objects = tuple(found if one.kind == found.kind else one for one in receipt.objects)
                receipt = dataclasses.replace(receipt, objects=objects)
                listener.record(receipt)
        return receipt

    def plan_undo(self, receipt: Receipt) -> UndoPlan:
        """Look at the nodes and objects of *receipt*, and decide which go back and which stay."""
        return undoing.plan_undo(receipt, self._wwctl, self._server)

    def undo(self, plan: UndoPlan, on_action: Callable[[Action], None]) -> None:
        """Carry out *plan*, then look whether all of it came about."""
        for action in plan.actions:
            on_action(action)
            self._do(action)
        if plan.actions and (again := self.plan_undo(plan.receipt).actions):
            needed = (f"Still to be done: {action.text}" for action in again)
            raise ProvisionerError(
                "Warewulf 4 still has some of what was to be taken back.",
                details=self._wwctl.transcript.details(*needed),
                resolution="Do by hand what is listed, and see what wwctl says.",
            )

    def _do(self, action: Action) -> RegisteredObject | None:
        match action:
            case Command():
                self._wwctl.transcript.run(action.argv)
            case Remove():
                remove(action)
            case ReadImage():
                return reading.read_image(action, self._wwctl)
            case ReadBuilt():
                reading.read_built(action, self._wwctl, self._server)
            case ReadOverlay():
                return reading.read_overlay(action, self._wwctl)
            case ReadNodes():
                reading.read_nodes(action, self._wwctl, self._server)
            case _:
                raise AssertionError(action)
        return None

    def _name(self, artifacts: ArtifactSet, archive: Artifact) -> str:
        path = str((artifacts.directory / archive.path).absolute())
        if ":" in path:
            raise ProvisionerError(
                f"Warewulf 4 does not import {path}.",
                details="It takes what stands behind a colon for the tag of an image.",
                resolution="Move the set to a folder without `:` in its path.",
            )
        return require_word(self._wish.name or versioned_name(artifacts, (archive,)), NAME, "a name")

    def _found(self, name: str) -> tuple[RegisteredObject, ...]:
        """Return what an earlier registration of this set made, where all of it is there as it was."""
        word = self._server.word
        if name not in self._wwctl.names(word):
            if name in self._wwctl.names("overlay"):
                raise _taken("overlay", name, f"wwctl overlay delete --force {name}")
            return ()
        rootfs = self._wwctl.rootfs(word, name)
        checksum = reading.tree_checksum(rootfs) if rootfs else ""
        for receipt in self._earlier():
            if receipt.state is ReceiptState.REGISTERED and checksum in {
                one.checksum for one in receipt.objects
            }:
                return tuple(dataclasses.replace(one, made=False) for one in receipt.objects)
        raise _taken("image", name, f"wwctl {word} delete {name}")

    def _imports(self, name: str, artifacts: ArtifactSet, archive: Artifact) -> Iterator[Action]:
        word, synchronize = self._server.word, self._wish.synchronize
        options = ("--syncuser",) if synchronize else ()
        source = str((artifacts.directory / archive.path).absolute())
        yield Command(
            argv=("wwctl", word, "import", *options, source, name),
            reason="A new name: an update of an image that fails would destroy it.",
        )
        kernel = artifacts.record.get("kernel")
        yield ReadImage(
            word=word,
            name=name,
            arch=artifacts.arch,
            kernel=str(kernel["version"]) if isinstance(kernel, dict) else "",
            synchronized=synchronize,
            reason="Warewulf keeps no architecture: the programs and the kernel in the image tell.",
        )
        yield Command(argv=("wwctl", word, "build", name), reason="Nodes fetch what is built of the image.")
        yield ReadBuilt(word=word, name=name, reason="Without it a node gets nothing.")

    def _values(self, artifacts: ArtifactSet, name: str, overlay: str) -> Wish:
        return Wish(
            image=name,
            arguments=" ".join((self._wish.arguments or kernel_arguments(artifacts)).split()),
            overlay=overlay,
            client=nodes.OVERLAY_OF_CLIENT in self._wwctl.names("overlay"),
            menu=menu_entry(artifacts),
        )

    def _changes(self, artifacts: ArtifactSet, wish: Wish) -> tuple[ChangedValue, ...]:
        subjects = tuple(
            (kind, require_word(one, NODE, f"a name of a {kind}"))
            for kind, names in (("profile", self._wish.profiles), ("node", self._wish.nodes))
            for one in dict.fromkeys(names)
        )
        if not subjects:
            return ()
        document = self._server.read_nodes()
        for kind, one in subjects:
            self._require_convertible(kind, one, document, artifacts)
        return tuple(
            change
            for kind, one in subjects
            for change in nodes.changes_for(kind, one, document, self._server, wish)
        )

    def _require_convertible(
        self, kind: str, name: str, document: Mapping[str, Any], artifacts: ArtifactSet
    ) -> None:
        """Raise ProvisionerError for what is not there, or boots an image for another architecture."""
        now = nodes.own_values(kind, name, document, self._server)
        if now is None:
            raise ProvisionerError(
                f"Warewulf has no {kind} {name}.",
                details=f"{self._server.etc / 'nodes.conf'} does not name it.",
                resolution=f"`wwctl {kind} list` shows those that it has.",
            )
        image = now[nodes.IMAGE] or nodes.inherited(nodes.IMAGE, name, document, self._server)
        rootfs = self._wwctl.rootfs(self._server.word, image) if image else None
        arch = reading.architecture_of(rootfs) if rootfs else None
        if arch not in (None, artifacts.arch) and not self._wish.set_arch:
            raise ProvisionerError(
                f"The {kind} {name} boots an image for {arch}, and does not get one for {artifacts.arch}.",
                details=f"That is {image}. Warewulf 4 keeps no architecture of nodes: nothing else tells it.",
                resolution=f"If {name} stands for {artifacts.arch} machines, add `--set-arch`.",
            )


def _taken(kind: str, name: str, removal: str) -> ProvisionerError:
    return ProvisionerError(
        f"Warewulf 4 has another {kind} {name} already.",
        details="No receipt of this set tells of it, or it was changed since. Nothing is overwritten.",
        resolution=f"Choose another `--name`, or remove it: `{removal}`.",
    )


def _overlay(name: str, artifacts: ArtifactSet, script: Artifact | None) -> Iterator[Action]:
    if script is None:
        return
    source = (artifacts.directory / script.path).absolute()
    reason = "Its archive for nodes loses file capabilities; this gives them back when a node starts."
    overlay = ("wwctl", "overlay")
    yield Command(argv=(*overlay, "create", name), reason=reason)
    yield Command(argv=(*overlay, "mkdir", name, str(Path(SCRIPT).parent)), reason="Nodes run what is in it.")
    yield Command(argv=(*overlay, "import", name, str(source), SCRIPT), reason="It is the set's own script.")
    yield Command(argv=(*overlay, "chmod", name, SCRIPT, "0755"), reason="Nodes run what is executable.")
    yield ReadOverlay(name=name, source=source, reason="Nodes must get this and nothing else.")


def _node_actions(changes: tuple[ChangedValue, ...], server: Server) -> Iterator[Action]:
    yield from nodes.commands(changes, server)
    if names := undoing.nodes_of(changes):
        yield undoing.build_overlays(names)
    if changes:
        yield ReadNodes(changes=changes, reason="nodes.conf tells what was taken.")


def _hints(wish: Wish, server: Server) -> tuple[str, ...]:
    """Return how nodes would get the image, for who names none."""
    document = {nodes.SECTIONS["profile"]: {"PROFILE": None}}
    changes = nodes.changes_for("profile", "PROFILE", document, server, wish)
    return tuple(f"No node boots it yet: `{command.text}`." for command in nodes.commands(changes, server))


def _planned(name: str, overlay: str) -> tuple[RegisteredObject, ...]:
    image = RegisteredObject(kind="image", name=name)
    return (image, RegisteredObject(kind="overlay", name=overlay)) if overlay else (image,)
