"""Further attempts of calls that failed: counted, and events of the span that they are made in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.base import payload
from obs_run.core import noted_calls, semconv, span_events
from obs_run.core.observed_metrics import observed_metrics
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from obs_run.core.hooks import Wrapper
    from obs_run.core.outcomes import Call

    Read = Callable[[Call], "Retry | None"]

__all__ = [
    "Retry",
    "error_type",
    "function_name",
    "note",
    "wrap_after",
    "wrap_async_after",
    "wrap_before",
]

_SITE = "retry"


@sparse_dataclass
class Retry:
    """An attempt that failed: of which function, the how manieth, why, and how long until the next."""

    library: str
    function: str | None
    attempt: int | None = None
    """The number of the attempt that failed, from 1 on."""
    wait_time: float | None = None
    """Seconds until the next one."""
    error_type: str | None = None
    """None where what was returned is why it is tried again."""
    is_last: bool = False
    """Whether the call is given up."""


def function_name(function: Any) -> str | None:
    """Return a function's name with its module; objects that are called have that of their class."""
    named = function if hasattr(function, "__qualname__") else type(function)
    if function is None:
        return None
    return f"{getattr(named, '__module__', None)}.{named.__qualname__}"


def error_type(error: Any) -> str | None:
    """Return the value of ``error.type`` of an exception, None of anything else."""
    return payload.error_name(error) if isinstance(error, BaseException) else None


def _labels(retry: Retry) -> dict[str, Any]:
    labels = {
        semconv.CODE_FUNCTION_NAME: retry.function,
        semconv.OBS_RETRY_LIBRARY: retry.library,
        semconv.ERROR_TYPE: retry.error_type,
    }
    return {name: value for name, value in labels.items() if value is not None}


def note(retry: Retry) -> None:
    """Note an attempt that failed, and what follows it."""
    observed_metrics.watch()
    labels = _labels(retry)
    moment = dict(labels)
    if retry.attempt is not None:
        moment[semconv.OBS_RETRY_ATTEMPT] = retry.attempt
    if retry.is_last:
        observed_metrics.count(semconv.METRIC_RETRIES_EXHAUSTED, labels).add()
        span_events.add_event(semconv.EVENT_RETRIES_EXHAUSTED, moment)
        return
    observed_metrics.count(semconv.METRIC_RETRIES, labels).add()
    if retry.wait_time is not None:
        moment[semconv.OBS_RETRY_WAIT_TIME] = retry.wait_time
        observed_metrics.durations(semconv.METRIC_RETRY_WAIT_TIME, labels).add(retry.wait_time)
    span_events.add_event(semconv.EVENT_RETRY, moment)


def wrap_before(read: Read) -> Wrapper:
    """Return the wrapper of a function before whose calls ``read`` knows of an attempt that failed."""
    return noted_calls.wrap_before(_SITE, lambda call: _note(read(call)))


def wrap_after(read: Read) -> Wrapper:
    """Return the wrapper of a function after whose calls ``read`` knows of an attempt that failed."""
    return noted_calls.wrap_after(_SITE, lambda call, _: _note(read(call)))


def wrap_async_after(read: Read) -> Wrapper:
    """Return the wrapper of such a coroutine function."""
    return noted_calls.wrap_async_after(_SITE, lambda call, _: _note(read(call)))


def _note(retry: Retry | None) -> None:
    if retry is not None:
        note(retry)
