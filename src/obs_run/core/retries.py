"""Further attempts of calls that failed: counted, and events of the span that they are made in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obs_run.base import guard, payload
from obs_run.base.stand_in import hide_frame, passed_over
from obs_run.core import semconv, span_events
from obs_run.core.figures import figures
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from obs_run.core.hooks import Wrapper

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


@dataclass
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
    figures.watch()
    labels = _labels(retry)
    moment = dict(labels)
    if retry.attempt is not None:
        moment[semconv.OBS_RETRY_ATTEMPT] = retry.attempt
    if retry.is_last:
        figures.count(semconv.METRIC_RETRIES_EXHAUSTED, labels).add()
        span_events.add_event(semconv.EVENT_RETRIES_EXHAUSTED, moment)
        return
    figures.count(semconv.METRIC_RETRIES, labels).add()
    if retry.wait_time is not None:
        moment[semconv.OBS_RETRY_WAIT_TIME] = retry.wait_time
        figures.durations(semconv.METRIC_RETRY_WAIT_TIME, labels).add(retry.wait_time)
    span_events.add_event(semconv.EVENT_RETRY, moment)


def _note(read: Read, *called: Any) -> None:
    retry = read(Call(*called))
    if retry is not None:
        note(retry)


def wrap_before(read: Read) -> Wrapper:
    """Return the wrapper of a function before whose calls ``read`` knows of an attempt that failed."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("retry", _note, read, instance, args, kwargs)
        return wrapped(*args, **kwargs)

    return wrapper


def wrap_after(read: Read) -> Wrapper:
    """Return the wrapper of a function after whose calls ``read`` knows of an attempt that failed."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            raise
        guard.call("retry", _note, read, instance, args, kwargs)
        return returned

    return wrapper


def wrap_async_after(read: Read) -> Wrapper:
    """Return the wrapper of such a coroutine function."""

    @passed_over
    async def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            returned = await wrapped(*args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            raise
        guard.call("retry", _note, read, instance, args, kwargs)
        return returned

    return wrapper
