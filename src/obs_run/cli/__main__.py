"""``python -m obs_run.cli`` is ``obsctl``."""

import sys

from obs_run.cli import main

sys.exit(main())
