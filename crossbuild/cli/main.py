"""The entry point: the commands by name, the global options, and the one error boundary."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from crossbuild import __version__
from crossbuild.cli.errors import guarded
from crossbuild.cli.lazy import Entry, LazyGroup
from crossbuild.cli.options import Session, pass_session

COMMANDS: Mapping[str, Entry] = {
    "doctor": Entry(
        module="crossbuild.cli.doctor",
        help="Show what works on this host, what does not, and what mends it.",
    ),
    "setup": Entry(
        module="crossbuild.cli.setup",
        help="Let this host run aarch64 programs.",
    ),
    "plan": Entry(
        module="crossbuild.cli.plan",
        help="Show what build would do, where and why, without doing it.",
    ),
    "build": Entry(
        module="crossbuild.cli.build",
        help="Build images and the artifacts that provisioners want.",
    ),
    "node": Entry(
        module="crossbuild.cli.node",
        help="Add, look at and drain hosts that run builds natively.",
    ),
    "builder": Entry(
        module="crossbuild.cli.builder",
        help="Make, take back and remove builders: aarch64 systems that stay.",
    ),
    "shell": Entry(
        module="crossbuild.cli.shell",
        help="Open an interactive aarch64 shell in a builder.",
    ),
    "run": Entry(
        module="crossbuild.cli.run",
        help="Run COMMAND in a builder.",
    ),
    "root": Entry(
        module="crossbuild.cli.root",
        help="Make, enter and remove aarch64 roots.",
    ),
    "job": Entry(
        module="crossbuild.cli.job",
        help="Show, finish, end and clear up builds, here and elsewhere.",
    ),
    "openhpc": Entry(
        module="crossbuild.cli.openhpc",
        help="Show OpenHPC's releases, and the packages behind its groups.",
    ),
    "artifacts": Entry(
        module="crossbuild.cli.artifacts",
        help="Show, verify, compare and adopt artifact sets.",
    ),
    "boot": Entry(
        module="crossbuild.cli.boot",
        help="Start the set in DIRECTORY in an emulated machine, and check it.",
    ),
    "report": Entry(
        module="crossbuild.cli.report",
        help="Write a page that tells of the artifact set in DIRECTORY.",
    ),
    "register": Entry(
        module="crossbuild.cli.register",
        help="Hand artifact sets to provisioners, or take that back.",
    ),
    "ims": Entry(
        module="crossbuild.cli.ims",
        help="Look into IMS, and work with what stands around it.",
    ),
    "completion": Entry(
        module="crossbuild.cli.completion",
        help="Print the script that lets a shell complete commands.",
    ),
}


OLD_NAMES = frozenset({"sms-aarch64", "sms-aarch64.sh"})
"""Links of these names do what cross-sms-aarch64 did."""


@click.group(cls=LazyGroup, entries=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read this site configuration instead of the usual ones.",
)
@click.version_option(__version__, "-V", "--version", prog_name="crossbuild", message="%(prog)s %(version)s")
@pass_session
def main(session: Session, config: Path | None) -> None:
    """Build aarch64 system images for HPC clusters on this x86_64 server.

    Start with `crossbuild doctor`.

    Exit status: 0 done, 1 the work failed, 2 the command line or the spec is wrong, 3 the host is not ready,
    4 a provisioner or node refused, 130 interrupted, 128 + n ended by signal n.
    """
    session.config = config


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line on *argv*, by default this process's, and return the exit status.

    Under the name of the ancestor's script, this process's arguments are that script's.
    """
    _open_missing_streams()
    if argv is None and Path(sys.argv[0]).name in OLD_NAMES:
        from crossbuild.cli import sms_aarch64

        return sms_aarch64.run()
    arguments = list(sys.argv[1:] if argv is None else argv)
    session = Session()

    def work() -> int:
        result = main.main(arguments, prog_name="crossbuild", obj=session, standalone_mode=False)
        # click hands over the status of `Context.exit` here, and else what the command returned.
        return result if isinstance(result, int) else 0

    return guarded(work, session=session, argv=arguments)


def _open_missing_streams() -> None:
    for name in ("stdin", "stdout", "stderr"):
        # Python has None for a stream that the caller closed; the next file opened would take its number.
        if (stream := getattr(sys, name)) is None:
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115 - kept
        elif name != "stdin":
            # A file name is bytes to Linux: one that this locale cannot spell must not end the program.
            stream.reconfigure(errors="backslashreplace")
