"""A report as one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from crossbuild import __version__
from crossbuild.errors import StorageError
from crossbuild.report.reading import Report
from crossbuild.report.terminal import Style
from crossbuild.resources import data_folder, render_page
from crossbuild.wording import duration_text, moment_text, size_text

NAME = "report.html"
"""Of the page in its artifact set."""

STYLES = ("colours", "base", "head", "tables", "bars", "maps", "terminal", "media")
"""Style sheets below templates/report/style/, in their order: later ones overrule earlier ones."""

CHECKS: Mapping[str, str] = {
    "architecture": "every program, library and kernel module is for the image's architecture",
    "loader": "the dynamic loader is there, and for that architecture",
    "libraries": "every library that a program needs is there",
    "shell": "/bin/sh is there and can start",
    "init": "/sbin/init is there and can start",
    "kernel": "the kernel is what the record says, by its own bytes",
    "modules": "none of the kernel's modules is missing",
    "residue": "nothing is left that nodes must not share, such as host keys",
}
"""What each check of a root made sure of, by its name in `crossbuild.verification.tree`."""


def page(report: Report) -> str:
    """Return the page for *report*."""
    script = _source("script.js")
    return render_page(
        "report/page.html.j2",
        report=report,
        record=report.record,
        checks=CHECKS,
        version=__version__,
        folder=shlex.quote(str(report.directory)),
        script=script,
        # The browser runs this script and no other, whatever an image may have put into its names.
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style="\n".join(_source(f"style/{name}.css") for name in STYLES),
        duration=duration_text,
        moment=moment_text,
        size=size_text,
        look=look,
    )


def write_page(text: str, path: Path) -> None:
    """Put *text* at *path*, in one step unless that is a device or a pipe; raise StorageError."""
    # A link stays, and what it leads to is written; so does a device or a pipe.
    real = Path(os.path.realpath(path))
    try:
        if real.is_file() or not real.exists():
            _replace(real, text)
        else:
            real.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The report cannot be written to {path}.",
            details=f"{error.filename or path}: {error.strerror}",
            resolution="Name a place where you may write with `--output FILE`, or `-` for standard output.",
        ) from error


def _replace(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.new")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def look(style: Style) -> tuple[str, str]:
    """Return the classes and the inline style with which a browser shows a run of terminal text."""
    switches = {
        "bold": style.bold,
        "dim": style.dim,
        "italic": style.italic,
        "underline": style.underline,
        "inverse": style.inverse,
    }
    classes = [name for name, on in switches.items() if on]
    inline = []
    for colour, prefix, key in ((style.fg, "fg", "--fg"), (style.bg, "bg", "--bg")):
        if colour.startswith("#"):
            classes.append(prefix)
            inline.append(f"{key}:{colour}")
        elif colour:
            classes.append(f"{prefix}{colour}")
    return " ".join(classes), ";".join(inline)


def _source(name: str) -> str:
    return (data_folder() / "templates/report" / name).read_text(encoding="utf-8")
