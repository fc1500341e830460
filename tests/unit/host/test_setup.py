from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.errors import HostNotReadyError
from crossbuild.host import setup
from crossbuild.host.binfmt import HANDLER_FILE, MOUNT_POINT, aarch64_handler
from crossbuild.host.changes import (
    Change,
    InstallInterpreter,
    MakeFolder,
    MountBinfmt,
    RegisterHandler,
    WriteFile,
)
from crossbuild.host.qemu import Emulator, EmulatorChoice
from crossbuild.host.setup import Wish, apply_setup, handler_file_text, plan_setup, undo_setup
from tests.unit.host.hosts import BARE, OTHER, OWN, QEMU, READY, ROOTS

CHOICE = EmulatorChoice(
    emulator=Emulator(path=QEMU, version="7.2.22", static=True), flags="POF", reason="qemu 7.2.22"
)
DONE = Wish(
    emulator=CHOICE,
    missing_folders=(),
    roots=ROOTS,
    interpreter=None,
    interpreter_ready=False,
    handler_file=handler_file_text(OWN),
    proven=True,
)
TO_DO = replace(DONE, missing_folders=(ROOTS.parent, ROOTS), handler_file=None, proven=False)


def test_a_bare_host_gets_folders_table_file_and_handler_in_this_order() -> None:
    folder, roots, mount, file, handler = plan_setup(BARE, TO_DO)
    assert isinstance(folder, MakeFolder)
    assert (folder.path, folder.mode) == (ROOTS.parent, 0o755)
    assert isinstance(roots, MakeFolder)
    assert roots.mode == 0o700
    assert mount == MountBinfmt(path=MOUNT_POINT, reason="The kernel's table of handlers is not visible.")
    assert isinstance(file, WriteFile)
    assert (file.path, file.before) == (HANDLER_FILE, None)
    assert isinstance(handler, RegisterHandler)
    assert (handler.handler, handler.before) == (OWN, None)


def test_a_host_that_is_set_up_needs_nothing() -> None:
    assert plan_setup(READY, DONE) == ()


def test_an_own_handler_that_does_not_work_is_registered_again() -> None:
    (change,) = plan_setup(READY, replace(DONE, proven=False))
    assert isinstance(change, RegisterHandler)
    assert change.before == change.handler == OWN


def test_an_own_handler_that_works_is_registered_again_where_there_is_a_reason() -> None:
    (change,) = plan_setup(READY, replace(DONE, again="`other` was registered later."))
    assert isinstance(change, RegisterHandler)
    assert change.before == change.handler == OWN
    assert change.reason == "`other` was registered later."


def test_a_handler_of_another_owner_is_no_reason_to_do_without_an_own_one() -> None:
    (change,) = plan_setup(replace(READY, handlers=(OTHER,)), DONE)
    assert isinstance(change, RegisterHandler)
    assert change.before is None


def test_an_own_handler_with_other_flags_is_replaced_and_remembered() -> None:
    former = aarch64_handler(QEMU, "F")
    (change,) = plan_setup(replace(READY, handlers=(former,)), DONE)
    assert isinstance(change, RegisterHandler)
    assert change.before == former


def test_a_file_that_somebody_changed_is_remembered_before_it_is_replaced() -> None:
    (change,) = plan_setup(READY, replace(DONE, handler_file="# theirs\n"))
    assert isinstance(change, WriteFile)
    assert change.before == "# theirs\n"


JOINED = InstallInterpreter(
    path=Path("/var/lib/crossbuild/exec/crossbuild-exec-binfmt-P"),
    front=Path("/opt/crossbuild-exec"),
    qemu=Path(QEMU),
    reason="speed",
)


def test_the_interpreter_is_there_before_the_handler_that_starts_it() -> None:
    wish = replace(TO_DO, missing_folders=(), interpreter=JOINED)
    kinds = [type(change).__name__ for change in plan_setup(BARE, wish)]
    assert kinds == ["MountBinfmt", "InstallInterpreter", "WriteFile", "RegisterHandler"]
    handler = plan_setup(BARE, wish)[-1]
    assert isinstance(handler, RegisterHandler)
    assert (handler.handler.interpreter, handler.handler.flags) == (str(JOINED.path), "POF")


def test_a_new_qemu_is_joined_and_its_handler_registered_again() -> None:
    own = aarch64_handler(str(JOINED.path), "POF")
    ready = replace(READY, handlers=(own,))
    wish = replace(DONE, interpreter=JOINED, interpreter_ready=True, handler_file=handler_file_text(own))
    assert plan_setup(ready, wish) == ()
    install, register = plan_setup(ready, replace(wish, interpreter_ready=False))
    assert install == JOINED
    assert isinstance(register, RegisterHandler)
    assert "holds the interpreter open" in register.reason


def test_a_host_that_runs_aarch64_itself_gets_no_handler() -> None:
    changes = plan_setup(replace(BARE, machine="aarch64"), TO_DO)
    assert {type(change) for change in changes} == {MakeFolder}


def test_the_file_for_the_default_is_the_repositorys_own() -> None:
    brought = Path(__file__).parents[3] / "etc/binfmt.d" / HANDLER_FILE.name
    assert handler_file_text(OWN) == brought.read_text()


def test_the_file_says_so_where_credentials_were_asked_for() -> None:
    text = handler_file_text(aarch64_handler("/opt/qemu", "POCF"))
    assert "left out" not in text
    assert text.endswith(":/opt/qemu:POCF\n")


def test_without_root_nothing_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(HostNotReadyError, match="only root"):
        apply_setup((), tmp_path, _ignore)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of this host, where anybody may be root and emulation works."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(setup, "emulation_works", lambda: True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/theirs").write_text("theirs")
    return tmp_path


def planned(host: Path) -> tuple[Change, ...]:
    return (
        MakeFolder(path=host / "var", mode=0o755, reason=""),
        MakeFolder(path=host / "var/roots", mode=0o700, reason=""),
        WriteFile(path=host / "etc/new", content="new", before=None, reason=""),
        WriteFile(path=host / "etc/theirs", content="ours", before="theirs", reason=""),
    )


def test_undo_takes_back_every_change(host: Path) -> None:
    before = snapshot(host)
    apply_setup(planned(host), host / "var/state", _ignore)
    assert (host / "etc/theirs").read_text() == "ours"
    assert (host / "var/roots").stat().st_mode & 0o777 == 0o700
    assert undo_setup(host / "var/state", _ignore) == ()
    assert snapshot(host) == before


@pytest.mark.parametrize("after", range(4))
def test_undo_takes_back_what_a_crash_left_half_done(host: Path, after: int) -> None:
    before, changes = snapshot(host), planned(host)

    def crash(change: Change) -> None:
        if change == changes[after]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_setup(changes, host / "var/state", crash)
    assert undo_setup(host / "var/state", _ignore) == ()
    assert snapshot(host) == before


def test_a_crash_between_record_and_change_is_harmless(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(host)
    with monkeypatch.context() as broken:
        broken.setattr("crossbuild.host.changes._replace", _crash)
        with pytest.raises(KeyboardInterrupt):
            apply_setup(planned(host), host / "var/state", _ignore)
    assert undo_setup(host / "var/state", _ignore) == ()
    assert snapshot(host) == before


def test_what_somebody_changed_since_is_left_and_named(host: Path) -> None:
    apply_setup(planned(host), host / "var/state", _ignore)
    (host / "etc/new").write_text("edited")
    (host / "var/roots/image").mkdir()
    left = undo_setup(host / "var/state", _ignore)
    assert [(item.change, item.reason) for item in left] == [
        (planned(host)[2], "It was changed by somebody since."),
        (planned(host)[1], "It is not empty."),
        (planned(host)[0], "It is not empty."),
    ]
    assert (host / "etc/new").read_text() == "edited"
    assert (host / "etc/theirs").read_text() == "theirs"


def test_two_setups_are_taken_back_by_one_undo(host: Path) -> None:
    before = snapshot(host)
    for _ in range(2):
        apply_setup(planned(host), host / "var/state", _ignore)
    assert undo_setup(host / "var/state", _ignore) == ()
    assert snapshot(host) == before


def test_nothing_recorded_is_nothing_to_take_back(host: Path) -> None:
    before = snapshot(host)
    assert undo_setup(host / "var/state", _ignore) == ()
    assert snapshot(host) == before


def test_a_handler_that_does_not_help_is_said_to(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "emulation_works", lambda: False)
    with pytest.raises(HostNotReadyError, match="still do not run"):
        apply_setup((), host / "var/state", _ignore)


def snapshot(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def _ignore(change: Change) -> None:
    pass


def _crash(path: Path, content: str) -> None:
    raise KeyboardInterrupt
