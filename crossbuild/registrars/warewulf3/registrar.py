"""The registrar of Warewulf 3."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from crossbuild.errors import ProvisionerError
from crossbuild.model.artifact import Artifact, ArtifactSet, OutputKind
from crossbuild.model.receipt import ChangedValue, Receipt, RegisteredObject
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
from crossbuild.registrars.warewulf3 import nodes, reading, undoing, words
from crossbuild.registrars.warewulf3.nodes import NodeWish
from crossbuild.registrars.warewulf3.reading import ReadNodes, ReadObject
from crossbuild.registrars.warewulf3.server import Server, doubts, find_server, require_ready
from crossbuild.registrars.warewulf3.stale import stale_folders
from crossbuild.registrars.warewulf3.wwsh import StoredObject, Wwsh

_FILES = {"bootstrap": "warewulf3/*.wwbs", "vnfs": "warewulf3/*.vnfs"}
"""Which file of a set becomes what, in the order of importing."""


@dataclass(frozen=True, kw_only=True)
class Warewulf3Wish:
    """What the user wants beside importing the set."""

    name: str = ""
    """Of bootstrap and VNFS; empty for one that tells images apart."""
    nodes: tuple[str, ...] = ()
    """Are provisioned with the image."""
    arguments: str = ""
    """The kernel's on these nodes; empty for those of the image."""
    set_arch: bool = False
    """Whether nodes of another architecture may become aarch64 ones."""
    remove_stale: bool = False
    """Whether folders that bootstraps left under another architecture go."""


class Warewulf3:
    """Registers sets in the Warewulf 3 of this host."""

    kind = OutputKind.WAREWULF3
    resumes = False

    def __init__(self, wish: Warewulf3Wish | None = None) -> None:
        """Without a *wish* it is good for taking back."""
        self._wish = wish or Warewulf3Wish()
        self._wwsh = Wwsh()

    @functools.cached_property
    def _server(self) -> Server:
        return find_server(self._wwsh.transcript)

    def plan(self, artifacts: ArtifactSet, unfinished: Receipt | None) -> RegistrationPlan:
        """Look at the set, at Warewulf and at the nodes, and decide."""
        assert unfinished is None
        files = {kind: the_artifact(artifacts, pattern) for kind, pattern in _FILES.items()}
        name = self._name(artifacts, tuple(files.values()))
        require_whole(artifacts, tuple(files.values()))
        require_ready(self._server, artifacts.arch)
        stored = {kind: self._wwsh.stored(kind) for kind in files}
        imports: list[Action] = []
        objects = []
        for kind, file in files.items():
            wanted = _read_back(kind, name, artifacts, file)
            there = next((one for one in stored[kind] if one.name == name), None)
            imports += _imports(wanted, there, self._server)
            objects.append(_planned(wanted, there, self._server))
        changes = self._node_changes(name, artifacts)
        stale = tuple(stale_folders(self._server, stored["bootstrap"]))
        removals = stale if self._wish.remove_stale else ()
        return RegistrationPlan(
            actions=(*imports, *_node_actions(changes, name, artifacts), *removals),
            receipt=new_receipt(self.kind, name, self._server.version, tuple(objects), changes),
            notes=(
                *doubts(self._server, artifacts.arch),
                *(_stale_note(folder) for folder in stale if not removals),
            ),
        )

    def register(self, plan: RegistrationPlan, listener: Listener) -> Receipt:
        """Carry out the plan, reading back each import before anything relies on it."""
        receipt = plan.receipt
        for action in plan.actions:
            listener.on_action(action)
            if isinstance(action, ReadObject):
                found = reading.read_object(action, self._wwsh, self._server)
                objects = tuple(_updated(one, found) for one in receipt.objects)
                receipt = dataclasses.replace(receipt, objects=objects)
                listener.record(receipt)
            else:
                self._do(action)
        return receipt

    def plan_undo(self, receipt: Receipt) -> UndoPlan:
        """Look at the nodes and objects of *receipt*, and decide which go back and which stay."""
        return undoing.plan_undo(receipt, self._wwsh, self._server)

    def undo(self, plan: UndoPlan, on_action: Callable[[Action], None]) -> None:
        """Carry out *plan*, then look whether all of it came about."""
        for action in plan.actions:
            on_action(action)
            self._do(action)
        if plan.actions and (again := undoing.plan_undo(plan.receipt, self._wwsh, self._server).actions):
            needed = (f"Still to be done: {action.text}" for action in again)
            raise ProvisionerError(
                "Warewulf 3 still has some of what was to be taken back.",
                details=self._wwsh.transcript.details(*needed),
                resolution="Do by hand what is listed, and see what wwsh says.",
            )

    def _do(self, action: Action) -> None:
        match action:
            case Command():
                self._wwsh.transcript.run(action.argv)
            case Remove():
                remove(action)
            case ReadNodes():
                reading.read_nodes(action, self._wwsh, self._server)
            case _:
                raise AssertionError(action)

    def _name(self, artifacts: ArtifactSet, files: tuple[Artifact, ...]) -> str:
        for file in files:
            require_word(str((artifacts.directory / file.path).absolute()), words.PATH, "a path to import")
        return require_word(self._wish.name or versioned_name(artifacts, files), words.NAME, "a name")

    def _node_changes(self, name: str, artifacts: ArtifactSet) -> tuple[ChangedValue, ...]:
        names = tuple(require_word(node, words.NODE, "a name of a node") for node in self._wish.nodes)
        if not names:
            return ()
        now = self._wwsh.nodes(names)
        if unknown := [node for node in names if node not in now]:
            raise ProvisionerError(
                f"Warewulf has no node {', '.join(unknown)}.",
                details=self._wwsh.transcript.details(),
                resolution="`wwsh node list` shows its nodes.",
            )
        wish = NodeWish(
            arch=artifacts.arch,
            image=name,
            arguments=_arguments(self._wish.arguments or kernel_arguments(artifacts)),
            convert=self._wish.set_arch,
        )
        return tuple(
            change
            for node in dict.fromkeys(names)
            for change in nodes.changes_for(node, _effective(now[node], wish, self._server), wish)
        )


def _effective(now: Mapping[str, str], wish: NodeWish, server: Server) -> Mapping[str, str]:
    if wish.arguments == server.default_arguments:
        return now
    return nodes.without_default(now, server.default_arguments)


def _arguments(text: str) -> str:
    if '"' in text:
        raise ProvisionerError(
            'Warewulf 3 does not keep `"` in kernel arguments.',
            details=f"The arguments are {text}.",
            resolution="Give others with `--kernel-args`.",
        )
    return " ".join(text.split())


def _read_back(kind: str, name: str, artifacts: ArtifactSet, file: Artifact) -> ReadObject:
    return ReadObject(
        kind=kind,
        name=name,
        arch=artifacts.arch,
        source=(artifacts.directory / file.path).absolute(),
        digests=file.digests,
        reason="wwsh says that it imported also what it could not: ARCH, size and checksum tell.",
    )


def _imports(wanted: ReadObject, there: StoredObject | None, server: Server) -> Iterator[Action]:
    """Yield what gives Warewulf what is *wanted*; nothing if it is *there*, whole."""
    kind, name = wanted.kind, wanted.name
    if there is not None:
        _require_same(wanted, there)
        if list(reading.object_problems(wanted, there, server)):
            yield _rebuild(name, "Warewulf has the bootstrap, but never built it.")
            yield wanted
        return
    argv = ("wwsh", kind, "import", str(wanted.source), f"--name={name}", f"--arch={wanted.arch}")
    yield Command(argv=argv, reason="Without --arch it would get the architecture of this host.")
    if kind == "bootstrap" and server.binaries:
        yield _rebuild(name, "Where images are kept as files, importing one does not build it.")
    yield wanted


def _rebuild(name: str, reason: str) -> Command:
    return Command(argv=("wwsh", "bootstrap", "rebuild", name), reason=reason)


def _require_same(wanted: ReadObject, there: StoredObject) -> None:
    if (there.checksum, there.arch) != (wanted.digests.md5, wanted.arch):
        raise ProvisionerError(
            f"Warewulf 3 has another {wanted.kind} {wanted.name} already.",
            details=f"It has ARCH {there.arch or 'unset'} and CHECKSUM {there.checksum or 'unset'}, this one "
            f"{wanted.arch} and {wanted.digests.md5}. wwsh would overwrite it without asking.",
            resolution=f"Choose another `--name`, or remove it: `wwsh {wanted.kind} delete {wanted.name}`.",
        )


def _planned(wanted: ReadObject, there: StoredObject | None, server: Server) -> RegisteredObject:
    if there is None:
        return RegisteredObject(kind=wanted.kind, name=wanted.name)
    return reading.as_registered(there, server, made=False)


def _updated(one: RegisteredObject, found: RegisteredObject) -> RegisteredObject:
    return (
        dataclasses.replace(found, made=one.made) if (one.kind, one.name) == (found.kind, found.name) else one
    )


def _node_actions(changes: tuple[ChangedValue, ...], name: str, artifacts: ArtifactSet) -> Iterator[Action]:
    if changes:
        read = ReadNodes(
            changes=changes,
            image=name,
            arch=artifacts.arch,
            reason="wwsh leaves out what does not match, and says so at most.",
        )
        yield from nodes.commands(changes)
        yield from nodes.refresh(read.names)
        yield read


def _stale_note(folder: Remove) -> str:
    return f"{folder.path} is left over. {folder.reason} `--remove-stale` removes it."
