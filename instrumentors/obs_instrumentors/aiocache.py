"""Caches of aiocache, in memory, Redis or Memcached: the two lookups that all of them and ``cached`` pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.caches import CacheDescription, created_in, wrap_async_lookup, wrap_made
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_run.core.caches import Found
    from obs_run.core.outcomes import Call


def describe(cache: Any) -> CacheDescription:
    """Describe a cache that was made before it was known."""
    return CacheDescription(type(cache).__name__)


def read_made(call: Call) -> tuple[Any, CacheDescription]:
    """Name a cache by the module that makes it and its class."""
    module = created_in("aiocache")
    name = type(call.instance).__name__
    return call.instance, CacheDescription(f"{module}.{name}" if module else name)


def read_get(call: Call, returned: Any, error: BaseException | None) -> Found:
    """Read a lookup of one key, whose default is None if it is not given; None is nothing that can be kept."""
    is_hit = error is None and returned is not None and returned is not call.argument(1, "default")
    return call.instance, describe, int(is_hit), int(not is_hit)


def read_multi_get(call: Call, returned: Any, _error: BaseException | None) -> Found:
    """Read a lookup of several keys."""
    values = list(returned or ())
    hits = sum(value is not None for value in values)
    return call.instance, describe, hits, len(values) - hits


INSTRUMENTORS = (
    Instrumentor(
        "aiocache",
        "aiocache",
        ">=0.11,<1",
        (
            Target("aiocache.base", "BaseCache.__init__", wrap_made(read_made)),
            Target("aiocache.base", "BaseCache.get", wrap_async_lookup(read_get)),
            Target("aiocache.base", "BaseCache.multi_get", wrap_async_lookup(read_multi_get)),
        ),
        ("caches",),
    ),
)
