"""Steps that only change files of the root: done natively, and never outside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from crossbuild.errors import BuildFailedError
from crossbuild.host import rooted
from crossbuild.model.plan import AccountsStep, LinkStep, RemoveStep, WriteStep
from crossbuild.model.spec import Account

Edit = WriteStep | LinkStep | RemoveStep | AccountsStep


def apply(edit: Edit, root: Path) -> None:
    """Make *edit* in *root*; raise BuildFailedError if it contradicts what is there."""
    match edit:
        case WriteStep():
            _write(edit, root)
        case LinkStep():
            path = _place(edit.path, root)
            _remove(path)
            path.symlink_to(edit.target)
        case RemoveStep():
            _remove(rooted.resolve(root, edit.path, last_link=False))
        case AccountsStep():
            for account in edit.accounts:
                _add_account(account, root)


def _write(step: WriteStep, root: Path) -> None:
    path = _place(step.path, root)
    _remove(path)
    path.write_bytes(step.content)
    os.chown(path, _id_of(step.owner, root, "passwd"), _id_of(step.group, root, "group"))
    # After chown(2), which takes setuid bits away.
    path.chmod(step.mode)


def _place(path: str, root: Path) -> Path:
    """Return where *path* lies, its parent folders made; a link in the way is followed inside the root."""
    place = rooted.resolve(root, path, last_link=False)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise BuildFailedError(
            f"Cannot make {path} in the image.", details=f"{error.filename} is there and is no folder."
        ) from error
    return place


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _lines(root: Path, table: str) -> list[str]:
    path = rooted.resolve(root, f"/etc/{table}")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _fields(root: Path, table: str) -> Iterator[list[str]]:
    return (line.split(":") for line in _lines(root, table) if line.count(":") > 2)


def _id_of(name: str, root: Path, table: str) -> int:
    for fields in _fields(root, table):
        if fields[0] == name:
            return int(fields[2])
    raise BuildFailedError(
        f"The image has no {'account' if table == 'passwd' else 'group'} `{name}`.",
        details="A file of the spec is to belong to it.",
        resolution="Add the package that brings it, or `users.sync`.",
    )


def _add_account(account: Account, root: Path) -> None:
    """Add the account's lines to the four tables of passwd(5), group(5), shadow(5) and gshadow(5)."""
    _refuse_conflict(account.name, account.uid, root, "passwd")
    _refuse_conflict(account.group, account.gid, root, "group")
    home = f"{account.gecos}:{account.home}:{account.shell}"
    _append(root, "group", account.group, f"x:{account.gid}:")
    _append(root, "passwd", account.name, f"x:{account.uid}:{account.gid}:{home}")
    # Locked, and without a date of change: a date would differ from build to build.
    _append(root, "shadow", account.name, "!*:::::::")
    _append(root, "gshadow", account.group, "!::")


def _refuse_conflict(name: str, number: int, root: Path, table: str) -> None:
    for fields in _fields(root, table):
        if (fields[0] == name) != (fields[2] == str(number)):
            raise BuildFailedError(
                f"The image cannot give `{name}` the id {number} that it has on this host.",
                details=f"In the image's /etc/{table}, `{fields[0]}` has the id {fields[2]}.",
                resolution="Change the id on this host, or leave the account out of `users.sync`.",
            )


def _append(root: Path, table: str, name: str, rest: str) -> None:
    lines = _lines(root, table)
    path = rooted.resolve(root, f"/etc/{table}")
    if path.exists() and not any(line.split(":")[0] == name for line in lines):
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{name}:{rest}\n")
