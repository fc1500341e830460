"""An artifact set of files that were made elsewhere, with what their own bytes prove."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from crossbuild.artifacts.ims import manifest
from crossbuild.artifacts.record import write_adopted
from crossbuild.artifacts.storage import write_blocks, write_json, write_text
from crossbuild.artifacts.store import load_set
from crossbuild.errors import ArtifactError, UsageError, VerificationError
from crossbuild.formats.kernel_image import recognise
from crossbuild.host.publish import publish
from crossbuild.host.workspace import workspace
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import ArchProof, Artifact, ArtifactSet, Kernel
from crossbuild.model.spec import is_name
from crossbuild.model.survey import TreeSurvey
from crossbuild.verification.archives import DAMAGE, Member
from crossbuild.verification.packed import ARCHIVES, verify_packed

BLOCK = 1 << 20
PLACES = {
    "bootstrap": "warewulf3/{name}.wwbs",
    "vnfs": "warewulf3/{name}.vnfs",
    "archive": "warewulf4/{name}.tar",
    "rootfs": "ims/rootfs",
    "kernel": "ims/kernel",
    "initrd": "ims/initrd",
    "boot_parameters": "ims/boot_parameters",
}
"""Where each kind of file lies in a set."""
TOGETHER = (("bootstrap", "vnfs"), ("rootfs", "kernel", "initrd"))
"""Files that a provisioner wants all of."""

_KERNEL = re.compile(r"/boot/(?:Image|vmlinuz)-(?P<boot>.+)|(?:/usr)?/lib/modules/(?P<lib>[^/]+)/vmlinuz")
_MODULES = re.compile(r"(?:/initramfs)?(?:/usr)?/lib/modules/(?P<version>[^/]+)/.+")
_NOTHING = TreeSurvey(
    files=0, directories=0, links=0, size=0, capabilities=(), attributes=(), oversized=(), devices=(),
    sockets=(), odd_names=(),
)  # fmt: skip
"""Of the root that these files were made of nothing is known."""


@dataclass
class _Learned:
    """What the archives tell besides the architecture of their programs."""

    arch: Architecture
    init: str = ""
    interpreter: str = ""
    module_version: str = ""
    kernels: dict[PurePosixPath, bytes] = field(default_factory=dict)
    """The beginning of each kernel, by its place."""

    def add(self, member: Member) -> None:
        """Look at *member*."""
        path = str(member.path)
        if path in {"/sbin/init", "/usr/sbin/init", "/usr/lib/systemd/systemd", "/lib/systemd/systemd"}:
            self.init = path
        if path.endswith(f"/{PurePosixPath(self.arch.interpreter).name}"):
            self.interpreter = path
        if match := _MODULES.fullmatch(path):
            self.module_version = match["version"]
        if path == "/kernel" or _KERNEL.fullmatch(path):
            self.kernels[member.path] = member.head


def adopt(name: str, files: Mapping[str, Path], output: Path, *, arguments: str = "") -> ArtifactSet:
    """Make the set *output*/*name* of copies of *files*, by their kinds in PLACES, and return it.

    Raises UsageError for files that do not belong together, ArtifactError for damaged ones, and
    VerificationError unless all programs and kernels in them are for aarch64. *arguments* are the kernel's.
    """
    target = output.absolute() / name
    _require_complete(name, files, target)
    arch = Architecture.AARCH64
    with workspace(output.absolute() / ".crossbuild", name) as scratch:
        directory = scratch / "set"
        directory.mkdir()
        artifacts = [_copied(path, directory, PLACES[kind].format(name=name)) for kind, path in files.items()]
        if "rootfs" in files:
            artifacts += _completed(files, directory, artifacts, arguments)
        if "archive" in files:
            _require_platform(files["archive"], arch)
        proof, kernel = _proved(directory, arch)
        write_adopted(name, proof, kernel, arguments, artifacts, directory)
        publish(directory, target)
    return load_set(target)


def _require_complete(name: str, files: Mapping[str, Path], target: Path) -> None:
    if not is_name(name):
        raise UsageError(
            f"`{name}` cannot name an image.", details="It names files, and is shown to provisioners."
        )
    if not files:
        raise UsageError("There is nothing to adopt.", resolution="Name at least one file: see `--help`.")
    for group in TOGETHER:
        missing = [kind for kind in group if kind not in files]
        if missing and len(missing) < len(group):
            raise UsageError(
                f"A provisioner wants {' and '.join(group)} together.", details=f"Missing: {missing}"
            )
    if target.exists():
        raise UsageError(f"{target} is there already.", resolution="Choose another name or `--output`.")


def _copied(source: Path, directory: Path, path: str) -> Artifact:
    try:
        with source.open("rb") as file:
            return write_blocks(iter(lambda: file.read(BLOCK), b""), directory, path)
    except OSError as error:
        raise ArtifactError(f"{source} cannot be read.", details=str(error)) from error


def _completed(
    files: Mapping[str, Path], directory: Path, artifacts: list[Artifact], arguments: str
) -> Iterator[Artifact]:
    """Yield what an IMS set has besides the files that were given."""
    made = [artifact for artifact in artifacts if artifact.path.parts[0] == "ims"]
    if "boot_parameters" not in files:
        made.append(write_text(arguments, directory, PLACES["boot_parameters"]))
        yield made[-1]
    # Nothing tells when they were made, and sets of the same files must be the same.
    yield write_json(manifest(tuple(made), 0), directory, "ims/manifest.json")


def _require_platform(archive: Path, arch: Architecture) -> None:
    """Raise unless *archive* is a docker-archive whose configuration names *arch*."""
    try:
        with tarfile.open(archive) as opened:
            (entry,) = _json(opened, "manifest.json")
            found = _json(opened, entry["Config"])["architecture"]
    except (*DAMAGE, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{archive} is no docker-archive of one image.",
            details=f"{type(error).__name__}: {error}",
            resolution="Make one with `podman save --format docker-archive`.",
        ) from error
    if found != arch.oci:
        raise VerificationError(f"{archive} says that it is for {found}.", details=f"It must say {arch.oci}.")


def _json(archive: tarfile.TarFile, name: str) -> Any:
    content = archive.extractfile(name)
    if content is None:
        raise ValueError(f"{name} is no file")
    return json.load(content)


def _proved(directory: Path, arch: Architecture) -> tuple[ArchProof, Kernel | None]:
    verification = verify_packed(directory, _NOTHING, arch)
    verification.raise_for_findings()
    if not verification.proof.elf_files:
        raise VerificationError(
            f"Nothing in these files proves that they are for {arch}.",
            details="They hold no ELF files at all.",
            resolution="Look into them: an image of a system holds programs.",
        )
    learned = _Learned(arch)
    for kind in ARCHIVES:
        for archive in sorted(directory.glob(kind.pattern)):
            for member in kind.read(archive, ()):
                learned.add(member)
    kernel, evidence = _kernel(learned, directory, arch)
    proof = ArchProof(
        **{
            **asdict(verification.proof),
            "interpreter": learned.interpreter,
            "init": learned.init,
            "kernel_header": evidence,
        }
    )
    return proof, kernel


def _kernel(learned: _Learned, directory: Path, arch: Architecture) -> tuple[Kernel | None, str]:
    """Return the kernel that a node would boot, and what its header says; raise if one is not for *arch*."""
    heads = dict(learned.kernels)
    if (separate := directory / PLACES["kernel"]).is_file():
        with separate.open("rb") as file:
            heads[PurePosixPath("/ims/kernel")] = file.read(BLOCK)
    found = {path: recognise(head) for path, head in heads.items()}
    foreign = [str(path) for path, image in found.items() if image.arch is not arch]
    if foreign:
        raise VerificationError(f"A kernel is not for {arch}.", details="\n".join(foreign))
    if not found:
        return None, ""
    # What is not in gzip first: nodes are started with that.
    path, image = min(found.items(), key=lambda item: (item[1].gzipped, str(item[0])))
    match = _KERNEL.fullmatch(str(path))
    version = (match["boot"] or match["lib"]) if match else learned.module_version
    kernel = Kernel(version=version, path=path, format=image.format, gzipped=image.gzipped)
    return kernel, image.evidence
