"""Builders in a real Docker Engine and in a real Podman, which the tests start themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.builders import keeping
from crossbuild.builders.contained import ContainedBackend
from crossbuild.builders.contract import ArchiveBase, ImageBase, RootBase
from crossbuild.distros.builder_images import find_recipe
from crossbuild.engines.archives import root_image
from crossbuild.engines.names import base_image, container_name, repository, snapshot_image
from crossbuild.engines.recipes import build_image
from crossbuild.errors import ArtifactError
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import Builder, EngineKind, Mount, Snapshot
from crossbuild.model.recipe import RecipeSettings
from crossbuild.model.site import Site
from tests.integration import contained_run
from tests.integration.engine_rig import RunningEngine
from tests.integration.terminal_rig import PATIENCE, Terminal, on_terminal

RUNNER = [sys.executable, contained_run.__file__]


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A builder in a running engine."""

    engine: RunningEngine
    backend: ContainedBackend
    builder: Builder
    state: Path

    def argv(self, *words: str | bytes) -> list[str | bytes]:
        """Return the command line that runs *words* in the builder."""
        return [*RUNNER, str(self.state), self.engine.kind.value, self.builder.name, *words]

    def run(self, *words: str | bytes, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run *words* in the builder, without a terminal."""
        return subprocess.run(
            self.argv(*words), input=stdin, capture_output=True, timeout=PATIENCE, check=False
        )

    def sh(self, script: str) -> str:
        """Run *script* in the builder, which must succeed, and return its output."""
        result = self.run("sh", "-c", script)
        assert result.returncode == 0, result.stderr
        return result.stdout.decode()


@pytest.fixture(scope="module")
def rig(engine: RunningEngine, small_root: str, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Rig:
    state = tmp_path_factory.mktemp("state")
    shown = state / "shown"
    shown.mkdir()
    builder = contained_run.make_builder(engine.kind)
    mount = Mount(source=shown, target=PurePosixPath("/opt/ohpc/pub"), read_only=False)
    builder = replace(builder, mounts=(mount,))
    backend = ContainedBackend(contained_run.make_site(state))
    backend.create(builder, RootBase(path=site.roots / small_root, consumed=False))
    return Rig(engine=engine, backend=backend, builder=builder, state=state)


def test_a_builder_runs_aarch64_programs_and_its_image_says_so(rig: Rig) -> None:
    assert rig.sh("uname -mn") == "aarch64 aarch64\n"
    image = rig.engine.client(
        "image", "inspect", base_image(rig.builder.name), "--format", "{{.Architecture}}"
    )
    assert image == "arm64\n"
    assert rig.backend.exists(rig.builder)


def test_words_arrive_byte_for_byte(rig: Rig) -> None:
    words = [
        b"a b",
        b"",
        b"*",
        b"$HOME",
        b"--help",
        b"-x",
        b"new\nline\n",
        "ü".encode(),
        b"'",
        b'"',
        b"\xff\xfe\n",
    ]
    script = b'for word; do printf "%s\\0" "$word"; done'
    result = rig.run(b"sh", b"-c", script, b"sh", *words)
    assert result.stdout == b"".join(word + b"\0" for word in words)


def test_streams_pass_through_whole(rig: Rig) -> None:
    sent = os.urandom(3_000_000)
    result = rig.run("sh", "-c", "cat; echo bad >&2", stdin=sent)
    assert result.stdout == sent
    assert result.stderr == b"bad\n"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "exit 255"], 255),
        (["sh", "-c", "kill -TERM $$"], 143),
        (["no-such-program"], 127),
        (["/etc/passwd"], 126),
    ],
)
def test_the_status_is_that_of_a_shell(rig: Rig, words: list[str], status: int) -> None:
    assert rig.run(*words).returncode == status


def test_a_program_that_is_not_there_is_told_on_the_error_stream(rig: Rig) -> None:
    result = rig.run("no-such-program")
    assert b"no-such-program" in result.stderr
    assert result.stdout == b""


def test_a_reader_that_goes_ends_the_command(rig: Rig) -> None:
    with subprocess.Popen(rig.argv("yes"), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == b"y\n"
        process.stdout.close()
        assert process.wait(timeout=PATIENCE) == 128 + signal.SIGPIPE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_command(rig: Rig, number: signal.Signals) -> None:
    script = f"trap 'echo got it; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.1; done"
    with subprocess.Popen(rig.argv("sh", "-c", script), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.stdout.read() == b"got it\n"
    assert process.returncode == 9


def test_kill_9_ends_what_ran(rig: Rig) -> None:
    with subprocess.Popen(rig.argv("sh", "-c", "echo ready; sleep 4218"), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert "4218" in rig.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        process.kill()
    assert gone(rig, "sleep 4218")


def test_a_terminal_has_its_size_and_its_keys(rig: Rig) -> None:
    with terminal_of(rig, "sh", "-c", "tty; stty size; cat; echo not reached") as terminal:
        terminal.read_until("33 99")
        assert "/dev/pts/" in terminal.text
        terminal.type("typed\n")
        terminal.read_until("typed\r\ntyped")
        terminal.type("\x03")
        assert terminal.status() == 128 + signal.SIGINT


def test_a_terminal_may_change_its_size(rig: Rig) -> None:
    script = "trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.1; done"
    with terminal_of(rig, "sh", "-c", script) as terminal:
        terminal.read_until("ready")
        terminal.resize(11, 22)
        terminal.read_until("11 22")
        assert terminal.status() == 5


def test_what_hangs_on_a_lost_terminal_ends(rig: Rig) -> None:
    with terminal_of(rig, "sh", "-c", "echo ready; sleep 4219") as terminal:
        terminal.read_until("ready")
        terminal.hang_up()
        terminal.process.wait(PATIENCE)
    assert gone(rig, "sleep 4219")


def test_mounted_folders_are_shared_and_no_part_of_snapshots(rig: Rig) -> None:
    rig.sh("echo from the builder > /opt/ohpc/pub/file")
    assert (rig.state / "shown/file").read_text() == "from the builder\n"


def test_the_folder_for_acceleration_is_there_and_cannot_be_written(rig: Rig) -> None:
    folder = rig.state / "builders" / rig.builder.name / "accelerate"
    (folder / "table").write_text("crossbuild-exec 1\n")
    assert rig.sh("cat /run/crossbuild/table") == "crossbuild-exec 1\n"
    assert rig.run("touch", "/run/crossbuild/table").returncode != 0
    (folder / "table").unlink()


def test_a_snapshot_is_what_a_rollback_returns_to(rig: Rig) -> None:
    rig.sh("echo old > /etc/state")
    rig.backend.snapshot(rig.builder, "first")
    rig.sh("echo new > /etc/state; touch /usr/added")
    rig.backend.snapshot(rig.builder, "second")
    builder = replace(rig.builder, snapshots=tuple(snapshot(name) for name in ("first", "second")))
    rig.backend.rollback(builder, "first")
    assert rig.sh("cat /etc/state; ls /usr | grep added || true") == "old\n"
    images = rig.engine.client("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    assert snapshot_image(builder.name, "first") in images
    assert snapshot_image(builder.name, "second") not in images
    rig.backend.forget(builder, "first")
    assert rig.sh("cat /etc/state") == "old\n"


def test_a_container_with_much_that_is_new_goes_on_from_its_snapshot(rig: Rig) -> None:
    def snapshot_taken(name: str) -> str:
        rig.backend.snapshot(rig.builder, name)
        return rig.engine.client("inspect", container_name(rig.builder.name), "--format", "{{.Id}}")

    first = snapshot_taken("little")
    rig.sh(f"head -c {keeping.MUCH + 1_000_000} /dev/urandom > /usr/much; sha256sum /usr/much > /usr/sum")
    with subprocess.Popen(rig.argv("sh", "-c", "echo there; sleep 60"), stdout=subprocess.PIPE) as busy:
        assert busy.stdout
        assert busy.stdout.read(6) == b"there\n"
        assert snapshot_taken("busy") == first
        assert busy.poll() is None
        busy.terminate()
    assert gone(rig, "sleep 60")
    second = snapshot_taken("much")
    assert second != first
    assert rig.sh("sha256sum --check --status /usr/sum; echo $?") == "0\n"
    # What the first one copied is not copied again.
    assert snapshot_taken("after") == second
    rig.sh("rm /usr/much /usr/sum")
    rig.backend.rollback(replace(rig.builder, snapshots=(snapshot("much"), snapshot("after"))), "much")
    assert rig.sh("sha256sum --check --status /usr/sum; echo $?; rm /usr/much /usr/sum") == "0\n"


def test_a_rollback_that_was_killed_is_finished_by_the_next_command(rig: Rig) -> None:
    name = container_name(rig.builder.name)
    rig.sh("echo mine > /etc/mine")
    rig.engine.client("rename", name, f"{name}.previous")
    rig.engine.client("rename", f"{name}.previous", f"{name}.next")
    rig.engine.client("create", "--name", f"{name}.previous", base_image(rig.builder.name), "true")
    assert rig.sh("cat /etc/mine") == "mine\n"
    assert "previous" not in rig.engine.client("ps", "--all", "--format", "{{.Names}}")


def test_what_was_installed_survives_a_restart_of_the_engine(rig: Rig) -> None:
    rig.sh("echo installed > /usr/installed")
    rig.engine.stop()
    rig.engine.start()
    assert rig.sh("cat /usr/installed") == "installed\n"


def test_a_container_that_somebody_stopped_is_started(rig: Rig) -> None:
    rig.engine.client("stop", "--time", "1", container_name(rig.builder.name))
    assert rig.sh("uname -m") == "aarch64\n"


def test_an_archive_of_the_wrong_architecture_is_refused_and_leaves_nothing(rig: Rig, tmp_path: Path) -> None:
    other = contained_run.make_builder(rig.engine.kind, "other")
    with pytest.raises(ArtifactError, match="no image for aarch64"):
        rig.backend.create(other, ArchiveBase(path=foreign_archive(tmp_path)))
    assert not rig.backend.exists(other)
    assert repository("other") not in rig.engine.client("image", "ls")


def test_a_root_of_another_architecture_is_refused(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").write_bytes(Path("/bin/sh").read_bytes())
    with pytest.raises(ArtifactError, match="no root for aarch64"):
        rig.backend.create(
            contained_run.make_builder(rig.engine.kind, "other"), RootBase(path=tmp_path, consumed=False)
        )


def test_programs_of_another_architecture_are_refused_whatever_the_image_says(
    rig: Rig, tmp_path: Path
) -> None:
    other = contained_run.make_builder(rig.engine.kind, "other")
    with pytest.raises(ArtifactError, match="not for aarch64"):
        rig.backend.create(other, ArchiveBase(path=lying_archive(tmp_path)))
    assert not rig.backend.exists(other)
    assert repository("other") not in rig.engine.client("image", "ls")


def test_an_image_that_cannot_be_had_is_told_in_words(rig: Rig) -> None:
    other = contained_run.make_builder(rig.engine.kind, "other")
    with pytest.raises(ArtifactError) as caught:
        rig.backend.create(other, ImageBase(reference="127.0.0.1:9/nothing/here:1"))
    assert "a root" in caught.value.resolution


def test_an_image_of_this_host_makes_a_builder(rig: Rig) -> None:
    other = contained_run.make_builder(rig.engine.kind, "other")
    rig.backend.create(other, ImageBase(reference=base_image(rig.builder.name)))
    assert rig.backend.exists(other)
    rig.backend.remove(other)
    assert not rig.backend.exists(other)
    assert repository("other") not in rig.engine.client("image", "ls")
    assert rig.sh("true") == ""


def test_a_dockerfile_makes_an_arm64_image_without_proxies_in_it(rig: Rig) -> None:
    proxies = {"HTTP_PROXY": "http://user:secret@127.0.0.1:9"}
    settings = RecipeSettings(base=base_image(rig.builder.name), repositories="# ours", proxies=proxies)
    built = build_image(rig.engine.kind, find_recipe("debian12"), settings, Architecture.AARCH64)
    assert (
        rig.engine.client("image", "inspect", built.reference, "--format", "{{.Architecture}}") == "arm64\n"
    )
    recorded = rig.engine.client("image", "inspect", built.reference)
    recorded += rig.engine.client("history", "--no-trunc", built.reference)
    assert "debian12" in recorded
    assert "secret" not in recorded


def test_docker_is_told_with_what_starts_it_and_podman_is_started(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if rig.engine.kind is EngineKind.DOCKER:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{rig.state}/nothing")
        assert b"HostNotReadyError: Docker does not answer" in rig.run("true").stderr
        return
    rig.engine.stop()
    rig.engine.write_client(tmp_path / "podman")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    try:
        assert rig.sh("uname -m") == "aarch64\n"
    finally:
        rig.engine.end_service()
        rig.engine.start()


def gone(rig: Rig, words: str) -> bool:
    """Say whether no process of the builder has *words* in its command line, before patience ends."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if words not in rig.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"):
            return True
        time.sleep(0.1)
    return False


def terminal_of(rig: Rig, *words: str) -> AbstractContextManager[Terminal]:
    """Run *words* in the builder on a terminal."""
    return on_terminal(rig.argv(*words), {}, size=(33, 99))


def snapshot(name: str) -> Snapshot:
    """Return the record of a snapshot."""
    return Snapshot(name=name, taken="2026-03-01T09:30:00Z", automatic=False, changes=0)


def foreign_archive(folder: Path) -> Path:
    """Write an image that says amd64."""
    return written(folder, Architecture.X86_64)


def lying_archive(folder: Path) -> Path:
    """Write an image that says arm64 and holds programs of this host."""
    return written(folder, Architecture.AARCH64)


def written(folder: Path, arch: Architecture) -> Path:
    """Write an image for *arch* with this host's busybox-like minimum: a static `sleep` and `uname`."""
    tree = folder / "tree"
    native_programs(tree)
    archive = folder / "image.tar"
    archive.write_bytes(b"".join(root_image(tree, arch).archive("localhost/foreign:1")))
    assert tarfile.is_tarfile(archive)
    return archive


def native_programs(tree: Path) -> None:
    """Copy this host's `sleep` and `uname`, with the libraries that they need."""
    for program in ("/usr/bin/sleep", "/usr/bin/uname"):
        needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for path in (program, *(word for word in needed.split() if word.startswith("/"))):
            target = tree / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Path(path).read_bytes())
            target.chmod(0o755)
