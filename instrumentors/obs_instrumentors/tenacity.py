"""Retries of tenacity, in all its styles, and of the libraries that use it.

Chosen: the method that each style calls once for each further attempt, and the one that decides whether there is one.
Its callbacks are the agent's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.retries import Retry, error_type, function_name, wrap_after, wrap_async_after, wrap_before

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_STAMINA = "stamina"


def _read(state: Any) -> Retry:
    callback = payload.get(state, "retry_object", "before_sleep")
    # What is tried again in a loop has no function.
    is_staminas = str(getattr(callback, "__module__", "")).startswith(_STAMINA)
    outcome = payload.get(state, "outcome")
    error = outcome.exception() if getattr(outcome, "failed", False) else None
    wait_time = payload.get_float(state, "next_action", "sleep")
    library = _STAMINA if is_staminas else "tenacity"
    return Retry(library, function_name(state.fn), state.attempt_number, wait_time, error_type(error))


def read_attempt(call: Call) -> Retry | None:
    """Read the state of a call of which there is to be another attempt; stamina tells of its own by their names."""
    retry = _read(call.instance)
    return None if retry.library == _STAMINA else retry


def read_last_attempt(call: Call) -> Retry | None:
    """Read the state of a call that is given up, if it is."""
    if not call.instance.iter_state.stop_run_result:
        return None
    retry = _read(call.args[0])
    retry.is_last = True
    return retry


def read_details(call: Call) -> Retry:
    """Read what stamina tells of an attempt that failed."""
    details = call.instance
    return Retry(_STAMINA, details.name, details.retry_num, details.wait_for, error_type(details.caused_by))


_STOP = "_run_stop"
INSTRUMENTORS = (
    Instrumentor(
        "tenacity",
        "tenacity",
        ">=8,<10",
        (
            Target("tenacity", "RetryCallState.prepare_for_next_attempt", wrap_before(read_attempt)),
            # Since 8.3: before, nothing tells of the end but its exception, which need not be there.
            Target("tenacity", f"BaseRetrying.{_STOP}", wrap_after(read_last_attempt), optional=True),
            Target("tenacity._asyncio", f"AsyncRetrying.{_STOP}", wrap_async_after(read_last_attempt), optional=True),
            Target("tenacity.asyncio", f"AsyncRetrying.{_STOP}", wrap_async_after(read_last_attempt)),
        ),
        ("retries",),
    ),
    Instrumentor(
        "stamina",
        "stamina",
        ">=24,<27",
        (Target("stamina.instrumentation._data", "RetryDetails.__init__", wrap_after(read_details)),),
        ("retries",),
    ),
)
