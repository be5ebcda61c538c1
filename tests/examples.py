"""How many examples the generated tests try: some after each change, all in ``make test``."""

from __future__ import annotations

import os

_SHARE = 5


def examples(whole: int) -> int:
    """Return ``whole`` where ``OBS_TESTS_EXAMPLES=all``, else a share of it."""
    return whole if os.environ.get("OBS_TESTS_EXAMPLES") == "all" else whole // _SHARE
