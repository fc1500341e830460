"""The Warewulf 3 of this host: where its files are, and whether it can serve aarch64 nodes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import ProvisionerError
from crossbuild.formats.cpio import DamagedCpioError, read_newc
from crossbuild.formats.elf import HEADER_SIZE, DamagedElfError, read_header
from crossbuild.formats.kernel_image import HEAD_SIZE as EFI_HEAD_SIZE
from crossbuild.formats.kernel_image import pe_architecture
from crossbuild.model.architecture import Architecture
from crossbuild.registrars.actions import Transcript
from crossbuild.registrars.warewulf3.configuration import read_configuration

OLDEST = (3, 8)
"""Before this, nothing in Warewulf had an architecture."""
NEEDS_CERTIFICATES = (3, 10)
"""From this on, no bootstrap is built where the file `cacert` of provision.conf is missing."""
CERTIFICATES = "/etc/pki/tls/certs/ca-bundle.crt"
_UNREADABLE = (DamagedCpioError, DamagedElfError, OSError)
DEFAULT_ARGUMENTS = "quiet"
"""Kernel arguments of nodes that have none (provision/lib/Warewulf/Module/Cli/Provision.pm)."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """What was found out about the Warewulf 3 of this host."""

    version: str
    statedir: Path
    datadir: Path
    sysconfdir: Path
    binaries: tuple[Path, ...]
    """Folders where it may keep images as files; none where they are in the database.

    With files, importing a bootstrap does not build it, and a rebuild must follow.
    """
    default_arguments: str

    @property
    def warewulf(self) -> Path:
        """Its state."""
        return self.statedir / "warewulf"

    def bootstrap_folder(self, arch: str, number: str) -> Path:
        """Where nodes fetch the bootstrap with that id."""
        return self.warewulf / "bootstrap" / arch / number

    def binary_files(self, number: str) -> tuple[Path, ...]:
        """Return the files in which it keeps the image with that id."""
        return tuple(path for path in (folder / number for folder in self.binaries) if path.is_file())


def find_server(transcript: Transcript) -> Server:
    """Ask `wwconfig` and the configuration; raise ProvisionerError for a version without architectures."""
    version, statedir, datadir, sysconfdir = (
        transcript.ask(("wwconfig", key)).stdout.strip()
        for key in ("version", "statedir", "datadir", "sysconfdir")
    )
    if not statedir.startswith("/") or not sysconfdir.startswith("/"):
        raise ProvisionerError(
            "Warewulf 3 does not tell where its files are.",
            details=transcript.details(f"`wwconfig statedir` said {statedir!r}."),
            resolution="See what `wwconfig --all` says.",
        )
    if _numbers(version)[:2] < OLDEST:
        raise ProvisionerError(
            f"Warewulf {version or 'of an unknown version'} knows no architectures.",
            details="Bootstraps, VNFS images and nodes have one from Warewulf 3.8 on.",
            resolution="Update Warewulf, or use Warewulf 4.",
        )
    etc = Path(sysconfdir)
    return Server(
        version=version,
        statedir=Path(statedir),
        datadir=Path(datadir),
        sysconfdir=etc,
        binaries=_folders_of_binaries(etc, Path(statedir)),
        default_arguments=" ".join(read_configuration(etc, "provision.conf").get("default kargs", ()))
        or DEFAULT_ARGUMENTS,
    )


def require_ready(server: Server, arch: Architecture) -> None:
    """Raise ProvisionerError, naming all that is missing, if *server* cannot build bootstraps for *arch*."""
    if problems := list(_problems(server, arch)):
        raise ProvisionerError(
            f"Warewulf {server.version} of this host cannot serve {arch} nodes.",
            details="\n".join(problems),
            resolution=f"Install its packages for such nodes, warewulf-provision-initramfs-{arch} and "
            f"warewulf-provision-server-ipxe-{arch}; docs/how-to/warewulf3.md has OpenHPC's names of them.",
        )


def doubts(server: Server, arch: Architecture) -> Iterator[str]:
    """Yield what *arch* nodes need and what is there, but tells nothing of its architecture."""
    base, loader = _base(server, arch), _loader(server)
    try:
        _wrong_program(base, arch)
    except _UNREADABLE as error:
        yield f"{base} cannot be read as a cpio archive ({error}): nodes may not boot."
    if _machine_of(loader) is None:
        yield f"{loader} is no EFI program that is known here: nodes may not start it."


def _problems(server: Server, arch: Architecture) -> Iterator[str]:
    base, loader = _base(server, arch), _loader(server)
    if not base.is_file():
        yield f"{base} is missing: what every bootstrap boots into."
    else:
        with contextlib.suppress(*_UNREADABLE):
            if wrong := _wrong_program(base, arch):
                yield f"{base} is not for {arch}: {wrong}."
    if not any((base.parent / "capabilities").glob("*")):
        yield f"{base.parent / 'capabilities'} is missing or empty: a bootstrap could fetch no VNFS."
    if not loader.is_file():
        yield f"{loader} is missing: nodes start it first."
    elif (machine := _machine_of(loader)) not in (None, arch):
        yield f"{loader} is for {machine}: nodes start it first."
    certificates = read_configuration(server.sysconfdir, "provision.conf").get("cacert", ())
    needed = certificates or _numbers(server.version)[:2] >= NEEDS_CERTIFICATES
    file = Path((*certificates, CERTIFICATES)[0])
    if needed and not file.is_file():
        yield f"{file} is missing: without the `cacert` of provision.conf no bootstrap is built."


def _base(server: Server, arch: Architecture) -> Path:
    return server.warewulf / "initramfs" / arch / "base"


def _loader(server: Server) -> Path:
    return server.datadir / "warewulf/ipxe/bin-arm64-efi/snp.efi"


def _wrong_program(archive: Path, arch: Architecture) -> str:
    """Return what in a cpio archive is not for *arch*, empty where nothing is; raise one of _UNREADABLE."""
    with archive.open("rb") as file:
        for member in read_newc(file, head=HEADER_SIZE):
            header = read_header(member.head)
            if header is not None and header.machine != arch.elf_machine:
                return f"{member.name} is for ELF machine {header.machine}"
    return ""


def _machine_of(loader: Path) -> Architecture | None:
    try:
        with loader.open("rb") as file:
            return pe_architecture(file.read(EFI_HEAD_SIZE))
    except OSError:
        return None


def _folders_of_binaries(sysconfdir: Path, statedir: Path) -> tuple[Path, ...]:
    configuration = read_configuration(sysconfdir, "database.conf")
    driver = "".join(configuration.get("database driver", ())).lower()
    # The default depends on the database (DataStore/SQL/SQLite.pm), its folder on the version.
    default = "filesystem" if driver.startswith("sqlite") else "database"
    if "".join(configuration.get("binstore kind", (default,))).lower() != "filesystem":
        return ()
    configured = tuple(Path(path) for path in configuration.get("binstore fs path", ()))
    return configured or (statedir / "binstore", statedir / "warewulf/binstore")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
