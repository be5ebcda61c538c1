"""Caches: how often a lookup hits, what is let go of, and how long a lookup takes where that is I/O.

A lookup in memory takes a tenth of a microsecond, so what counts it is a plain function in the method's place, and
one call of a counter. What wrapt puts around a method costs as much as seven such lookups.
"""

from __future__ import annotations

import sys
import time
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.base import guard
from obs_run.base.stand_in import hide_frame, passed_over
from obs_run.core import noted_calls, semconv
from obs_run.core.hooks import InPlace
from obs_run.core.observed_metrics import observed_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from obs_run.core.hooks import Wrapper
    from obs_run.core.observed_metrics import Observation
    from obs_run.core.outcomes import Call

__all__ = [
    "CacheDescription",
    "cache_of",
    "count_eviction",
    "count_expiry",
    "count_lookup",
    "count_lookup_with_default",
    "created_in",
    "wrap_async_lookup",
    "wrap_either_lookup",
    "wrap_lookup",
    "wrap_made",
]

SIZE, EXPIRED = "size", "expired"
_HIT, _MISS = "hit", "miss"
_MISSING = object()
_SITE = "cache"
_kept = observed_metrics.kept


class CacheDescription(NamedTuple):
    """What is known of a cache from when it is made."""

    name: str
    loads: bool = False
    """Whether it makes what it lacks, so that a miss is not told by an exception."""


if TYPE_CHECKING:
    Describe = Callable[[Any], CacheDescription]
    Found = tuple[Any, Describe, int, int]
    Read = Callable[[Call, Any, BaseException | None], Found | None]
    """Gives the cache, what describes it, and how much of what was asked for it had and how much not.

    None is for what is no lookup in a cache.
    """


class Cache:
    """What is counted of a cache."""

    __slots__ = ("evicted", "expired", "hit", "is_inside", "loads", "miss", "took")

    def __init__(self, description: CacheDescription) -> None:
        self.loads = description.loads
        attributes = {semconv.OBS_CACHE_NAME: description.name}
        lookups, evictions = semconv.METRIC_CACHE_LOOKUPS, semconv.METRIC_CACHE_EVICTIONS
        self.hit = observed_metrics.count(lookups, {**attributes, semconv.OBS_CACHE_RESULT: _HIT})
        self.miss = observed_metrics.count(lookups, {**attributes, semconv.OBS_CACHE_RESULT: _MISS})
        self.evicted = observed_metrics.count(evictions, {**attributes, semconv.OBS_CACHE_EVICTION_REASON: SIZE})
        self.expired = observed_metrics.count(evictions, {**attributes, semconv.OBS_CACHE_EVICTION_REASON: EXPIRED})
        self.took = observed_metrics.durations(semconv.METRIC_CACHE_LOOKUP_DURATION, attributes)
        self.is_inside = False
        """Whether it is at work on itself, and what it looks up is no lookup of the agent's."""

    def observations(self) -> Iterable[Observation]:
        """Return nothing: all of it is counts."""
        return ()

    def begin_in_child(self) -> None:
        """Go on: the counts are at zero."""


def cache_of(owner: Any, describe: Describe) -> Cache:
    """Return what is counted of a cache, which is described where it is not known yet."""
    cache: Cache | None = _kept.get(id(owner))
    if cache is None:
        cache = Cache(describe(owner))
        observed_metrics.keep(owner, cache)
    return cache


def created_in(*packages: str) -> str | None:
    """Return the module whose code, outside of ``packages``, is at work in this thread."""
    frame = sys._getframe(1)  # noqa: SLF001 (as ``logging`` finds its caller)
    inside = (*packages, "obs_run.", "obs_instrumentors.", "functools", "abc")
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if not name.startswith(inside):
            return name
        frame = frame.f_back  # type: ignore[assignment]
    return None


def count_lookup(describe: Describe) -> InPlace:
    """Return what counts the lookups by a method that raises ``KeyError`` where there is nothing."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @passed_over
        @wraps(original)
        def lookup(self: Any, key: Any, *more: Any) -> Any:
            cache = _kept.get(id(self))
            if cache is None:
                cache = guard.call(_SITE, cache_of, self, describe)
                if cache is None:
                    return original(self, key, *more)
            try:
                is_hit = not cache.loads or key in self
                value = original(self, key, *more)
            except BaseException as error:
                if not cache.is_inside and isinstance(error, KeyError):
                    cache.miss.add()
                hide_frame(error, error.__traceback__)
                raise
            if not cache.is_inside:
                (cache.hit if is_hit else cache.miss).add()
            return value

        return lookup

    return InPlace(make)


def count_lookup_with_default(describe: Describe) -> InPlace:
    """Return what counts the misses of a method with a default, whose hits are lookups of the other kind."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @passed_over
        @wraps(original)
        def get(self: Any, key: Any, default: Any = None) -> Any:
            try:
                value = original(self, key, _MISSING)
            except BaseException as error:
                hide_frame(error, error.__traceback__)
                raise
            if value is not _MISSING:
                return value
            cache = _kept.get(id(self))
            if cache is None:
                cache = guard.call(_SITE, cache_of, self, describe)
            if cache is not None:
                cache.miss.add()
            return default

        return get

    return InPlace(make)


def _count_inside(count: Callable[[Cache, Any, bool], None]) -> InPlace:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @passed_over
        @wraps(original)
        def work(self: Any, *args: Any, **kwargs: Any) -> Any:
            cache = _kept.get(id(self))
            was_inside = cache is not None and cache.is_inside
            try:
                if cache is not None:
                    cache.is_inside = True
                returned = original(self, *args, **kwargs)
            except BaseException as error:
                hide_frame(error, error.__traceback__)
                raise
            finally:
                if cache is not None:
                    cache.is_inside = was_inside
            if cache is not None:
                guard.call(_SITE, count, cache, returned, was_inside)
            return returned

        return work

    return InPlace(make)


def _evict(cache: Cache, _returned: Any, was_inside: bool) -> None:  # noqa: FBT001 (as it is called)
    # A derived class may call the method that it is derived from.
    if not was_inside:
        cache.evicted.add()


def _expire(cache: Cache, returned: Any, _was_inside: bool) -> None:  # noqa: FBT001 (as above)
    # Releases that return nothing do not tell how many.
    if returned:
        cache.expired.add_many(len(returned))


def count_eviction() -> InPlace:
    """Return what counts the items that a method lets go of, one at a time."""
    return _count_inside(_evict)


def count_expiry() -> InPlace:
    """Return what counts the items that a method lets go of because of their age, and returns."""
    return _count_inside(_expire)


def wrap_made(read: Callable[[Call], tuple[Any, CacheDescription] | None]) -> Wrapper:
    """Return the wrapper of a constructor, after which ``read`` gives the cache and its description."""

    def note(call: Call, _returned: Any) -> None:
        made = read(call)
        if made is not None:
            owner, description = made
            observed_metrics.keep(owner, Cache(description))

    return noted_calls.wrap_after(_SITE, note)


def _note(read: Read, call: Call, returned: Any, error: BaseException | None, begun: int) -> None:
    seconds = (time.perf_counter_ns() - begun) / 1e9
    found = read(call, returned, error)
    if found is None:
        return
    owner, describe, hits, misses = found
    cache = cache_of(owner, describe)
    cache.hit.add_many(hits)
    cache.miss.add_many(misses)
    cache.took.add(seconds)


def wrap_lookup(read: Read) -> Wrapper:
    """Return the wrapper of a method that looks up by I/O; ``read(call, returned, error)`` says what came of it."""
    return noted_calls.wrap_timed(_SITE, partial(_note, read))


def wrap_async_lookup(read: Read) -> Wrapper:
    """Return the wrapper of a coroutine function that looks up by I/O, as ``wrap_lookup`` does."""
    return noted_calls.wrap_async_timed(_SITE, partial(_note, read))


def wrap_either_lookup(read: Read) -> Wrapper:
    """Return the wrapper of a function that looks up by I/O, itself or by a coroutine that it returns."""
    return noted_calls.wrap_either_timed(_SITE, partial(_note, read))
