"""What runs the worker on a host: its own Python, or a container of a Podman that plays its part here."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.errors import CommandFailedError, HostNotReadyError
from crossbuild.jobs.contained import REPOSITORY, ContainedWorker, Needed, ToolsImage
from crossbuild.jobs.places import Place, ThisHost
from crossbuild.jobs.sending import worker_at
from crossbuild.jobs.speaking import Worker
from crossbuild.model.job import Ending
from tests.unit.jobs.test_speaking import ORDER, quiet

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers of ordinary users are not used")

FAKE = """\
#!/bin/sh
# Has images as files in the folder HAS, and runs what it is told on this host.
echo "$@" >>HAS/.log
case "$1 $2" in
  "image exists") [ -e "HAS/$(basename "$3")" ] ;;
  "load --quiet") [ ! -e HAS/.full ] && touch "HAS/$(cat)" ;;
  "images --filter") for found in HAS/*; do
      [ -e "$found" ] && echo "$(printf '%s' "$5" | sed 's/{{.*//')localhost/$(basename "$found")"
    done ;;
  "rmi "*) rm "HAS/$(basename "$2")" ;;
  "container exists") false ;;
  "run "*)
    while [ "${1#localhost/}" = "$1" ]; do shift; done
    shift 2
    exec PYTHON "$@" ;;
esac
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(name="arm1", jobs=PurePosixPath(tmp_path / "jobs"), shore=ThisHost())


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the images of a Podman, on a PATH with everything but Python and it."""
    programs, images = tmp_path / "programs", tmp_path / "images"
    programs.mkdir()
    images.mkdir()
    for program in Path("/usr/bin").iterdir():
        if not program.name.startswith(("python", "podman")):
            (programs / program.name).symlink_to(program)
    fake = programs / "podman"
    fake.write_text(FAKE.replace("HAS", str(images)).replace("PYTHON", sys.executable))
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return images


@pytest.fixture
def python(podman: Path) -> Path:
    """A Python beside that Podman."""
    path = podman.parent / "programs/python3"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return path


def needed(folder: Path, program: str = "no-such-manager", digest: str = "1") -> Needed:
    """Return what takes *program*, or an image."""
    tag = f"apt-aarch64-recipe-{digest}"
    archive = folder / f"{tag}.tar.gz"
    archive.write_bytes(gzip.compress(f"{REPOSITORY.partition('/')[2]}:{tag}\n".encode()))
    image = ToolsImage(name=f"{REPOSITORY}:{tag}", archive=archive)
    return Needed(programs=(program,), image=lambda: image, notice=lambda _: None)


def test_a_host_that_lacks_only_the_package_manager_asks_with_its_own_python(
    place: Place, python: Path, podman: Path, tmp_path: Path
) -> None:
    worker = worker_at(place, tmp_path / "cache", needed(tmp_path))
    assert isinstance(worker, ContainedWorker)
    # That one itself: what PATH has is a script.
    assert (worker.python, worker.image) == ((sys.executable,), f"{REPOSITORY}:apt-aarch64-recipe-1")
    handed = tmp_path / "handed.tar"
    handed.touch()
    worker.begin(ORDER, lambda: handed)
    assert worker.follow("a-1", quiet, quiet).ending is Ending.FAILED
    asked = [line for line in log(podman) if line.startswith("run")]
    assert len(asked) == 1
    assert "--detach --name=crossbuild-a-1 --cap-add=SYS_ADMIN" in asked[0]


def test_a_host_with_all_programs_takes_no_container(
    place: Place, python: Path, podman: Path, tmp_path: Path
) -> None:
    worker = worker_at(place, tmp_path / "cache", needed(tmp_path, program="cat"))
    assert type(worker) is Worker
    assert log(podman) == []


def test_a_python_that_needs_the_script_around_it_keeps_it(
    place: Place, python: Path, tmp_path: Path
) -> None:
    python.write_text(f'#!/bin/bash\nexec -a /nowhere/python3 {sys.executable} "$@"\n')
    assert worker_at(place, tmp_path / "cache").python == ("python3",)


def test_without_podman_the_host_says_itself_what_it_lacks(
    place: Place, python: Path, tmp_path: Path
) -> None:
    python.with_name("podman").unlink()
    assert type(worker_at(place, tmp_path / "cache", needed(tmp_path))) is Worker


def test_an_image_is_sent_once_and_takes_the_place_of_its_forerunner(
    place: Place, podman: Path, tmp_path: Path
) -> None:
    for other in ("dnf-aarch64-recipe-1", "apt-x86_64-recipe-1"):
        (podman / f"crossbuild-tools:{other}").touch()
    (podman / "crossbuild-tools:apt-aarch64-earlier-1").touch()
    for digest in ("1", "1", "2"):
        worker_at(place, tmp_path / "cache", needed(tmp_path, digest=digest))
    assert sum(line.startswith("load") for line in log(podman)) == 2
    tags = sorted(path.name.partition(":")[2] for path in podman.glob("crossbuild*"))
    assert tags == ["apt-aarch64-recipe-2", "apt-x86_64-recipe-1", "dnf-aarch64-recipe-1"]
    assert list(Path(place.jobs).glob(".workers/*.gz")) == []


def test_an_image_that_is_not_taken_is_the_hosts_fault(place: Place, podman: Path, tmp_path: Path) -> None:
    (podman / ".full").touch()
    with pytest.raises(HostNotReadyError, match="does not take the tools"):
        worker_at(place, tmp_path / "cache", needed(tmp_path))
    assert list(Path(place.jobs).glob(".workers/*.gz")) == []


def test_jobs_are_asked_for_by_whatever_image_is_there(place: Place, podman: Path, tmp_path: Path) -> None:
    with pytest.raises(HostNotReadyError, match="no Python"):
        worker_at(place, tmp_path / "cache")
    worker_at(place, tmp_path / "cache", needed(tmp_path)).commission(ORDER)
    (standing,) = worker_at(place, tmp_path / "cache").standings()
    assert (standing.job, standing.running) == ("a-1", False)
    assert "SYS_ADMIN" not in "".join(log(podman))


def test_a_container_that_ends_at_once_says_why(place: Place, podman: Path, tmp_path: Path) -> None:
    worker = worker_at(place, tmp_path / "cache", needed(tmp_path))
    worker.commission(ORDER)
    (Path(place.jobs) / "a-1/stderr").write_text("cannot lock\n")
    (podman.parent / "programs/podman").write_text("#!/bin/sh\n[ $1 = run ]\n")
    with pytest.raises(CommandFailedError) as caught:
        worker.start("a-1")
    assert "cannot lock" in caught.value.details


def log(podman: Path) -> list[str]:
    """Return the command lines of that Podman."""
    path = podman / ".log"
    return path.read_text().splitlines() if path.exists() else []
