"""A builder's tree without an engine: made of a root or of an archive, and packed; runs do without this."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from crossbuild.builders.contract import ArchiveBase, Base, ImageBase, RootBase, TreeBase
from crossbuild.builders.unpacking import ATTRIBUTES, copy_tree, extract_tar, in_words, require_arch, unpack
from crossbuild.errors import CommandFailedError, UsageError
from crossbuild.host import rooted
from crossbuild.machines.environment import environment_of_builds
from crossbuild.machines.sandbox import Overlay, Sandbox, SandboxMachine
from crossbuild.model.architecture import Architecture


def plant(base: Base, target: Path, arch: Architecture) -> None:
    """Make the tree *target* of *base*.

    Raises ArtifactError where it is not for *arch*, UsageError for an image, which takes an engine.
    """
    match base:
        case RootBase():
            require_arch(base.path, base.path, arch)
            if base.consumed:
                shutil.move(base.path, target)
            else:
                copy_tree(base.path, target)
        case ArchiveBase():
            unpack(base.path, target, arch)
        case TreeBase():
            target.mkdir()
            extract_tar(base.path, target, f"unpack {base.path}")
            require_arch(target, base.path, arch)
        case ImageBase():
            raise UsageError(
                f"Without a container engine, nothing can get the image {base.reference}.",
                resolution="Start Docker or Podman, or make the builder of a root or of an archive.",
            )
    # An entry point for the host's name servers: runs that go on side by side need one that stays.
    resolver = rooted.resolve(target, "/etc/resolv.conf", last_link=False)
    if not os.path.lexists(resolver):
        resolver.parent.mkdir(parents=True, exist_ok=True)
        resolver.touch()


def pack(root: Path, overlay: Overlay, target: Path) -> None:
    """Write the tree of *overlay*, which is mounted at *root* meanwhile, to *target* as a tar."""
    sandbox = Sandbox(root=root, pivot=False, api=False, overlay=overlay, writable=(target.parent,))
    machine = SandboxMachine(sandbox=sandbox, env=environment_of_builds())
    target.touch(mode=0o600, exist_ok=False)
    places = ["--directory", os.fspath(root), "--file", os.fspath(target)]
    argv = ["tar", *ATTRIBUTES, "--create", "--sort=name", "--sparse", *places, "."]
    try:
        machine.run(argv, on_line=lambda _: None)
    except CommandFailedError as error:
        raise in_words(error, "pack the builder's files") from error
