"""A docker-archive, written in one pass: what container engines load and Warewulf 4 imports.

Format: moby, image/spec/v1.2.md ("Combined Image JSON + Filesystem Changeset Format"). Both ends take the
architecture from the configuration in it and from nowhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crossbuild.host.archives import END, padding, pax, pax_size, plain_header
from crossbuild.model.architecture import Architecture

MakeConfig = Callable[[tuple[str, ...]], bytes]
"""Returns the image's configuration, given the sha256 of each layer as it was written."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A tar of files, compressed or not, that is read once."""

    name: str
    """Of its member in the archive."""
    size: int
    """Bytes that *blocks* hold: a member's header comes before its content."""
    blocks: Iterable[bytes]


def root_layer(root: Path, name: str = "layer.tar") -> Layer:
    """Return the whole tree *root* as one layer."""
    return Layer(name=name, size=pax_size(root), blocks=pax(root))


def plain_config(arch: Architecture, layers: Sequence[str], epoch: int) -> bytes:
    """Return the configuration of an image of uncompressed *layers*, which are known by their sha256."""
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _json(
        {
            "architecture": arch.oci,
            "os": "linux",
            "created": created,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}" for layer in layers]},
            "history": [{"created": created, "created_by": "crossbuild"}] * len(layers),
        }
    )


def docker_archive(
    layers: Sequence[Layer], make_config: MakeConfig, *, tag: str, epoch: int
) -> Iterator[bytes]:
    """Yield the archive of an image called *tag*; *epoch* is the time of its members."""
    digests = []
    for layer in layers:
        checksum = hashlib.sha256()
        yield plain_header(layer.name, layer.size, epoch)
        for block in layer.blocks:
            checksum.update(block)
            yield block
        yield padding(layer.size)
        digests.append(checksum.hexdigest())
    config = make_config(tuple(digests))
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    names = [layer.name for layer in layers]
    manifest = _json([{"Config": config_name, "RepoTags": [tag], "Layers": names}])
    for name, content in ((config_name, config), ("manifest.json", manifest)):
        yield plain_header(name, len(content), epoch) + content + padding(len(content))
    yield END


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
