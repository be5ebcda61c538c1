"""Retries of backoff, of functions and coroutine functions: all that it tells its handlers passes one function.

What is given up because of what it returned is told as what works is, and not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.retries import Retry, error_type, function_name, wrap_before

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def read_details(call: Call) -> Retry | None:
    """Read what the handlers are told: of a wait there is another attempt, of an exception alone there is none."""
    details = call.kwargs
    wait, error = details.get("wait"), details.get("exception")
    if wait is None and error is None:
        return None
    function = function_name(call.argument(1, "target"))
    return Retry("backoff", function, call.argument(4, "tries"), wait, error_type(error), is_last=wait is None)


INSTRUMENTORS = (
    Instrumentor(
        "backoff",
        "backoff",
        ">=2.2,<3",
        tuple(Target(f"backoff.{name}", "_call_handlers", wrap_before(read_details)) for name in ("_sync", "_async")),
        ("retries",),
    ),
)
