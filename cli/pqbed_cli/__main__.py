"""`python -m pqbed_cli` is `pqbed`."""

import sys

from pqbed_cli.main import run

sys.exit(run())
