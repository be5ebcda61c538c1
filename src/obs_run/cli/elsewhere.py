"""What is said where a run's trace may not be in the local store, so that nobody takes an older one for it."""

from __future__ import annotations

import sys
import time

from obs_run import settings
from obs_run.base.masking import masked_value
from obs_run.cli import words

_OLD = 60  # seconds after which a trace is hardly that of the run that one has just seen


def tell_where_traces_go() -> None:
    """Write one line to stderr if the settings send traces somewhere else than to the local store."""
    from obs_run.runtime import destinations

    names = destinations.names("traces")
    if "store" in names:
        return
    endpoint = settings.otlp("traces", "ENDPOINT")
    places = [masked_value(endpoint) if name == "otlp" and endpoint else name for name in names if name != "none"]
    where = f"to {', '.join(places)}" if places else "nowhere"
    _write(f"as the environment is set, traces go {where}, not into the local store; older ones follow")


def tell_age(end_ns: int) -> None:
    """Write one line to stderr if the newest trace ended a while ago."""
    if time.time() - end_ns / 1e9 > _OLD:
        ended = words.clock(end_ns)
        _write(f"this is the newest trace, which ended {ended}; a run that succeeds and records nothing has none")


def _write(text: str) -> None:
    print(f"obsctl: {words.one_line(text)}", file=sys.stderr)
