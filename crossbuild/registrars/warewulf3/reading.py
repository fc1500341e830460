"""Reading back what Warewulf 3 took: from its datastore, from disk, from what iPXE will read."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import ArtifactError, ProvisionerError
from crossbuild.formats.cpio import DamagedCpioError, read_newc
from crossbuild.formats.kernel_image import HEAD_SIZE, recognise
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import Digests
from crossbuild.model.receipt import ChangedValue, RegisteredObject
from crossbuild.registrars.warewulf3.nodes import ARGUMENTS, Attributes, without_default
from crossbuild.registrars.warewulf3.server import Server
from crossbuild.registrars.warewulf3.wwsh import StoredObject, Wwsh


@dataclass(frozen=True, kw_only=True)
class ReadObject:
    """A bootstrap or a VNFS is read back."""

    kind: str
    name: str
    arch: Architecture
    source: Path
    """The file that was imported."""
    digests: Digests
    """Those of *source*."""
    reason: str

    @property
    def text(self) -> str:
        """The command that shows it."""
        return f"wwsh object jsondump --type={self.kind} {self.name}"


@dataclass(frozen=True, kw_only=True)
class ReadNodes:
    """Changed attributes of nodes are read back, and what iPXE reads on these nodes."""

    changes: tuple[ChangedValue, ...]
    image: str
    arch: Architecture
    reason: str

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes."""
        return tuple(dict.fromkeys(change.name for change in self.changes))

    @property
    def text(self) -> str:
        """The commands that show them."""
        names = " ".join(self.names)
        return f"wwsh node print {names}; wwsh provision print {names}"


def read_object(action: ReadObject, wwsh: Wwsh, server: Server) -> RegisteredObject:
    """Return what Warewulf has; raise ProvisionerError, naming every difference from what was given."""
    found = next((one for one in wwsh.stored(action.kind, action.name) if one.name == action.name), None)
    if problems := list(object_problems(action, found, server)):
        raise ProvisionerError(
            f"Warewulf 3 did not take the {action.kind} {action.name} as it is.",
            details=wwsh.transcript.details(*problems),
            resolution="See what wwsh said, mend that, and register again.",
        )
    assert found is not None
    return as_registered(found, server)


def object_problems(action: ReadObject, found: StoredObject | None, server: Server) -> Iterator[str]:
    """Yield in what *found* is not what *action* wants."""
    if found is None:
        yield f"It has no {action.kind} of that name."
        return
    wanted = {"ARCH": action.arch, "CHECKSUM": action.digests.md5, "SIZE": str(action.digests.size)}
    has = {"ARCH": found.arch, "CHECKSUM": found.checksum, "SIZE": found.size}
    yield from (
        f"{key} is {has[key] or 'unset'}, not {wanted[key]}." for key in wanted if has[key] != wanted[key]
    )
    if action.kind == "bootstrap":
        yield from _folder_problems(action, server.bootstrap_folder(action.arch, found.id))


def as_registered(found: StoredObject, server: Server, *, made: bool = True) -> RegisteredObject:
    """Return *found* as receipts have it."""
    arch = Architecture(found.arch)
    folder = server.bootstrap_folder(arch, found.id)
    return RegisteredObject(
        kind=found.kind,
        name=found.name,
        id=found.id,
        arch=arch,
        checksum=f"md5:{found.checksum}",
        place=str(folder) if found.kind == "bootstrap" else "",
        made=made,
    )


def read_nodes(action: ReadNodes, wwsh: Wwsh, server: Server) -> None:
    """Raise ProvisionerError, naming every difference, if the nodes are not as *action* wants them."""
    now = wwsh.nodes(action.names)
    problems = [
        f"{change.name}: {change.key} is {value or 'unset'}, not {change.after}."
        for change in action.changes
        if (value := now.get(change.name, {}).get(change.key, "")) != change.after
    ]
    bootstraps = wwsh.stored("bootstrap", action.image)
    number = next((one.id for one in bootstraps if one.name == action.image), "")
    for name in action.names:
        problems += _loader_problems(name, now.get(name, {}), f"/{action.arch}/{number}/", server)
    if problems:
        raise ProvisionerError(
            "Warewulf 3 did not provision every node.",
            details=wwsh.transcript.details(*problems),
            resolution="See what wwsh said, mend that, and register again.",
        )


def loader_files(now: Attributes, server: Server) -> Iterator[Path]:
    """Yield the files that iPXE reads on a node, those that are there."""
    addresses = (value.lower() for key, value in now.items() if key.endswith(".HWADDR") and value)
    folder = server.warewulf / "ipxe/cfg"
    yield from (path for path in (folder / address for address in addresses) if path.is_file())


def changed_nodes(
    changes: tuple[ChangedValue, ...], now: Mapping[str, Attributes], server: Server
) -> Iterator[tuple[ChangedValue, str | None]]:
    """Yield each of *changes* with its present value, None where its node is gone."""
    for change in changes:
        node = now.get(change.name)
        if node is None:
            yield change, None
        elif change.key == ARGUMENTS and change.after != server.default_arguments:
            yield change, without_default(node, server.default_arguments).get(ARGUMENTS, "")
        else:
            yield change, node.get(change.key, "")


def _folder_problems(action: ReadObject, folder: Path) -> Iterator[str]:
    cookie, kernel, initramfs = folder / "cookie", folder / "kernel", folder / "initfs.gz"
    if not cookie.is_file() or cookie.read_text(errors="replace").strip() != action.digests.md5:
        yield f"{cookie} does not hold the checksum: the bootstrap was not built."
        return
    if not initramfs.is_file() or not initramfs.stat().st_size:
        yield f"{initramfs} is missing or empty."
    try:
        packed, built = _packed_kernel(action.source), _head(kernel)
        if packed != built:
            yield f"{kernel} is not the kernel of {action.source}."
        elif recognise(built[1]).arch is not action.arch:
            yield f"{kernel} is not for {action.arch}."
    except (OSError, ArtifactError) as error:
        yield f"{kernel} cannot be read as a kernel: {error}"


def _packed_kernel(bootstrap: Path) -> tuple[int, bytes]:
    """Return size and beginning of the kernel in *bootstrap*."""
    try:
        with gzip.open(bootstrap) as stream:
            for member in read_newc(stream, head=HEAD_SIZE):
                if member.name.removeprefix("./") == "kernel":
                    return member.size, member.head
    except (DamagedCpioError, EOFError, zlib.error) as error:
        raise ArtifactError(f"{bootstrap} cannot be read.", details=str(error)) from error
    raise ArtifactError(f"{bootstrap} holds no kernel.")


def _head(kernel: Path) -> tuple[int, bytes]:
    with kernel.open("rb") as file:
        return kernel.stat().st_size, file.read(HEAD_SIZE)


def _loader_problems(name: str, now: Attributes, place: str, server: Server) -> Iterator[str]:
    if now.get("ENABLED") == "FALSE":
        # Warewulf passes over it until somebody enables it.
        return
    for path in loader_files(now, server):
        text = path.read_text(errors="replace")
        if "initrd" in text and place not in text:
            yield f"{name}: {path} does not start what lies in {place}."
