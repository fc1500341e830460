"""The file that an unexpected error leaves: what a developer needs, and nothing that the user must hide."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from crossbuild import __version__

LIBRARIES = ("click", "docker", "jinja2", "pydantic", "pyyaml", "rich")

_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
"""User and password of a URL (RFC 3986, section 3.2.1)."""

_SECRET_OPTION = re.compile(
    r"(--?[\w-]*(?:passw|passphrase|token|secret|credential|api-?key)[\w-]*)(=.*)?", re.IGNORECASE | re.DOTALL
)


def write_crash_log(error: BaseException, argv: Sequence[str]) -> Path | None:
    """Write what is known of *error* to a file that only this user may read; None if no folder takes it."""
    text = _report(error, argv)
    for folder in (_state_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix="crash-", suffix=".log", dir=folder)
            with os.fdopen(descriptor, "w", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return Path(name)
    return None


def without_secrets(argv: Sequence[str]) -> list[str]:
    """Return *argv* with `***` for the values of options that sound secret and for logins in URLs."""
    shown: list[str] = []
    hide = False
    for word in argv:
        option = _SECRET_OPTION.fullmatch(word)
        if option and option[2]:
            shown.append(f"{option[1]}=***")
        else:
            shown.append("***" if hide else _LOGIN.sub("***", word))
        hide = bool(option and not option[2])
    return shown


def _report(error: BaseException, argv: Sequence[str]) -> str:
    lines = (
        f"crossbuild {__version__}",
        f"Command: {shlex.join(['crossbuild', *without_secrets(argv)])}",
        f"Python {sys.version.split()[0]}; {', '.join(_versions())}",
        f"{platform.platform()}; {_distribution()}",
        "",
        _LOGIN.sub("***", "".join(traceback.format_exception(error))),
    )
    return "\n".join(lines)


def _versions() -> Iterator[str]:
    for library in LIBRARIES:
        try:
            yield f"{library} {metadata.version(library)}"
        except metadata.PackageNotFoundError:
            yield f"{library} missing"


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "unknown distribution"


def _state_folder() -> Path:
    # Not by the user's id: ordinary users are root, too, in their private namespaces.
    if os.access("/var/lib", os.W_OK):
        return Path("/var/lib/crossbuild/crashes")
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "crossbuild" / "crashes"
