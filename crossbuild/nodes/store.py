"""The records of nodes: STATE/nodes/NAME.json, and beside each the host keys as ssh reads them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from crossbuild.errors import CrossbuildError, StorageError, UsageError
from crossbuild.host.locks import held
from crossbuild.model.architecture import Architecture
from crossbuild.model.node import Node
from crossbuild.model.offload import VENUES
from crossbuild.model.spec import is_name

SCHEMA = 1
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading JSON raises that is none, or is not what was expected."""


class NodeStore:
    """The nodes that this host's crossbuild knows. Any number of processes may use it at a time."""

    def __init__(self, state: Path) -> None:
        """Keep them below the folder *state* of the site."""
        self.folder = state / "nodes"

    def all(self) -> tuple[Node, ...]:
        """Return every node, sorted by name."""
        if not self.folder.is_dir():
            return ()
        names = sorted(path.name.removesuffix(".json") for path in self.folder.glob("[!.]*.json"))
        # A node may be removed between the listing and the reading.
        found = (self._find(name) for name in names if is_name(name))
        return tuple(node for node in found if node)

    def load(self, name: str) -> Node:
        """Return the node *name*; raise UsageError, naming those that exist, where there is none."""
        node = self._find(name) if is_name(name) else None
        if node is None:
            raise UsageError(
                f"There is no node `{name}`.",
                details=f"Known are: {', '.join(node.name for node in self.all()) or 'none'}.",
                resolution="`crossbuild node add ADDRESS` adds one.",
            )
        return node

    def add(self, node: Node) -> None:
        """Keep a new node; raise UsageError if its name is taken or cannot be one."""
        refuse_name(node.name)
        with self._alone():
            if self._find(node.name):
                raise UsageError(
                    f"There is a node `{node.name}` already.",
                    resolution=f"Take another --name, or `crossbuild node remove {node.name}` first.",
                )
            self._save(node)

    def update(self, name: str, change: Callable[[Node], Node]) -> Node:
        """Replace a record by what *change* makes of it, while nobody else does; return the new one."""
        with self._alone():
            node = change(self.load(name))
            self._save(node)
        return node

    def remove(self, name: str) -> None:
        """Forget the node *name* and its host keys; nothing happens on the node itself."""
        with self._alone():
            self.load(name)
            with _storing(self.folder):
                self._record(name).unlink()
                self.known_hosts(name).unlink(missing_ok=True)

    def known_hosts(self, name: str) -> Path:
        """Return the file from which ssh learns the host keys of the node *name*."""
        return self.folder / f"{name}.known_hosts"

    def _find(self, name: str) -> Node | None:
        record = self._record(name)
        try:
            return parse(json.loads(record.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CrossbuildError(f"Cannot read {record}.", details=str(error)) from error
        except MALFORMED as error:
            raise CrossbuildError(
                f"The record of the node `{name}` is damaged.",
                details=f"{record}: {error!r}",
                resolution=f"Delete {record}, and add the node again.",
            ) from error

    def _save(self, node: Node) -> None:
        # The keys first: a record without keys would be a node that cannot be reached.
        self._write(self.known_hosts(node.name), "".join(f"{line}\n" for line in node.host_keys))
        self._write(self._record(node.name), f"{json.dumps(render(node), indent=2)}\n")

    def _write(self, path: Path, text: str) -> None:
        scratch = path.with_name(f".{path.name}.new")
        with _storing(path):
            with scratch.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            scratch.rename(path)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with _storing(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with held(self.folder / ".lock"):
            yield

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def refuse_name(name: str) -> None:
    """Raise UsageError for what cannot be the name of a node."""
    if not is_name(name) or name in VENUES:
        raise UsageError(
            f"`{name}` cannot be the name of a node.",
            details=f"{', '.join(VENUES)} are places that `--on` knows already." if name in VENUES else "",
            resolution="Take letters, digits, `_`, `.` and `-`, at most 64, the first a letter or digit.",
        )


def render(node: Node) -> dict[str, Any]:
    """Return the record of *node* as JSON has it; docs/reference/nodes.md describes it."""
    value = {field.name: getattr(node, field.name) for field in dataclasses.fields(node)}
    return {"schema": SCHEMA, **value, "folder": str(node.folder), "labels": dict(node.labels)}


def parse(value: dict[str, Any]) -> Node:
    """Return the node that `render` wrote; raise ValueError, KeyError or TypeError for anything else."""
    if value["schema"] != SCHEMA:
        raise ValueError(f"schema {value['schema']!r} is another version's")
    if not is_name(value["name"]) or int(value["slots"]) < 1:
        raise ValueError(f"no node: {value['name']!r} with {value['slots']!r} slots")
    return Node(
        name=value["name"],
        address=str(value["address"]),
        arch=Architecture(value["arch"]),
        slots=int(value["slots"]),
        host_keys=tuple(value["host_keys"]),
        added=str(value["added"]),
        folder=PurePosixPath(value["folder"]),
        labels=tuple(sorted(value["labels"].items())),
        drained=value["drained"],
    )


@contextlib.contextmanager
def _storing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"Cannot write {path}.", details=str(error)) from error
