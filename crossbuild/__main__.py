"""`python -m crossbuild` is the command `crossbuild`."""

import sys

from crossbuild.cli.main import run

sys.exit(run())
