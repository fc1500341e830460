"""Sets to be booted: the example's, changed in one thing each, and tiny ones that only start and end."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

from crossbuild.artifacts.compression import gzipped
from crossbuild.booting import unpacking
from crossbuild.booting.tools import copy_tools
from crossbuild.booting.warewulf3 import TOOLS
from crossbuild.host.archives import newc
from crossbuild.host.digests import file_digests
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind


def resealed(
    source: Path, target: Path, files: Mapping[str, bytes], way: OutputKind, **record: object
) -> Path:
    """Copy what the set *source* has for *way*, with other *files* and other keys of the record."""
    shutil.copytree(source / way, target / way, copy_function=os.link)
    value = {**json.loads((source / "image.json").read_text()), **record}
    value["files"] = [entry for entry in value["files"] if entry["path"].startswith(f"{way}/")]
    for path, content in files.items():
        (target / path).unlink(missing_ok=True)
        (target / path).write_bytes(content)
        digests = file_digests(target / path)
        for entry in value["files"]:
            if entry["path"] == path:
                entry.update(size=digests.size, sha256=digests.sha256, md5=digests.md5)
    (target / "image.json").write_text(json.dumps(value))
    return target


def only(name: str, folder: Path) -> str:
    """Return the path of the one file of the set in *folder* that matches *name*."""
    (found,) = folder.glob(name)
    return str(found.relative_to(folder))


def without_driver(source: Path, target: Path, scratch: Path) -> Path:
    """Make the set whose bootstrap has no driver of a virtio network."""
    path = only("warewulf3/*.wwbs", source)
    tree = unpacking.unpack(source / path, scratch / "bootstrap")
    for module in tree.rglob("virtio_net.ko*"):
        module.unlink()
    return resealed(source, target, {path: archive(tree, scratch)}, OutputKind.WAREWULF3)


def with_layer(source: Path, target: Path, files: Mapping[str, str]) -> Path:
    """Make the set whose docker-archive has one more layer, with *files* by their paths."""
    path = only("warewulf4/*.tar", source)
    buffer = io.BytesIO()
    with tarfile.open(source / path) as before, tarfile.open(fileobj=buffer, mode="w") as after:
        for member in before:
            file = before.extractfile(member)
            assert file is not None
            data = file.read()
            if member.name == "manifest.json":
                manifest = json.loads(data)
                manifest[0]["Layers"].append("more.tar")
                data = json.dumps(manifest).encode()
            add(after, member.name, data)
        more = io.BytesIO()
        with tarfile.open(fileobj=more, mode="w") as layer:
            for name, content in files.items():
                add(layer, name, content.encode())
        add(after, "more.tar", more.getvalue())
    return resealed(source, target, {path: buffer.getvalue()}, OutputKind.WAREWULF4)


class TinyRoots:
    """Makes sets for Warewulf 3 with a few programs of the example and an init of the test's own."""

    def __init__(self, example: Path, scratch: Path) -> None:
        """Take programs from the *example*; *scratch* is a new folder for all sets."""
        self._example, self._scratch = example, scratch
        self.root = unpacking.unpack(example / only("warewulf3/*.vnfs", example), scratch / "root")

    def make(self, name: str, init: str = "") -> Path:
        """Return a set that is called *name*; without *init*, that is `findmnt` with a foreign library."""
        tree = self._scratch / name
        tools = (*TOOLS, "cpio", "findmnt")
        copy_tools(self.root, Architecture.AARCH64, tools, tree)
        if init:
            (tree / "bin/init").write_text(f"#!/bin/bash\n{init}\n")
            (tree / "bin/init").chmod(0o755)
        else:
            (tree / "bin/findmnt").rename(tree / "bin/init")
            shutil.copy(foreign("libsmartcols.so.1"), tree / "lib/libsmartcols.so.1")
        path = only("warewulf3/*.vnfs", self._example)
        files = {path: archive(tree, self._scratch)}
        return resealed(self._example, self._scratch / f"{name}-set", files, OutputKind.WAREWULF3)


def foreign(library: str) -> Path:
    """Return *library* of this host."""
    return next(path for path in Path("/usr/lib").glob(f"*/{library}"))


def archive(tree: Path, scratch: Path) -> bytes:
    """Return *tree* as newc in gzip."""
    return b"".join(gzipped(newc(tree, scratch / "names", owner="+0:+0")))


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    tar.addfile(member, io.BytesIO(content))
