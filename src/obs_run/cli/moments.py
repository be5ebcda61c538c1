"""How people say a moment: so long ago, or a date and time."""

from __future__ import annotations

import re
import time
from datetime import datetime

from obs_run.cli.mistake import Mistake

_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse(option: str, text: str) -> int:
    """Return the moment in nanoseconds since 1970; raise ``Mistake`` in the name of ``option``."""
    ago = _AGO.fullmatch(text)
    if ago:
        moment = time.time_ns() - int(float(ago[1]) * _SECONDS[ago[2]] * 1e9)
        if moment < 0:
            raise Mistake(f"{option} {text!r} is too long ago")
        return moment
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1e9)
    except ValueError:
        raise Mistake(f"{option} {text!r} is neither like 90s, 30m, 1h, 2d nor a date and time") from None
