"""Builders that are made anew, saved into a file, and loaded where nothing can be reached."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.builders.contract import ArchiveBase
from crossbuild.builders.planting import plant
from crossbuild.errors import ArtifactError, CrossbuildError
from crossbuild.host.command import CommandResult, capture
from crossbuild.host.docker_archive import Layer, docker_archive, plain_config, root_layer
from crossbuild.model.architecture import Architecture
from crossbuild.model.site import Site
from tests.integration.conftest import CommandLine

NAME, ARRIVED = "test-carried", "test-arrived"


@pytest.fixture(scope="module")
def carried(crossbuild: CommandLine, small_root: str) -> Iterator[str]:
    """A builder with one package installed and one downloaded."""
    crossbuild("builder", "remove", NAME, check=False)
    crossbuild("builder", "create", NAME, "--engine", "sandbox", "--from-root", small_root)
    for words in (
        ["update"],
        ["install", "--yes", "hello"],
        ["install", "--yes", "--download-only", "cowsay"],
    ):
        crossbuild("run", "--builder", NAME, "apt-get", *words)
    yield NAME
    crossbuild("builder", "remove", NAME)


@pytest.fixture(scope="module")
def bundle(crossbuild: CommandLine, carried: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "carried.bundle"
    printed = crossbuild("builder", "save", carried, str(path)).stdout
    assert printed.split() == capture(["sha256sum", str(path)]).stdout.split()
    return path


class Elsewhere:
    """Another host, as far as files and networks go: a state of its own, and nothing to reach."""

    def __init__(self, folder: Path) -> None:
        config = folder / "config.yaml"
        config.write_text(f"state: {folder}/state\nprefix: {folder}/prefix\n")
        self.state = folder / "state"
        self._crossbuild = CommandLine(config)

    def __call__(self, *arguments: str, check: bool = True) -> CommandResult:
        return capture(["unshare", "--net", *self._crossbuild.argv(*arguments)], check=check)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path)


def test_a_loaded_builder_has_and_installs_what_came_along(elsewhere: Elsewhere, bundle: Path) -> None:
    elsewhere("builder", "load", str(bundle), "--name", ARRIVED, "--engine", "sandbox")
    assert elsewhere("run", "--builder", ARRIVED, "hello").stdout == "Hello, world!\n"
    elsewhere("run", "--builder", ARRIVED, "apt-get", "install", "--yes", "cowsay")
    assert "< moo >" in elsewhere("run", "--builder", ARRIVED, "/usr/games/cowsay", "moo").stdout
    assert "hello" in elsewhere("builder", "show", ARRIVED).stdout
    layer = elsewhere.state / "builders" / ARRIVED / "tree/layers/0"
    assert "cap_net_raw=ep" in capture(["getcap", "-r", str(layer / "usr/bin")]).stdout
    assert (elsewhere.state / "builders" / ARRIVED / "accelerate/table").is_file()


def test_a_bundle_is_not_written_over_anything(crossbuild: CommandLine, carried: str, bundle: Path) -> None:
    before = bundle.stat()
    result = crossbuild("builder", "save", carried, str(bundle), check=False)
    assert (result.status, "is there already" in result.stderr) == (2, True)
    assert bundle.stat().st_mtime_ns == before.st_mtime_ns


def test_a_damaged_bundle_leaves_no_builder(elsewhere: Elsewhere, bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.bundle"
    shutil.copyfile(bundle, copy)
    with copy.open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"damage")
    result = elsewhere("builder", "load", str(copy), "--engine", "sandbox", check=False)
    assert (result.status, "damaged" in result.stderr) == (1, True), result.stderr
    assert NAME not in elsewhere("builder", "list").stdout


def test_a_full_disk_leaves_no_builder(tmp_path: Path, bundle: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    capture(["mount", "--types", "tmpfs", "--options", "size=200m", "tmpfs", str(small)])
    try:
        full = Elsewhere(small)
        result = full("builder", "load", str(bundle), "--engine", "sandbox", check=False)
        assert (result.status, "disk is full" in result.stderr) == (1, True), result.stderr
        assert NAME not in full("builder", "list").stdout
        assert not [path for path in (small / "state/work").iterdir() if path.is_dir()]
    finally:
        capture(["umount", str(small)])


def test_folders_that_are_not_there_can_be_left_out(
    crossbuild: CommandLine, small_root: str, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    shown, saved = tmp_path / "shown", tmp_path / "saved.bundle"
    shown.mkdir()
    crossbuild(
        "builder", "create", "test-shows", "--engine", "sandbox", "--from-root", small_root,
        "--emulator-only", "--mount", f"{shown}:/shown",
    )  # fmt: skip
    crossbuild("builder", "save", "test-shows", str(saved))
    crossbuild("builder", "remove", "test-shows")
    shown.rmdir()
    load = ("builder", "load", str(saved), "--engine", "sandbox")
    result = elsewhere(*load, "--with-mounts", check=False)
    assert (result.status, str(shown) in result.stderr) == (2, True), result.stderr
    assert str(shown) in elsewhere(*load).stderr
    assert "/shown" not in elsewhere("builder", "show", "test-shows").stdout


def test_a_builder_is_saved_after_files_were_deleted_across_snapshots(
    crossbuild: CommandLine, small_root: str, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    """What hides a deleted file must not be listed as a file; and files with odd names stay."""
    name = "test-deletes"
    crossbuild("builder", "create", name, "--engine", "sandbox", "--from-root", small_root, "--emulator-only")
    script = (
        "rm -r /etc/issue /usr/share/doc; touch /manifest.json /root/.wh.kept; truncate -s 1G /root/sparse"
    )
    for words in (["sh", "-c", script], ["true"], ["true"]):
        crossbuild("run", "--builder", name, "--changes", *words)
    script = "chown -R root:root /usr/share && ls -l /etc /usr/share"
    crossbuild("run", "--builder", name, "sh", "-e", "-c", script)
    crossbuild("builder", "save", name, str(tmp_path / "deletes.bundle"))
    crossbuild("builder", "remove", name)
    assert (tmp_path / "deletes.bundle").stat().st_size < 600_000_000
    elsewhere("builder", "load", str(tmp_path / "deletes.bundle"), "--engine", "sandbox")
    script = "ls -A /root | grep -e wh -e sparse; ls /manifest.json; ls -d /etc/issue /usr/share/doc || true"
    listed = elsewhere("run", "--builder", name, "sh", "-c", script).stdout
    assert listed == ".wh.kept\nsparse\n/manifest.json\n"


def test_nobody_else_reads_what_is_being_saved(crossbuild: CommandLine, carried: str, tmp_path: Path) -> None:
    argv = crossbuild.argv("builder", "save", carried, str(tmp_path / "watched.bundle"))
    work = crossbuild.config.parent / "state/work"
    seen: set[str] = set()
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            # Folders come and go while they are looked through.
            with contextlib.suppress(FileNotFoundError):
                for path in (*work.glob("save-*"), *work.glob("save-*/*.tar"), *tmp_path.glob(".watched*")):
                    assert not path.stat().st_mode & 0o077, path
                    seen.add(path.suffix)
    assert process.returncode == 0
    assert ".tar" in seen


def test_a_rebuilt_builder_has_what_was_installed_and_nothing_else(
    crossbuild: CommandLine, carried: str
) -> None:
    crossbuild("run", "--builder", carried, "touch", "/root/by-hand")
    crossbuild("builder", "snapshot", carried, "mine")
    crossbuild("builder", "rebuild", carried)
    script = "hello; dpkg-query --show --showformat '${Status}\\n' hello; ls /root"
    assert crossbuild("run", "--builder", carried, "sh", "-c", script).stdout == (
        "Hello, world!\ninstall ok installed\n"
    )
    assert "mine" not in crossbuild("builder", "show", carried).stdout


def test_a_rebuild_that_fails_leaves_the_builder_as_it_was(
    crossbuild: CommandLine, carried: str, site: Site
) -> None:
    crossbuild("run", "--builder", carried, "touch", "/root/by-hand")
    crossbuild("run", "--builder", carried, "--changes", "ls", "/root/by-hand")
    crossbuild("builder", "snapshot", carried, "mine")
    result = crossbuild("builder", "rebuild", carried, check=False)
    assert "mine" in crossbuild("builder", "show", carried).stdout
    assert (result.status, "`ls /root/by-hand` does not work any more" in result.stderr) == (1, True)
    assert crossbuild("run", "--builder", carried, "ls", "/root").stdout == "by-hand\n"
    assert not list((site.state / "builders").glob("*.rebuilding"))


def test_what_is_run_again_reads_nothing_of_the_caller_s(crossbuild: CommandLine, small_root: str) -> None:
    name = "test-replays"
    crossbuild("builder", "create", name, "--engine", "sandbox", "--from-root", small_root, "--emulator-only")
    crossbuild("run", "--builder", name, "--changes", "sh", stdin="touch /root/then\n")
    crossbuild("builder", "rebuild", name, "--emulator-only", stdin="touch /root/now\n")
    assert crossbuild("run", "--builder", name, "ls", "/root").stdout == ""
    crossbuild("builder", "remove", name)


def test_names_of_builders_in_the_making_are_not_the_user_s(crossbuild: CommandLine) -> None:
    result = crossbuild("builder", "create", "x.rebuilding", "--engine", "sandbox", check=False)
    assert (result.status, "cannot be the name" in result.stderr) == (2, True)


def layer_of(name: str, members: dict[str, bytes | str]) -> Layer:
    """Return a layer with files, whose contents are bytes, and symbolic links, whose targets are text."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for path, content in members.items():
            member = tarfile.TarInfo(path)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return Layer(name=name, size=len(file.getvalue()), blocks=[file.getvalue()])


@pytest.fixture
def aarch64_shell(site: Site, small_root: str, tmp_path: Path) -> Path:
    """A tree with the shell of a real root, and a few files to be hidden."""
    tree = tmp_path / "tree"
    for path in ("bin/sh", "etc/kept", "etc/gone", "opt/all/one", "opt/all/two"):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).touch()
    shutil.copyfile(site.roots / small_root / "usr/bin/dash", tree / "bin/sh")
    return tree


def planted(tree: Path, upper: dict[str, bytes | str], target: Path) -> None:
    """Make *target* of an image of two layers: *tree*, and *upper* above it."""
    layers = (root_layer(tree, "0.tar"), layer_of("1.tar", upper))
    archive = target.with_suffix(".tar")

    def config(digests: tuple[str, ...]) -> bytes:
        return plain_config(Architecture.AARCH64, digests, epoch=0)

    with archive.open("wb") as file:
        file.writelines(docker_archive(layers, config, tag="test:1", epoch=0))
    plant(ArchiveBase(path=archive), target, Architecture.AARCH64)


def test_upper_layers_hide_what_they_say(aarch64_shell: Path, tmp_path: Path) -> None:
    upper: dict[str, bytes | str] = {
        "etc/.wh.gone": b"", "opt/all/.wh..wh..opq": b"", "opt/all/three": b"3", "new": b"n",
    }  # fmt: skip
    planted(aarch64_shell, upper, tmp_path / "planted")
    found = {str(path.relative_to(tmp_path / "planted")) for path in (tmp_path / "planted").rglob("*")}
    assert found == {
        "bin", "bin/sh", "etc", "etc/kept", "etc/resolv.conf", "opt", "opt/all", "opt/all/three", "new",
    }  # fmt: skip


@pytest.mark.parametrize("member", ["out/file", "out/.wh.precious", ".wh...", "etc/.wh..", ".wh."])
def test_a_link_in_an_archive_leads_to_nothing_on_this_host(
    aarch64_shell: Path, tmp_path: Path, member: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("kept")
    (aarch64_shell / "out").symlink_to(outside)
    with contextlib.suppress(CrossbuildError):
        planted(aarch64_shell, {member: b"hostile"}, tmp_path / "planted")
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"precious": "kept"}
    assert aarch64_shell.is_dir()


def test_a_link_for_etc_leads_nothing_out_of_the_tree(aarch64_shell: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.rmtree(aarch64_shell / "etc")
    (aarch64_shell / "etc").symlink_to(outside)
    planted(aarch64_shell, {"new": b""}, tmp_path / "planted")
    assert not list(outside.iterdir())


def test_an_archive_that_lies_about_its_architecture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tree/bin").mkdir(parents=True)
    shutil.copyfile("/bin/sh", tmp_path / "tree/bin/sh")
    with pytest.raises(ArtifactError, match="no root for aarch64"):
        planted(tmp_path / "tree", {}, tmp_path / "planted")
