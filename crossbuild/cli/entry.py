"""Where the command `crossbuild` begins: a run that is as usual first, since it has to start at once."""

from __future__ import annotations

import os
import sys

from crossbuild.cli import quick
from crossbuild.errors import CrossbuildError

COMPLETION = "_CROSSBUILD_COMPLETE"
"""Set by a shell that wants to complete a command line (click, "Shell Completion")."""
OWN_NAME = "crossbuild"
INTERRUPTED = 130


def run() -> int:
    """Do what this process's command line asks for and return the exit status."""
    if os.path.basename(sys.argv[0]) != OWN_NAME or COMPLETION in os.environ:
        return _whole()
    try:
        status = quick.attempt(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED
    except CrossbuildError as error:
        return _tell(error)
    if status is None:
        return _whole()
    # Nothing is buffered here, and to take the interpreter down would take 3 ms.
    os._exit(status)


def _whole() -> int:
    from crossbuild.cli import main

    return main.run()


def _tell(error: CrossbuildError) -> int:
    from crossbuild.cli.errors import guarded
    from crossbuild.cli.options import Session

    def fail() -> int:
        raise error

    return guarded(fail, session=Session(), argv=sys.argv[1:])
