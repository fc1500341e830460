"""Images in files, whatever the format, as the one archive that every engine loads as what it is.

Docker 20.10 loads no OCI layout, and records its own architecture for what it imports from a plain tar.
Formats: moby, image/spec/v1.2.md; OCI image-spec, image-layout.md, image-index.md, manifest.md.
"""

from __future__ import annotations

import contextlib
import json
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from crossbuild.engines.images import wrong_arch
from crossbuild.errors import ArtifactError, CrossbuildError
from crossbuild.host.docker_archive import Layer, MakeConfig, docker_archive, plain_config, root_layer
from crossbuild.model.architecture import Architecture

READ = 1 << 20
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError)
"""What reading a file that was cut off or changed raises."""
INDEXES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
"""Media types of what lists images, one for each platform."""


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """An image in a file, read once."""

    layers: tuple[Layer, ...]
    make_config: MakeConfig

    def archive(self, tag: str) -> Iterator[bytes]:
        """Yield it as a docker-archive of the image *tag*."""
        return docker_archive(self.layers, self.make_config, tag=tag, epoch=0)


class Files(Protocol):
    """Named files of a folder or an archive."""

    def __contains__(self, name: str) -> bool: ...

    def read(self, name: str) -> bytes:
        """Return what the file holds; raise KeyError or OSError."""

    def layer(self, name: str, member: str) -> Layer:
        """Return the file as a layer called *member*."""


def root_image(root: Path, arch: Architecture) -> ImageFile:
    """Return the tree *root* as an image."""
    return ImageFile(
        layers=(root_layer(root),), make_config=lambda digests: plain_config(arch, digests, epoch=0)
    )


@contextlib.contextmanager
def image_file(path: Path, arch: Architecture) -> Iterator[ImageFile]:
    """Yield the image for *arch* in *path*: a docker-archive, an OCI layout or its tar, or the tar of a root.

    Raises ArtifactError where it is for another architecture, or is none of these.
    """
    with contextlib.ExitStack() as opened:
        try:
            files = _Folder(path) if path.is_dir() else _Archive(opened.enter_context(tarfile.open(path)))
            image = _image(files, path, arch)
        except (OSError, *_DAMAGE, ValueError, KeyError, IndexError, TypeError) as error:
            raise _unreadable(path, error) from error
        try:
            yield image
        except _DAMAGE as error:
            raise _unreadable(path, error) from error


def tree_image(path: Path, arch: Architecture) -> ImageFile:
    """Return the tree in the uncompressed tar *path*, whatever files are in it, as an image."""
    layer = Layer(name="layer.tar", size=path.stat().st_size, blocks=_blocks(path))
    return ImageFile(layers=(layer,), make_config=lambda digests: plain_config(arch, digests, epoch=0))


def _unreadable(path: Path, error: Exception) -> CrossbuildError:
    if isinstance(error, CrossbuildError):
        return error
    return ArtifactError(
        f"{path} holds no image that crossbuild can read.",
        details=str(error),
        resolution="Give a docker-archive (`docker save`), an OCI layout, or a tar of a root, whole.",
    )


def _image(files: Files, path: Path, arch: Architecture) -> ImageFile:
    if "manifest.json" in files:
        (manifest,) = json.loads(files.read("manifest.json"))
        return _known(files, files.read(manifest["Config"]), manifest["Layers"], path, arch)
    if "index.json" in files:
        manifest = _manifest(files, json.loads(files.read("index.json")), arch)
        config = files.read(_blob(manifest["config"]))
        return _known(files, config, [_blob(layer) for layer in manifest["layers"]], path, arch)
    if path.is_dir():
        raise ValueError("The folder has neither index.json nor manifest.json.")
    return _plain(path, arch)


def _known(files: Files, config: bytes, layers: list[str], path: Path, arch: Architecture) -> ImageFile:
    found = json.loads(config).get("architecture", "nothing")
    if found != arch.oci:
        raise wrong_arch(str(path), found, arch)
    return ImageFile(
        layers=tuple(files.layer(name, f"{number}.tar") for number, name in enumerate(layers)),
        make_config=lambda _: config,
    )


def _plain(path: Path, arch: Architecture) -> ImageFile:
    """Return an image of one layer, a tar that is not compressed: a layer is known by what it unpacks to."""
    with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
        archive.next()
    return tree_image(path, arch)


def _manifest(files: Files, index: Any, arch: Architecture) -> Any:
    """Return the manifest of *index* that is for *arch*, or its only one."""
    entries = index["manifests"]
    fitting = [entry for entry in entries if entry.get("platform", {}).get("architecture") == arch.oci]
    entry = (fitting or entries)[0]
    found = json.loads(files.read(_blob(entry)))
    if entry.get("mediaType") in INDEXES:
        return _manifest(files, found, arch)
    return found


def _blob(descriptor: Any) -> str:
    """Return where a layout keeps what *descriptor* names (image-layout.md, "Blobs")."""
    algorithm, _, digest = str(descriptor["digest"]).partition(":")
    return f"blobs/{algorithm}/{digest}"


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(READ):
            yield block


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __contains__(self, name: str) -> bool:
        return self._path(name).is_file()

    def read(self, name: str) -> bytes:
        return self._path(name).read_bytes()

    def layer(self, name: str, member: str) -> Layer:
        path = self._path(name)
        return Layer(name=member, size=path.stat().st_size, blocks=_blocks(path))

    def _path(self, name: str) -> Path:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise ValueError(f"{name} leads out of the folder.")
        return path


class _Archive:
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._names = {name.removeprefix("./"): name for name in archive.getnames()}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str) -> bytes:
        with self._open(name) as file:
            return bytes(file.read())

    def layer(self, name: str, member: str) -> Layer:
        with self._open(name) as file:
            size = file.seek(0, 2)
        return Layer(name=member, size=size, blocks=self._blocks(name))

    def _blocks(self, name: str) -> Iterator[bytes]:
        with self._open(name) as file:
            while block := file.read(READ):
                yield block

    def _open(self, name: str) -> Any:
        # A layer that another one repeats is a link to it, which is followed.
        file = self._archive.extractfile(self._names[name])
        if file is None:
            raise ValueError(f"{name} is no file.")
        return file
