"""Setup and its undoing, in a namespace where no handler is registered at first."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.integration.private_host import CROSSBUILD, run_privately

pytestmark = pytest.mark.real

TABLE = "/proc/sys/fs/binfmt_misc"
ENTRY = f"{TABLE}/crossbuild-aarch64"
FILE = "/etc/binfmt.d/zz-crossbuild-aarch64.conf"
QEMU = "/usr/bin/qemu-aarch64-static"
PRESERVING = "/usr/libexec/qemu-binfmt/aarch64-binfmt-P"
OTHER = (
    r"printf '%s' ':other:M:0:\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
    rf":{QEMU}:' > {TABLE}/register"
)
"""A handler of somebody else, without any flag: it works on the host and in no chroot."""


@pytest.fixture
def crossbuild(tmp_path: Path) -> str:
    """The command, with every folder that it writes to below *tmp_path*."""
    config = tmp_path / "config.yaml"
    config.write_text(f"state: {tmp_path}/host/state\nprefix: {tmp_path}/host/prefix\n")
    return shlex.join([*CROSSBUILD, "--config", str(config)])


def test_after_setup_every_probe_passes_and_undo_leaves_the_host_as_it_was(
    crossbuild: str, tmp_path: Path
) -> None:
    done = run_privately(
        f"""
        {crossbuild} doctor --json >before.json && exit 9 || test $? = 3
        {crossbuild} setup
        {crossbuild} doctor --json >after.json
        cat {ENTRY}
        test -d {tmp_path}/host/prefix/var/chroots
        {crossbuild} setup --undo
        test ! -e {TABLE}/register
        test ! -e {tmp_path}/host
        ls -A /etc/binfmt.d
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    before, after = (json.loads((tmp_path / name).read_text()) for name in ("before.json", "after.json"))
    assert not before["ready"]
    assert _remedies(before, "handler") == ["sudo crossbuild setup"]
    assert after["ready"]
    assert {
        name: _status(after, name) for name in ("run", "argv0", "chroot", "setuid", "handler")
    } == dict.fromkeys(("run", "argv0", "chroot", "setuid", "handler"), "ok")
    assert "flags: POF" in done.stdout
    assert "Left" not in done.stdout
    assert done.stdout.endswith("Done.\n")


def test_a_second_setup_changes_nothing_and_says_so(crossbuild: str, tmp_path: Path) -> None:
    journal = tmp_path / "host/state/journal/setup.jsonl"
    done = run_privately(
        f"{crossbuild} setup >/dev/null; cp {journal} first; {crossbuild} setup; cmp {journal} first",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "Nothing to do: this host is set up.\n"), done.stderr


def test_a_dry_run_lists_the_changes_and_makes_none(crossbuild: str, tmp_path: Path) -> None:
    done = run_privately(
        f"{crossbuild} setup --dry-run; test ! -e {TABLE}/register; test ! -e {FILE}; test ! -e host",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    for change in ("mount binfmt_misc", f"write the file {FILE}", "register the handler", "make the folder"):
        assert change in done.stdout


def test_a_handler_of_somebody_else_is_reported_outranked_and_left(crossbuild: str, tmp_path: Path) -> None:
    done = run_privately(
        f"""
        mount -t binfmt_misc binfmt_misc {TABLE}
        {OTHER}
        {crossbuild} doctor --json >before.json && exit 9 || test $? = 3
        {crossbuild} setup
        {crossbuild} doctor --json >after.json
        {crossbuild} setup --undo
        cat {TABLE}/other
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    before, after = (json.loads((tmp_path / name).read_text()) for name in ("before.json", "after.json"))
    assert (_status(before, "run"), _status(before, "chroot")) == ("ok", "failed")
    assert (_status(after, "chroot"), _status(after, "handler other")) == ("ok", "warning")
    assert "`other` of another owner" in done.stderr
    assert "enabled\ninterpreter /usr/bin/qemu-aarch64-static" in done.stdout


def test_a_handler_that_came_later_is_outranked_by_running_setup_again(
    crossbuild: str, tmp_path: Path
) -> None:
    done = run_privately(
        f"""
        {crossbuild} setup >/dev/null
        {OTHER}
        {crossbuild} doctor >doctor.txt && exit 9 || test $? = 3
        {crossbuild} setup
        {crossbuild} doctor >doctor.txt
        {crossbuild} setup --undo >/dev/null
        test ! -e {ENTRY}
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "a new entry comes before all others" in done.stdout


def test_a_sound_handler_that_came_later_is_noticed_and_outranked(crossbuild: str, tmp_path: Path) -> None:
    done = run_privately(
        f"""
        {crossbuild} setup >/dev/null
        {OTHER.replace(":' >", ":POF' >").replace(QEMU, PRESERVING)}
        {crossbuild} doctor --json >before.json
        {crossbuild} setup
        {crossbuild} doctor --json >after.json
        {crossbuild} setup
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    before, after = (json.loads((tmp_path / name).read_text()) for name in ("before.json", "after.json"))
    assert (_status(before, "argv0"), _status(before, "chroot")) == ("ok", "ok")
    assert (_status(before, "qemu in use"), _status(after, "qemu in use")) == ("warning", "ok")
    assert _remedies(before, "qemu in use") == ["sudo crossbuild setup"]
    assert "`other` was registered later" in done.stdout
    assert done.stdout.endswith("Nothing to do: this host is set up.\n")


def test_the_configuration_picks_the_qemu_that_the_handler_runs(crossbuild: str, tmp_path: Path) -> None:
    for name in ("first", "second"):
        # What follows a program's last segment makes it another file and changes nothing else.
        (tmp_path / name).write_bytes(Path(QEMU).read_bytes() + name.encode())
        (tmp_path / name).chmod(0o755)
    done = run_privately(
        f"""
        echo 'qemu: {tmp_path}/first' >>config.yaml
        {crossbuild} setup >/dev/null
        {crossbuild} doctor --json >first.json
        tail -c 5 host/state/exec/* >>ends
        sed -i s,{tmp_path}/first,{tmp_path}/second, config.yaml
        {crossbuild} doctor --json >changed.json
        {crossbuild} setup >/dev/null
        {crossbuild} doctor --json >second.json
        tail -c 6 host/state/exec/* >>ends
        {crossbuild} setup
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    reports = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("first", "changed", "second")]
    assert [_status(report, "qemu in use") for report in reports] == ["ok", "warning", "ok"]
    assert _remedies(reports[1], "qemu in use") == [f"sudo crossbuild setup --qemu {tmp_path}/second"]
    assert (tmp_path / "ends").read_text() == "firstsecond"
    assert done.stdout == "Nothing to do: this host is set up.\n"


def test_setup_that_was_killed_before_the_handler_was_registered_again_goes_on(
    crossbuild: str, tmp_path: Path
) -> None:
    done = run_privately(
        f"""
        {crossbuild} setup >/dev/null
        interpreter=$(echo host/state/exec/*)
        cp $interpreter new
        mv new $interpreter
        {crossbuild} doctor --json >before.json
        {crossbuild} setup
        {crossbuild} doctor --json >after.json
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    before, after = (json.loads((tmp_path / name).read_text()) for name in ("before.json", "after.json"))
    assert (_status(before, "qemu in use"), _status(after, "qemu in use")) == ("warning", "ok")
    assert "replaced after the kernel had opened it" in done.stdout


def test_credentials_let_a_set_uid_program_gain_root(crossbuild: str, tmp_path: Path) -> None:
    done = run_privately(
        f"{crossbuild} setup --credentials >/dev/null; {crossbuild} doctor --json >after.json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    after = json.loads((tmp_path / "after.json").read_text())
    (check,) = (check for check in after["checks"] if check["name"] == "setuid")
    assert (check["status"], check["brief"]) == (
        "ok", "A set-uid program gains its owner's identity, as flag C asks for."
    )  # fmt: skip


def test_undo_leaves_and_names_a_file_that_was_changed_since(crossbuild: str, tmp_path: Path) -> None:
    done = run_privately(
        f"{crossbuild} setup >/dev/null; echo '# mine' >>{FILE}; {crossbuild} setup --undo; grep mine {FILE}",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert f"write the file {FILE}. It was changed by somebody since." in done.stdout


def test_setup_that_was_killed_half_way_is_undone_exactly(crossbuild: str, tmp_path: Path) -> None:
    # strace would be needed to stop at a chosen change, so the journal is cut as a crash would have left it.
    journal = tmp_path / "host/state/journal/setup.jsonl"
    done = run_privately(
        f"""
        {crossbuild} setup >/dev/null
        echo -1 >{ENTRY}
        printf '{{"boot": "x", "chan' >>{journal}
        {crossbuild} setup --undo
        test ! -e {FILE}
        test ! -e {tmp_path}/host
        """,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "Left" not in done.stdout


def test_setup_without_root_names_sudo(crossbuild: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    # All folders above it but the host's own two.
    closed = " ".join(map(str, tmp_path.parents[:-2]))
    done = run_privately(f"chmod a+rx {closed}; HOME=/ {as_nobody} {crossbuild} setup", cwd=tmp_path)
    assert done.returncode == 3
    assert "sudo" in done.stderr


def _status(report: dict[str, list[dict[str, str]]], name: str) -> str:
    return next(check["status"] for check in report["checks"] if check["name"] == name)


def _remedies(report: dict[str, list[dict[str, str]]], name: str) -> list[str]:
    return [check["remedy"] for check in report["checks"] if check["name"] == name]
