"""The worker in a container of Podman, for hosts that lack a Python, or the package manager of an image."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild.host.locks import NoticeSink
from crossbuild.jobs.places import Place
from crossbuild.jobs.speaking import NodeNotReadyError, Worker
from crossbuild.model import job as names
from crossbuild.wording import size_text

PODMAN = "podman"
REPOSITORY = "localhost/crossbuild-tools"
"""Of the images that are sent; what a host is told to run is never looked for elsewhere."""
PYTHON = "python3"
STARTING, LOADING = 300, 1800
"""Seconds that a container, and an image, may take on a slow and busy host."""

# Podman 4.3 reads no gzip of several members. Of each family, the image that was sent last stays; one that a
# job uses is not removed.
_LOAD = """\
gzip -dc <"$1" | podman load --quiet >/dev/null
status=$?
rm -f "$1"
[ "$status" -eq 0 ] || exit "$status"
podman images --filter "reference=$3" --format '{{.Repository}}:{{.Tag}}' |
  grep "^$4-" | grep -v -F -x "$2" | while read -r old; do podman rmi "$old"; done >/dev/null 2>&1
:
"""
# The process id is written once the worker holds its lock: until then nobody could tell it from a dead one.
_START = """\
name=$1 folder=$2
shift 2
"$@" >/dev/null || exit
while ! [ -e "$folder/pid" ]; do
  if ! podman container exists "$name" && ! [ -e "$folder/pid" ]; then
    cat "$folder/stderr" >&2
    exit 1
  fi
  sleep 0.1
done
"""


@dataclass(frozen=True, kw_only=True)
class ToolsImage:
    """An image with a Python and the package managers of one family, in a file of this host."""

    name: str
    """It begins with REPOSITORY and ends with a digest of what is in it."""
    archive: Path

    @property
    def kind(self) -> str:
        """The name without digests: of one kind, a host keeps one image."""
        return self.name.rsplit("-", 2)[0]


@dataclass(frozen=True, kw_only=True)
class Needed:
    """What makes the roots of one family."""

    programs: tuple[str, ...]
    """Those that a host must have, besides Python, to do without an image."""
    image: Callable[[], ToolsImage]
    """What stands in for them; making it may take minutes."""
    notice: NoticeSink


@dataclass(frozen=True, kw_only=True)
class ContainedWorker(Worker):
    """The worker on a host whose jobs run in containers of *image*."""

    image: str
    taking = "take"

    def start(self, job: str) -> None:
        """Let *job* begin in a container that is called after it, and is gone when the job has ended."""
        name = f"crossbuild-{job}"
        words = [*building(self.image, self.place.jobs, name), "-I", str(self.folder)]
        folder = self.place.jobs / job
        argv = ["sh", "-c", _START, "sh", name, str(folder), *words, "work", str(self.place.jobs), job]
        self.place.shore.run(argv, timeout=STARTING)


def asking(image: str, jobs: PurePosixPath) -> tuple[str, ...]:
    """Return the words that start a Python that looks at *jobs*, or ends one, in a container of *image*."""
    return (PODMAN, "run", "--rm", "--interactive", *_common(jobs), image, PYTHON)


def building(image: str, jobs: PurePosixPath, name: str) -> tuple[str, ...]:
    """Return the words that start a Python that makes roots, in a container that outlives the connection."""
    return (
        PODMAN, "run", "--rm", "--detach",
        f"--name={name}",
        "--cap-add=SYS_ADMIN",  # the namespaces and mounts of sandboxes
        "--cap-add=MKNOD",  # the device nodes of packages
        "--security-opt=apparmor=unconfined",  # containers-default-* forbids mounts
        *_common(jobs),
        image,
        PYTHON,
    )  # fmt: skip


def _common(jobs: PurePosixPath) -> tuple[str, ...]:
    return (
        "--pull=never",
        "--network=none",  # all packages were handed over
        # A worker's process id means the same to everybody who may want to end it.
        "--pid=host",
        "--security-opt=label=disable",  # jobs keep the labels of their folder
        # At the same place as on the host; set-uid programs of a root work in it as they do elsewhere.
        f"--volume={jobs}:{jobs}:rw,suid",
    )


def brought(place: Place, needed: Needed) -> str:
    """Return the name of the image for *needed*, which the host at *place* has from now on."""
    image = needed.image()
    if place.shore.run([PODMAN, "image", "exists", image.name], check=False).status == 0:
        return image.name
    size = size_text(image.archive.stat().st_size)
    needed.notice(f"Sending {place.name} the tools for containers, {size}; it keeps them.")
    # Several clients may send it at a time.
    target = place.jobs / names.WORKERS / f"{secrets.token_hex(4)}.{image.archive.name}"
    place.shore.send(image.archive, target)
    argv = ["sh", "-c", _LOAD, "sh", str(target), image.name, REPOSITORY, image.kind]
    loaded = place.shore.run(argv, check=False, timeout=LOADING)
    if loaded.status:
        raise NodeNotReadyError(
            f"Podman of {place.name} does not take the tools for containers.",
            details=loaded.stderr.strip(),
            resolution="Run `podman info` there: its storage may be full, or not work at all.",
        )
    return image.name
