"""`python3 -I WORKER`: the entry of the file that is sent."""

import sys

from crossbuild.worker.main import main

sys.exit(main())
