"""Caches of diskcache: the one lookup that subscripts, ``memoize`` and the shards of a ``FanoutCache`` pass.

What a cache lets go of as it is written to is told to nobody, and not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.caches import CacheDescription, created_in, wrap_lookup, wrap_made
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_run.core.caches import Found
    from obs_run.core.outcomes import Call

_EXPIRE_TIME, _TAG = 3, 4


def describe(cache: Any) -> CacheDescription:
    """Describe a cache that was made before it was known."""
    return CacheDescription(type(cache).__name__)


def read_made(call: Call) -> tuple[Any, CacheDescription]:
    """Name a cache by the module that makes it and its class; shards are their cache's."""
    module = created_in("diskcache")
    name = type(call.instance).__name__
    return call.instance, CacheDescription(f"{module}.{name}" if module else name)


def read_get(call: Call, returned: Any, error: BaseException | None) -> Found:
    """Read a lookup, which returns more than the value where that is asked for."""
    if call.argument(_EXPIRE_TIME, "expire_time") or call.argument(_TAG, "tag"):
        returned = returned[0] if isinstance(returned, tuple) else returned
    is_hit = error is None and returned is not call.argument(1, "default")
    return call.instance, describe, int(is_hit), int(not is_hit)


INSTRUMENTORS = (
    Instrumentor(
        "diskcache",
        "diskcache",
        ">=5,<6",
        (
            Target("diskcache.core", "Cache.__init__", wrap_made(read_made)),
            Target("diskcache.core", "Cache.get", wrap_lookup(read_get)),
        ),
        ("caches",),
    ),
)
