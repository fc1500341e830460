"""What is handed into a machine to look at it from inside: files for its /run, and so no part of the image.

Every way has a first program that is not the image's own, or a hook of dracut: it copies the folder to /run,
which the image's systemd keeps and in which it looks for units (systemd.unit(5), "Unit File Load Path").
Nothing else works everywhere: credentials that bring units are younger than most images, and a serial port of
the probe's own would need a driver.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from crossbuild import resources
from crossbuild.booting.machine import CONSOLE, HOST, WEB_PORT
from crossbuild.model.boot import Expected

FOLDER = "handed-in"
UNIT = "crossbuild-probe.service"
TARGETS = ("default.target", "multi-user.target", "graphical.target")
"""Whichever is the default one pulls the unit in; a link to the first alone does not count everywhere."""
NETWORK_TRIES = 60
"""Half seconds for a route; a lease of DHCP takes a second or two."""
COMMAND_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Handed:
    """What a probe does besides what the record of the set asks for."""

    pub: tuple[Path, str] | None = None
    """The exported tree, and a file below it, empty for a tree without one; None: do not mount it."""
    keys: Path | None = None
    """A folder with `host_key`, `authorized_keys` and `sshd_config`, if tests come by SSH."""
    shell: bool = False
    """Whether a root shell takes the console afterwards."""


def write_probe(parent: Path, expected: Expected, handed: Handed) -> Path:
    """Make the folder FOLDER in *parent* with all that belongs into the machine's /run; return it."""
    folder = parent / FOLDER
    own, units = folder / "crossbuild", folder / "systemd/system"
    own.mkdir(parents=True)
    units.mkdir(parents=True)
    text = resources.render(
        "booting/probe.sh.j2",
        host=HOST,
        port=WEB_PORT,
        console=CONSOLE,
        network_tries=NETWORK_TRIES,
        command_seconds=COMMAND_SECONDS,
        services=[shlex.quote(name) for name in expected.services],
        capabilities=[shlex.quote(path) for path, _ in expected.capabilities],
        accounts=[shlex.quote(account[0]) for account in expected.accounts],
        commands=[shlex.quote(command) for command in expected.commands],
        pub=_quoted(handed.pub) if handed.pub else None,
        ssh=handed.keys is not None,
        shell=handed.shell,
    )
    (own / "probe").write_text(text, encoding="utf-8")
    for key in handed.keys.iterdir() if handed.keys else ():
        (own / key.name).write_bytes(key.read_bytes())
        (own / key.name).chmod(0o600)
    (units / UNIT).write_text(resources.render("booting/probe.service"), encoding="utf-8")
    for target in TARGETS:
        (units / f"{target}.wants").mkdir()
        (units / f"{target}.wants" / UNIT).symlink_to(f"../{UNIT}")
    return folder


def _quoted(pub: tuple[Path, str]) -> dict[str, str]:
    tree, name = pub
    return {"tree": shlex.quote(str(tree)), "file": shlex.quote(name) if name else ""}
