"""Pools of redis-py, sync and async, those that wait for a connection and those that refuse.

A wait includes opening a connection. The library's own metrics are for those who ask for them by its
``observability``; commands are told by the official instrumentor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.base import payload
from obs_run.core.pools import PoolDescription, PoolReader

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_UNLIMITED = 2**31


def describe(call: Call) -> PoolDescription:
    """Describe a pool, which has no name; no limit is the largest number."""
    pool = call.instance
    options = payload.get(pool, "connection_kwargs")
    most = payload.get_int(pool, "max_connections")
    if most is not None and most >= _UNLIMITED:
        most = None
    path = payload.get(options, "path")
    server = path or f"{payload.get(options, 'host') or 'localhost'}:{payload.get(options, 'port') or 6379}"
    return PoolDescription(f"{server}/{payload.get(options, 'db') or 0}", most, most)


def is_timeout(error: BaseException) -> bool:
    """Whether a wait was given up, or there was none to be had; that of a connection that failed is another."""
    return str(error) in ("No connection available.", "Too many connections")


POOL = PoolReader(
    lambda call: call.instance, describe, released=lambda call: call.argument(0, "connection"), is_timeout=is_timeout
)
