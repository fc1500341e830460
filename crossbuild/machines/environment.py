"""What of this process's environment enters a root; by itself, since importing it costs nothing."""

from __future__ import annotations

import os

PATH_INSIDE = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED = ("TERM", "COLORTERM", "LANG", "NO_COLOR")
"""Of this process's environment only these names mean the same inside a root; nothing else enters."""
PROXIES = tuple(
    spelled
    for name in ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")
    for spelled in (name, name.upper())
)


def environment_of_builds() -> dict[str, str]:
    """Return the environment of package managers, of the scripts of packages, and of a spec's commands.

    It holds proxies and nothing else of this process's, so that no secret and no chance reaches an image.
    """
    passed = {name: os.environ[name] for name in PROXIES if name in os.environ}
    return {**passed, "LC_ALL": "C.UTF-8", "PATH": PATH_INSIDE, "HOME": "/root"}


def environment_inside() -> dict[str, str]:
    """Return the environment of a command that a person runs in a root."""
    passed = {name: os.environ[name] for name in (*PASSED, *PROXIES) if name in os.environ}
    return {
        "LC_ALL": "C.UTF-8",
        **passed,
        "PATH": PATH_INSIDE,
        "HOME": "/root",
        "USER": "root",
        "LOGNAME": "root",
        "SHELL": "/bin/sh",
    }
