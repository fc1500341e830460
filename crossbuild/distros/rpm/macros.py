"""The settings of rpm while it installs into a root: the target's, not this host's."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from crossbuild.distros.release import DatabaseBackend, RpmDatabase
from crossbuild.distros.rpm.steps import RPM_CONFIGURATION

SETTINGS = ("macros", "rpmrc", "macros.d", "platform", "rpmpopt-*")
"""Of a host's /usr/lib/rpm what rpm reads when it installs; the rest serves to build packages."""
SCRIPT_PATH = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/X11R6/bin"
"""What rpm itself gives them (rpm, macros.in)."""


def write_macros(database: RpmDatabase, host: Path, folder: Path, *, path: str) -> None:
    """Fill the new *folder* with the settings of the rpm in *host*, and after them the root's.

    Of scriptlets, the variable PATH begins with *path*, if any.
    """
    folder.mkdir(parents=True)
    settings = host / RPM_CONFIGURATION[1:]
    for pattern in SETTINGS:
        for source in settings.glob(pattern):
            if source.is_dir():
                shutil.copytree(source, folder / source.name)
            else:
                shutil.copyfile(source, folder / source.name)
    (folder / "macros.d").mkdir(exist_ok=True)
    own = {
        "_dbpath": database.path,
        # The root is scratch until it is published whole: no fsync for every file.
        "_flush_io": "0",
        "_install_langs": "all",
        "_netsharedpath": "%{nil}",
        # Plugins of this host act on this host: its services, its labels, its log.
        **{f"__transaction_{name}": "%{nil}" for name in _plugins(settings)},
    }
    if path:
        own["_install_script_path"] = f"{path}:{SCRIPT_PATH}"
    if database.backend is DatabaseBackend.SQLITE:
        own["_db_backend"] = database.backend.value
    text = "".join(f"%{name} {value}\n" for name, value in own.items())
    # Read last of all files there.
    (folder / "macros.d/macros.zz-crossbuild").write_text(text, encoding="ascii")


def _plugins(settings: Path) -> list[str]:
    text = (settings / "macros").read_text(encoding="utf-8", errors="replace")
    return re.findall(r"^%__transaction_(\w+)\s", text, re.MULTILINE)
