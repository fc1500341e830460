"""Builds as a user starts them: results, repetition, company, and everything that can be wrong."""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from crossbuild.distros.apt.sources import choose_sources
from crossbuild.distros.catalog import lookup
from crossbuild.host.command import CommandResult, capture, environment
from crossbuild.model.architecture import Architecture
from tests.integration.conftest import SMALL, STATE, CommandLine, own_state


@pytest.fixture(scope="module")
def out(small_root: str) -> Iterator[Path]:
    """A folder for artifact sets; `small_root` brings the cached base."""
    folder = STATE / "test-build"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def small_set(crossbuild: CommandLine, small_spec: Path, out: Path) -> Path:
    """The artifact set of the small spec."""
    crossbuild("build", str(small_spec), "--output", str(out))
    return out / "small"


def spec_file(folder: Path, text: str) -> str:
    path = folder / "spec.yaml"
    path.write_text(text)
    return str(path)


def events(result: CommandResult) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_an_unchanged_spec_is_done_at_once(
    crossbuild: CommandLine, small_spec: Path, small_set: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in small_set.rglob("*")}
    said = events(crossbuild("build", str(small_spec), "--output", str(small_set.parent), "--json"))
    assert said[-1]["event"] == "build-finished"
    assert said[-1]["unchanged"] is True
    assert {path: path.stat().st_mtime_ns for path in small_set.rglob("*")} == before


def layer_names(archive: Path) -> str:
    """List what the image in a docker-archive holds."""
    script = f"bsdtar -xOf {archive} layer.tar | bsdtar -tf -"
    return capture(["sh", "-c", script]).stdout


def test_a_changed_package_list_starts_from_the_cached_base(small_set: Path, tmp_path: Path) -> None:
    """In a state that has the base and no more."""
    own = own_state(tmp_path / "own", "apt", "twins")
    layers = tmp_path / "own/state/cache/layers"
    layers.mkdir()
    for tree in (STATE / "state/cache/layers").glob("base-*"):
        (layers / tree.name).symlink_to(tree)
    changed = SMALL.replace("[iputils-ping]", "[iputils-ping, less]")
    untouchable = "commands: ['test -f /run/crossbuild/table', '! touch /run/crossbuild/twin/evil']\n"
    spec = spec_file(tmp_path, changed + untouchable)
    said = events(own("build", spec, "--output", str(tmp_path), "--json"))
    cached = {event["phase"]: event["cached"] for event in said if event["event"] == "phase-finished"}
    assert cached["base"] is True
    assert cached["packages"] is False
    build = json.loads((tmp_path / "small/image.json").read_text())["build"]
    assert build["programs_native"] > build["programs_emulated"] > 0
    assert "run/crossbuild" not in layer_names(tmp_path / "small/warewulf4/small.tar")


@contextlib.contextmanager
def started(argv: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Run *argv* beside the block; what is left of it afterwards is killed."""
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True, env=environment()) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_second_build_of_the_same_name_waits_for_the_first(
    crossbuild: CommandLine, small_set: Path, tmp_path: Path
) -> None:
    gate = "while [ ! -e /go ]; do sleep 0.1; done; rm /go"
    spec = spec_file(tmp_path, SMALL.replace("name: small", "name: gated") + f"commands: ['{gate}']\n")
    argv = crossbuild.argv("build", spec, "--output", str(tmp_path / "out"))

    with started(argv) as first:
        assert first.stderr
        assert any("Configuration: started" in line for line in first.stderr)
        with started(argv) as second:
            assert second.stderr
            assert any("waiting for it to finish" in line for line in second.stderr)
            (root,) = (STATE / "state/work").glob("gated.*/root")
            (root / "go").touch()
            assert "has not changed" not in first.communicate()[0]
            assert "has not changed" in second.communicate()[0]
    assert (first.returncode, second.returncode) == (0, 0)


def test_a_former_set_stays_until_the_new_one_is_complete(
    crossbuild: CommandLine, small_set: Path, tmp_path: Path
) -> None:
    spec = spec_file(tmp_path, SMALL + "commands: ['exit 3']\n")
    before = (small_set / "image.json").read_bytes()
    result = crossbuild("build", spec, "--output", str(small_set.parent), check=False)
    assert result.status == 1
    assert "exited with status 3" in result.stderr
    assert (small_set / "image.json").read_bytes() == before


def test_a_folder_of_somebody_else_is_not_replaced(
    crossbuild: CommandLine, small_spec: Path, tmp_path: Path
) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "small/thesis.tex").write_text("years of work")
    result = crossbuild("build", str(small_spec), "--output", str(tmp_path), check=False)
    assert result.status != 0
    assert "is not an artifact set" in result.stderr
    assert (tmp_path / "small/thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        pytest.param(("iputils-ping", "iputils-pong"), 2, "Did you mean iputils-ping", id="unknown package"),
        pytest.param(("packages:", "pakages:"), 2, "pakages: there is no such key", id="unknown key"),
        pytest.param(('"12"', "9.10"), 2, "put the value in quotes", id="unquoted release"),
        pytest.param(("name: small", "name: ../small"), 2, "name: must be", id="dots in the name"),
        pytest.param(("name: small", "name: a b"), 2, "name: must be", id="space in the name"),
        pytest.param(("kernel: false", "arch: riscv64"), 2, "arch:", id="architecture nobody runs"),
    ],
)
def test_a_wrong_spec_is_one_clear_error(
    crossbuild: CommandLine, tmp_path: Path, change: tuple[str, str], status: int, words: str
) -> None:
    spec = spec_file(tmp_path, SMALL.replace(*change))
    result = crossbuild("build", spec, "--output", str(tmp_path), check=False)
    assert result.status == status
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name[0] != "."] == ["spec.yaml"]


def repository(uri: str) -> str:
    return (
        f"{SMALL}repositories:\n"
        f"  - uris: ['{uri}']\n    suites: [bookworm]\n    components: [main]\n"
        "    signed_by: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_a_mirror_that_is_down_is_named(crossbuild: CommandLine, tmp_path: Path) -> None:
    spec = spec_file(tmp_path, repository("http://127.0.0.1:9/debian"))
    result = crossbuild("build", spec, "--output", str(tmp_path), check=False)
    assert result.status == 1
    assert "could not be reached" in result.stderr
    assert "127.0.0.1:9" in result.stderr


def test_a_source_that_the_wrong_key_signed_is_refused(
    crossbuild: CommandLine, small_root: str, site_config: Path, tmp_path: Path
) -> None:
    """A copy of a real, signed index with one byte changed, served over HTTP."""
    lists = site_config.parent.glob("state/cache/apt/indexes/*/lists/*dists_bookworm_InRelease")
    suite = tmp_path / "www/debian/dists/bookworm"
    suite.mkdir(parents=True)
    signed = next(lists).read_bytes()
    (suite / "InRelease").write_bytes(signed.replace(b"Codename: bookworm", b"Codename: b00kworm"))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path / "www"))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        spec = spec_file(tmp_path, repository(f"http://127.0.0.1:{server.server_port}/debian"))
        result = crossbuild("build", spec, "--output", str(tmp_path / "out"), check=False)
        server.shutdown()
    assert result.status == 1
    assert "not signed by a key" in result.stderr
    assert not (tmp_path / "out/small").exists()


def test_sources_of_another_release_are_refused(crossbuild: CommandLine, tmp_path: Path) -> None:
    release = lookup("debian", "12")
    repositories = [asdict(one) for one in choose_sources((), release, Architecture.AARCH64)]
    wrong = SMALL.replace('"12"', '"11"') + yaml.safe_dump({"repositories": repositories})
    result = crossbuild("plan", spec_file(tmp_path, wrong), check=False)
    assert result.status == 2
    assert "The package sources are not those of Debian 11" in result.stderr
    assert "Name one of `bullseye`" in result.stderr


def in_private_mounts(script: str) -> CommandResult:
    return capture(["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", script], check=False)


def test_a_full_disk_is_told_and_leaves_the_former_set(
    crossbuild: CommandLine, small_set: Path, small_spec: Path, tmp_path: Path
) -> None:
    before = (small_set / "image.json").read_bytes()
    capture(["cp", "--archive", str(small_set), str(tmp_path / "small")])
    config = tmp_path / "config.yaml"
    config.write_text(f"state: {tmp_path}/state\nprefix: {tmp_path}/prefix\n")
    line = CommandLine(config).argv("build", str(small_spec), "--force", "--output", str(tmp_path))
    (tmp_path / "state").mkdir()
    result = in_private_mounts(f"mount -t tmpfs -o size=120m none {tmp_path}/state; {' '.join(line)}")
    assert result.status == 1
    assert "disk is full" in result.stderr
    assert (tmp_path / "small/image.json").read_bytes() == before


def test_a_file_system_without_capabilities_is_refused_before_anything_is_built(
    small_spec: Path, tmp_path: Path
) -> None:
    """ramfs, like NFS, has no place for `security.capability`."""
    config = tmp_path / "config.yaml"
    config.write_text(f"state: {tmp_path}/state\nprefix: {tmp_path}/prefix\n")
    (tmp_path / "state").mkdir()
    line = CommandLine(config).argv("build", str(small_spec), "--output", str(tmp_path))
    result = in_private_mounts(f"mount -t ramfs none {tmp_path}/state; {' '.join(line)}")
    assert result.status == 3
    assert "cannot hold file capabilities" in result.stderr


def test_a_host_without_emulation_is_told_to_set_it_up(
    small_spec: Path, crossbuild: CommandLine, tmp_path: Path
) -> None:
    line = crossbuild.argv("build", str(small_spec), "--output", str(tmp_path))
    hidden = f"mount -t tmpfs none /proc/sys/fs/binfmt_misc; {' '.join(line)}"
    result = in_private_mounts(hidden)
    assert result.status == 3
    assert "crossbuild setup" in result.stderr
