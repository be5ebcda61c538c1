"""Keys that are caches, because the user says so: most of what is read from Redis is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import named_keys
from obs_run.core.caches import CacheDescription

from . import clients

if TYPE_CHECKING:
    from obs_run.core.caches import Found
    from obs_run.core.outcomes import Call


class _Keys:
    """The keys that one pattern means."""

    __slots__ = ("__weakref__", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern


_known: dict[str, _Keys] = {}


def describe(cache: Any) -> CacheDescription:
    """Describe a cache by the pattern of its keys."""
    return CacheDescription(cache.pattern)


def _cache_of(call: Call, keys: list[Any]) -> _Keys | None:
    if clients.is_pipeline(call.instance):
        return None
    names = [name for name in map(clients.name_of, keys) if name is not None]
    pattern = named_keys.pattern_of(names, "OBS_REDIS_CACHES")
    return None if pattern is None else _known.setdefault(pattern, _Keys(pattern))


def read_get(call: Call, returned: Any, error: BaseException | None) -> Found | None:
    """Read a lookup of one key, or of one field; what comes is None or empty where there is nothing."""
    cache = _cache_of(call, [call.argument(0, "name")])
    if cache is None:
        return None
    is_hit = error is None and returned is not None and returned != {}
    return cache, describe, int(is_hit), int(not is_hit)


def read_mget(call: Call, returned: Any, _error: BaseException | None) -> Found | None:
    """Read a lookup of several keys, which are those of one cache."""
    keys = call.argument(0, "keys")
    listed = [*keys, *call.args[1:]] if isinstance(keys, (list, tuple)) else [keys, *call.args[1:]]
    cache = _cache_of(call, listed)
    if cache is None:
        return None
    hits = sum(value is not None for value in returned or ())
    return cache, describe, hits, len(listed) - hits
