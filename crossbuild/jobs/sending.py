"""Brings the worker to a host, and finds what runs it there: a Python of the host, or a container."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.jobs.bundle import worker_file
from crossbuild.jobs.contained import PODMAN, REPOSITORY, ContainedWorker, Needed, asking, brought
from crossbuild.jobs.places import Place
from crossbuild.jobs.speaking import NodeNotReadyError, Worker
from crossbuild.model import job as names

# Says where a Python is that is new enough, which of the named programs are there, and whether the worker is;
# removes all workers but the four that were used last, and what a lost connection left half sent a day ago.
# Python itself says where it is: what PATH has may be a script that looks for it anew at each start, or one
# without which it does not run. Only the last folder is made: those above it are the administrator's. Images
# are listed only where no Python runs the worker, since that takes a while.
_LOOK = """\
umask 077
mkdir "$1" 2>/dev/null
test -d "$1" || exit 3
find "$1" -maxdepth 0 -type d -user "$(id -u)" ! -perm /077 | grep -q . || exit 4
cd "$1" && mkdir -p .workers || exit 3
key=$2 images=$3
asking='import sys; print(sys.executable); sys.exit(sys.version_info < (3, 11))'
shift 3
for python in python3 python3.14 python3.13 python3.12 python3.11 none; do
  if [ $python = none ]; then
    podman images --filter "reference=$images" --format 'image {{.Repository}}:{{.Tag}}' 2>/dev/null
  elif found=$("$python" -I -c "$asking" 2>/dev/null); then
    "$found" -I -c '' 2>/dev/null || found=$python
    echo "python $found"
    break
  fi
done
for program in "$@"; do
  # Podman of ordinary users gives no device nodes to roots.
  [ "$program" = podman ] && [ "$(id -u)" -ne 0 ] && continue
  command -v "$program" >/dev/null && echo "program $program"
done
cd .workers
touch --no-create "$key"
test -d "$key" && echo "worker $key"
find . -mindepth 1 -maxdepth 1 -name '*.*' -mtime +0 -exec rm -rf {} +
ls -t | grep -v '[.]' | tail -n +5 | while read -r unused; do rm -rf "$unused"; done
"""
FOREIGN = 4
"""Its status where the folder of jobs is somebody else's, or open to others."""
# Beside its place, so that others see all of it or nothing; who comes second has nothing to do.
_UNPACK = """\
jobs=$1 key=$2 sent=$3
shift 3
cd "$jobs/.workers" && "$@" -I -m zipfile -e "$PWD/$sent.pyz" "$PWD/$sent.d" && rm -f "$sent.pyz" || exit 1
mv -T "$sent.d" "$key" 2>/dev/null || rm -rf "$sent.d"
"""


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What a look at a host found."""

    python: str
    """Empty where none is new enough."""
    programs: frozenset[str]
    images: tuple[str, ...]
    worker: bool

    def lacks(self, programs: Sequence[str]) -> bool:
        return not self.python or not self.programs.issuperset(programs)


def worker_at(place: Place, cache: Path, needed: Needed | None = None) -> Worker:
    """Return the worker at *place*, sent now unless it is there; *cache* is a folder of this host.

    Without *needed*, it can do everything with jobs but begin one. Raises HostNotReadyError where it cannot
    run, NodeUnreachableError or another error of the way there.
    """
    file = worker_file(cache)
    found = _look(place, file.stem, needed.programs if needed else ())
    folder = place.jobs / names.WORKERS / file.stem
    if needed and PODMAN in found.programs and found.lacks(needed.programs):
        image = brought(place, needed)
        python = (found.python,) if found.python else asking(image, place.jobs)
        worker: Worker = ContainedWorker(place=place, python=python, folder=folder, image=image)
    else:
        worker = Worker(place=place, python=_python(place, found), folder=folder)
    if not found.worker:
        # Several clients may send it at a time.
        sent = f"{file.stem}.{secrets.token_hex(4)}"
        place.shore.send(file, folder.with_name(f"{sent}.pyz"))
        place.shore.run(["sh", "-c", _UNPACK, "sh", str(place.jobs), file.stem, sent, *worker.python])
    return worker


def _look(place: Place, key: str, programs: Sequence[str]) -> _Found:
    jobs = str(place.jobs)
    wanted = [PODMAN, *programs] if programs else []
    looked = place.shore.run(["sh", "-c", _LOOK, "sh", jobs, key, REPOSITORY, *wanted], check=False)
    if looked.status == FOREIGN:
        raise NodeNotReadyError(
            f"The folder {jobs} on {place.name} is not this user's alone.",
            details="What runs as a job lies there, and somebody else could change it.",
            resolution="Look at what is in it, remove it, and run it again.",
        )
    if looked.status:
        raise NodeNotReadyError(
            f"{place.name} has no place for builds.",
            details=looked.stderr.strip(),
            resolution=f"Make the folder {place.jobs.parent} there: `crossbuild node prepare` says how.",
        )
    said = [line.partition(" ")[::2] for line in looked.stdout.splitlines()]
    return _Found(
        python=next((value for word, value in said if word == "python"), ""),
        programs=frozenset(value for word, value in said if word == "program"),
        images=tuple(value for word, value in said if word == "image"),
        worker=("worker", key) in said,
    )


def _python(place: Place, found: _Found) -> tuple[str, ...]:
    if found.python:
        return (found.python,)
    if found.images:
        return asking(found.images[0], place.jobs)
    raise NodeNotReadyError(
        f"{place.name} has no Python that is new enough.",
        details="Python 3.11 or a newer one was looked for on PATH, and an image of tools in Podman.",
        resolution="`crossbuild node prepare` says which package has it.",
    )
