"""Caches of cachetools, however they are used: as mappings, by ``cached``, by ``cachedmethod``.

Chosen: the methods of each class that owns them. Derived classes have kept the base's as defaults of arguments, so
that a lookup passes one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.caches import (
    CacheDescription,
    count_eviction,
    count_expiry,
    count_lookup,
    count_lookup_with_default,
    created_in,
    wrap_made,
)
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def describe(cache: Any) -> CacheDescription:
    """Describe a cache that was made before it was known."""
    missing = type(cache).__missing__
    return CacheDescription(type(cache).__name__, loads=missing.__module__ != "cachetools")


def read_made(call: Call) -> tuple[Any, CacheDescription]:
    """Name a cache by the module that makes it, as caches have no names."""
    module = created_in("cachetools")
    described = describe(call.instance)
    return call.instance, described._replace(name=f"{module}.{described.name}") if module else described


_EVICTION = count_eviction()
INSTRUMENTORS = (
    Instrumentor(
        "cachetools",
        "cachetools",
        ">=4.2,<9",
        (
            Target("cachetools", "Cache.__init__", wrap_made(read_made)),
            Target("cachetools", "*Cache.__getitem__", count_lookup(describe)),
            Target("cachetools", "Cache.get", count_lookup_with_default(describe)),
            # What it inherits of ``MutableMapping``; derived ones choose by theirs what goes.
            Target("cachetools", "Cache.popitem", _EVICTION),
            Target("cachetools", "Cache+.popitem", _EVICTION),
            Target("cachetools", "*Cache.expire", count_expiry()),
        ),
        ("caches",),
    ),
)
