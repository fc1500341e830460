"""Plays an ordinary user of this host, who is in its user database for the length of one command only.

The database and the subordinate ids are bind mounts in a private mount namespace. There, folders that only
root may enter let him reach Python and the checkout; the host itself does not change.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ID = 47110
NAME = "crossbuild-test"
SUBORDINATE = f"{NAME}:1200000:65536\n"
_LOGIN = (
    "setpriv", f"--reuid={ID}", f"--regid={ID}", "--clear-groups",
    "env", "--ignore-environment", "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "TERM=dumb",
)  # fmt: skip
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class OrdinaryUser:
    """A user whose home is a folder of the tests."""

    home: Path
    subordinate: str = SUBORDINATE
    """What subuid(5) and subgid(5) say."""

    def run(self, *argv: str | Path, chroot: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run *argv* as this user, freshly logged in; in *chroot*, if any, which shows this host's `/`."""
        script = [*self.world(), f"cd {shlex.quote(str(self.home))}"]
        words = [*_LOGIN, f"HOME={self.home}", *map(str, argv)]
        if chroot:
            script.append(f"mount --rbind / {shlex.quote(str(chroot))}")
            words = ["chroot", str(chroot), *words]
        private = [
            "unshare",
            "--mount",
            "--propagation=private",
            "sh",
            "-euc",
            "\n".join([*script, 'exec "$@"']),
        ]
        return subprocess.run([*private, "sh", *words], capture_output=True, text=True, check=False)

    def world(self) -> list[str]:
        """Return commands that let this user exist in the mount namespace where they are run."""
        return [*self._database(), *_passages()]

    def _database(self) -> Iterable[str]:
        """Yield commands that show this user in /etc."""
        folder = self.home / "etc"
        folder.mkdir(exist_ok=True)
        files = {
            "passwd": Path("/etc/passwd").read_text() + f"{NAME}:x:{ID}:{ID}::{self.home}:/bin/sh\n",
            "group": Path("/etc/group").read_text() + f"{NAME}:x:{ID}:\n",
            "subuid": self.subordinate,
            "subgid": self.subordinate,
        }
        for name, content in files.items():
            (folder / name).write_text(content)
            yield f"mount --bind {shlex.quote(str(folder / name))} /etc/{name}"


def make_user(home: Path) -> OrdinaryUser:
    """Return a user with the empty folder *home*."""
    home.mkdir(parents=True)
    os.chown(home, ID, ID)
    return OrdinaryUser(home=home)


def _passages() -> Iterable[str]:
    """Yield commands that put open folders in the place of closed ones above what the user must reach."""
    wanted = {CHECKOUT, Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve()}
    closed: dict[Path, list[Path]] = {}
    for path in sorted(wanted):
        barred = [folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001]
        if barred:
            closed.setdefault(barred[0], []).append(path)
    for number, (folder, paths) in enumerate(closed.items()):
        keep = f"/run/crossbuild-test-{number}"
        yield f"mkdir -p {keep}; mount -t tmpfs -o mode=755 tmpfs {keep}"
        for index, path in enumerate(paths):
            yield f"mkdir {keep}/{index}; mount --rbind {shlex.quote(str(path))} {keep}/{index}"
        yield f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(str(folder))}"
        for index, path in enumerate(paths):
            quoted = shlex.quote(str(path))
            yield f"mkdir -p {quoted}; mount --rbind {keep}/{index} {quoted}"
