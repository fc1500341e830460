"""`python -m crossbuild` is the command `crossbuild`."""

import sys

from crossbuild.cli.entry import run

sys.exit(run())
