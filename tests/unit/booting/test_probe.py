"""What is handed into a machine."""

from __future__ import annotations

from pathlib import Path

from crossbuild.booting.probe import UNIT, Handed, write_probe
from crossbuild.host.command import capture
from crossbuild.model.boot import Expected

EVERYTHING = Expected(
    architecture="aarch64",
    kernel="6",
    services=("ssh", "it's.service"),
    capabilities=(("/usr/bin/a b", b""),),
    accounts=(("munge", 1, 1, "munge"),),
    commands=("test -e '/a b' && echo \"$HOME\"",),
)


def written(tmp_path: Path, expected: Expected, handed: Handed) -> Path:
    return write_probe(tmp_path, expected, handed) / "crossbuild/probe"


def test_a_probe_of_everything_is_a_script_that_a_shell_can_read(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "host_key").write_text("secret")
    handed = Handed(pub=(Path("/opt/ohpc/pub"), "it's here"), keys=keys, shell=True)
    probe = written(tmp_path, EVERYTHING, handed)
    capture(["sh", "-n", str(probe)])
    assert ((probe.parent / "host_key").stat().st_mode & 0o777) == 0o600
    assert "mount -t nfs" in probe.read_text()


def test_a_probe_asks_for_nothing_that_nobody_expects(tmp_path: Path) -> None:
    probe = written(tmp_path, Expected(architecture="aarch64", kernel=""), Handed())
    capture(["sh", "-n", str(probe)])
    text = probe.read_text()
    assert all(
        word not in text for word in ("mount", "sshd", "setsid", "getent", "fact service", "fact command")
    )


def test_whichever_target_is_the_default_one_pulls_the_probe_in(tmp_path: Path) -> None:
    folder = written(tmp_path, EVERYTHING, Handed()).parents[1] / "systemd/system"
    links = sorted(path.parent.name for path in folder.glob(f"*.wants/{UNIT}"))
    assert links == ["default.target.wants", "graphical.target.wants", "multi-user.target.wants"]
    assert all(path.resolve() == (folder / UNIT).resolve() for path in folder.glob(f"*.wants/{UNIT}"))
