"""The Warewulf 4 of this host: its words, where its files are, and whether it can start aarch64 nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossbuild.config.document import read_document
from crossbuild.errors import ProvisionerError, SpecError
from crossbuild.formats.kernel_image import HEAD_SIZE, pe_architecture
from crossbuild.host.command import find
from crossbuild.model.architecture import Architecture
from crossbuild.registrars.actions import Transcript

IMAGE_WORD = (4, 6)
"""From this on, `wwctl image` is what `wwctl container` was, lists of nodes add to those of profiles, and
kernel arguments are a list."""

CHROOTS = "/var/lib/warewulf/chroots"
"""Where packages keep the trees of images."""

_LOADER_KEY = "00:0B"
"""DHCP option 93 of an arm64 machine with UEFI (RFC 4578 and IANA, "Processor Architecture Types")."""
_LOADERS = ("arm64-efi/snponly.efi", "snp-arm64.efi")
"""What the packages of Enterprise Linux and of openSUSE start such machines with."""
_LOADER_FOLDERS = ("/usr/share/ipxe", "/usr/lib/ipxe", "/usr/local/share/ipxe")
"""Where distributions and Warewulf's own script put them."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """What was found out about the Warewulf 4 of this host."""

    version: str
    configuration: Mapping[str, Any]
    """All of warewulf.conf."""
    etc: Path
    """The folder that holds it, and nodes.conf."""
    unsets: bool
    """Whether it has `wwctl node unset`."""

    @property
    def is_new(self) -> bool:
        """Whether it speaks of images."""
        return _numbers(self.version)[:2] >= IMAGE_WORD

    @property
    def word(self) -> str:
        """What it calls an image on the command line."""
        return "image" if self.is_new else "container"

    def path(self, key: str, default: str) -> Path:
        """Return the folder that `paths` of its configuration names."""
        paths = self.configuration.get("paths") or {}
        return Path(str(paths.get(key) or default))

    def built_images(self, name: str, rootfs: Path) -> tuple[Path, ...]:
        """Return the files that building the image *name*, whose tree is *rootfs*, has left."""
        beside = rootfs.parents[2] / "provision"
        folders = (
            self.path("wwprovisiondir", str(beside)) / kind for kind in ("images", "image", "container")
        )
        files = (folder / f"{name}.img{end}" for folder in folders for end in ("", ".gz"))
        return tuple(file for file in files if file.is_file())

    def read_nodes(self) -> Mapping[str, Any]:
        """Return all of nodes.conf."""
        return _document(self.etc / "nodes.conf")


def find_server(transcript: Transcript) -> Server:
    """Ask `wwctl` and read warewulf.conf; raise ProvisionerError for what is no Warewulf 4."""
    said = transcript.ask(("wwctl", "version")).stdout
    version = re.search(r"\d+\.\d+(\.\d+)?\S*", said)
    if version is None or not version[0].startswith("4."):
        raise ProvisionerError(
            "wwctl does not tell that it belongs to Warewulf 4.",
            details=transcript.details(f"`wwctl version` said {said.strip()!r}."),
            resolution="See what `wwctl version` says.",
        )
    etc = _configuration_folder()
    return Server(
        version=version[0],
        configuration=_document(etc / "warewulf.conf"),
        etc=etc,
        unsets=" unset " in transcript.ask(("wwctl", "node", "--help")).stdout,
    )


def require_ready(server: Server, arch: Architecture) -> None:
    """Raise ProvisionerError, naming all that is missing, if *server* cannot start *arch* nodes."""
    if problems := list(_problems(server, arch)):
        raise ProvisionerError(
            f"Warewulf {server.version} of this host cannot start {arch} nodes.",
            details="\n".join(problems),
            resolution=f'Install an iPXE for arm64 (ipxe-bootimgs-aarch64), name it as "{_LOADER_KEY}" '
            "below `tftp: ipxe:` in warewulf.conf, then run `wwctl configure tftp`.",
        )


def _problems(server: Server, arch: Architecture) -> Iterator[str]:
    tftp = server.configuration.get("tftp") or {}
    configured = (tftp.get("ipxe") or {}).get(_LOADER_KEY)
    if tftp.get("ipxe") and not configured:
        yield f'`tftp: ipxe:` of {server.etc / "warewulf.conf"} has no "{_LOADER_KEY}".'
        return
    source = str((server.configuration.get("paths") or {}).get("ipxesource") or "")
    names = [configured] if configured else _LOADERS
    loaders = [Path(folder, name) for folder in ([source] if source else _LOADER_FOLDERS) for name in names]
    loader = next((path for path in loaders if path.is_file()), loaders[0])
    yield from _loader_problems(loader, arch)
    if root := tftp.get("tftproot"):
        yield from _loader_problems(Path(root) / "warewulf" / loader.name, arch)


def _loader_problems(loader: Path, arch: Architecture) -> Iterator[str]:
    try:
        with loader.open("rb") as file:
            machine = pe_architecture(file.read(HEAD_SIZE))
    except OSError as error:
        yield f"{loader} is what arm64 machines start first, and cannot be read: {error.strerror}."
        return
    if machine is not arch:
        yield f"{loader} is {f'for {machine}' if machine else 'no EFI program'}, not for {arch}."


def _configuration_folder() -> Path:
    """Return the folder of warewulf.conf: by its prefix (Makefile), /etc for /usr."""
    program = find("wwctl")
    assert program is not None
    prefix = Path(program).parents[1]
    candidates = [prefix / "etc/warewulf", Path("/etc/warewulf")]
    return next((path for path in candidates if (path / "warewulf.conf").is_file()), candidates[-1])


def _document(path: Path) -> Mapping[str, Any]:
    try:
        return read_document(path)
    except SpecError as error:
        raise ProvisionerError(
            f"{path} cannot be read.", details=error.details, resolution="Run the command as root."
        ) from error


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
