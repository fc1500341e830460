"""Edits of a root stay inside it and say what they contradict."""

import os
from pathlib import Path

import pytest

from crossbuild.errors import BuildFailedError
from crossbuild.executors.edits import apply
from crossbuild.model.plan import AccountsStep, LinkStep, RemoveStep, WriteStep
from crossbuild.model.spec import Account

MUNGE = Account(
    name="munge", uid=990, gid=991, group="munge", gecos="", home="/run/munge", shell="/bin/false"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    me, mine = os.getuid(), os.getgid()
    (root / "etc/passwd").write_text(f"root:x:{me}:{mine}:root:/root:/bin/sh\n")
    (root / "etc/group").write_text(f"root:x:{mine}:\n")
    for table in ("shadow", "gshadow"):
        (root / "etc" / table).write_text("")
    return root


def write(path: str, content: bytes = b"x", **changes: str) -> WriteStep:
    return WriteStep(path=path, content=content, mode=0o640, reason="test", **changes)


def test_a_file_is_written_with_its_mode_and_its_folders(root: Path) -> None:
    apply(write("/etc/a/b"), root)
    assert (root / "etc/a/b").read_bytes() == b"x"
    assert (root / "etc/a/b").stat().st_mode & 0o7777 == 0o640


def test_a_link_that_points_out_of_the_root_leads_nowhere_outside(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "var").symlink_to(outside)
    apply(write("/var/file"), root)
    assert list(outside.iterdir()) == []
    assert (root / str(outside).lstrip("/") / "file").read_bytes() == b"x"


def test_a_link_at_the_place_itself_is_replaced_not_followed(root: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep")
    (root / "etc/file").symlink_to(precious)
    apply(write("/etc/file"), root)
    assert precious.read_text() == "keep"
    assert not (root / "etc/file").is_symlink()


def test_an_owner_that_the_image_does_not_have_is_an_error(root: Path) -> None:
    with pytest.raises(BuildFailedError, match="no account `slurm`"):
        apply(write("/etc/file", owner="slurm"), root)


def test_a_file_in_the_place_of_a_folder_is_an_error(root: Path) -> None:
    with pytest.raises(BuildFailedError, match="Cannot make /etc/passwd/file"):
        apply(write("/etc/passwd/file"), root)


def test_links_and_removals_replace_whatever_is_there(root: Path) -> None:
    apply(write("/etc/a"), root)
    apply(LinkStep(path="/etc/a", target="b", reason="test"), root)
    assert (root / "etc/a").readlink() == Path("b")
    (root / "etc/folder/deep").mkdir(parents=True)
    for path in ("/etc/a", "/etc/folder", "/etc/never"):
        apply(RemoveStep(path=path, reason="test"), root)
    assert not (root / "etc/folder").exists()
    assert not (root / "etc/a").is_symlink()


def test_accounts_get_their_ids_and_no_password(root: Path) -> None:
    apply(AccountsStep(accounts=(MUNGE,), reason="test"), root)
    apply(AccountsStep(accounts=(MUNGE,), reason="again"), root)
    assert (root / "etc/passwd").read_text().count("munge:x:990:991::/run/munge:/bin/false\n") == 1
    assert "munge:x:991:\n" in (root / "etc/group").read_text()
    assert (root / "etc/shadow").read_text() == "munge:!*:::::::\n"


@pytest.mark.parametrize("line", ["munge:x:7:7::/:/bin/sh", "other:x:990:7::/:/bin/sh"])
def test_ids_that_the_image_uses_otherwise_are_an_error(root: Path, line: str) -> None:
    with (root / "etc/passwd").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(BuildFailedError, match="cannot give `munge` the id 990"):
        apply(AccountsStep(accounts=(MUNGE,), reason="test"), root)
