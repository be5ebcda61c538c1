"""Limiters of rates and of concurrency: how long calls wait to be let through, and how many are not."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.core import noted_calls, semconv, span_events
from obs_run.core.caches import created_in
from obs_run.core.observed_metrics import observed_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper
    from obs_run.core.outcomes import Call

    Read = Callable[[Call, Any, BaseException | None], "Passage | None"]

__all__ = ["Passage", "name_of", "note", "wrap_async_passage", "wrap_either_passage"]

_SITE = "limiter"


class Passage(NamedTuple):
    """A call that comes to a limiter, by the limiter's name."""

    name: str
    is_let_through: bool = True


def name_of(limiter: Any, package: str) -> str:
    """Return the name of a limiter of ``package``: that of the module that comes to it, and of its class."""
    # What a task or a loop calls at once has no caller but asyncio and who runs the loop.
    return f"{created_in(package, 'asyncio')}.{type(limiter).__name__}"


def note(passage: Passage, begun: int) -> None:
    """Note what became of a call that came to a limiter at ``begun``."""
    seconds = (time.perf_counter_ns() - begun) / 1e9
    observed_metrics.watch()
    labels = {semconv.OBS_LIMITER_NAME: passage.name}
    if not passage.is_let_through:
        observed_metrics.count(semconv.METRIC_LIMITER_REJECTED, labels).add()
        span_events.add_event(semconv.EVENT_LIMITER_REJECTED, {**labels, semconv.OBS_LIMITER_WAIT_TIME: seconds})
        return
    observed_metrics.durations(semconv.METRIC_LIMITER_WAIT_TIME, labels).add(seconds)
    if seconds >= settings.get("OBS_SLOW_ACQUIRE_SECONDS"):
        span_events.add_event(semconv.EVENT_LIMITER_WAIT, {**labels, semconv.OBS_LIMITER_WAIT_TIME: seconds})


def wrap_async_passage(read: Read) -> Wrapper:
    """Return the wrapper of a coroutine function that waits to let a call through; ``read`` says what came of it."""
    return noted_calls.wrap_async_timed(_SITE, partial(_note, read))


def wrap_either_passage(read: Read) -> Wrapper:
    """Return the wrapper of a function that does, itself or by a coroutine that it returns."""
    return noted_calls.wrap_either_timed(_SITE, partial(_note, read))


def _note(read: Read, call: Call, returned: Any, error: BaseException | None, begun: int) -> None:
    passage = read(call, returned, error)
    if passage is not None:
        note(passage, begun)
