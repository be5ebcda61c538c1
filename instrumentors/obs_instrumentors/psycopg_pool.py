"""Pools of psycopg_pool, sync and async: ``connection()`` and the agent's own calls pass the same two methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.base import payload
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.pools import (
    PoolDescription,
    PoolReader,
    wrap_acquire,
    wrap_async_acquire,
    wrap_async_create,
    wrap_close,
    wrap_close_idle,
    wrap_create,
    wrap_release,
)

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def describe(call: Call) -> PoolDescription:
    """Describe a pool, which always has a name; all that it may have may be idle."""
    pool = call.instance
    most = payload.get_int(pool, "_max_size")
    return PoolDescription(str(pool.name), most, most, payload.get_int(pool, "_min_size"))


def is_timeout(error: BaseException) -> bool:
    """Whether a wait was given up."""
    return type(error).__name__ == "PoolTimeout"


_POOL = PoolReader(
    lambda call: call.instance, describe, released=lambda call: call.argument(0, "conn"), is_timeout=is_timeout
)
_RETURNED = _POOL._replace(released=lambda call: call.args[0] if call.args[0].closed else None)
_SYNC, _ASYNC = "psycopg_pool.pool", "psycopg_pool.pool_async"
_RELEASE, _CLOSE, _CLOSE_ALL = wrap_release(_POOL), wrap_close(_POOL), wrap_close_idle(_POOL)
_RETURN = wrap_close(_RETURNED)

INSTRUMENTORS = (
    Instrumentor(
        "psycopg_pool",
        "psycopg-pool",
        ">=3.1,<4",
        (
            Target(_SYNC, "ConnectionPool.getconn", wrap_acquire(_POOL)),
            Target(_SYNC, "ConnectionPool.putconn", _RELEASE),
            Target(_SYNC, "ConnectionPool._connect", wrap_create(_POOL)),
            Target(_SYNC, "ConnectionPool._return_connection", _RETURN),
            # Since 3.3; before, a connection is gone when its object is.
            Target(_SYNC, "ConnectionPool._close_connection", _CLOSE, optional=True),
            Target(_SYNC, "ConnectionPool.close", _CLOSE_ALL),
            Target(_ASYNC, "AsyncConnectionPool.getconn", wrap_async_acquire(_POOL)),
            Target(_ASYNC, "AsyncConnectionPool.putconn", _RELEASE),
            Target(_ASYNC, "AsyncConnectionPool._connect", wrap_async_create(_POOL)),
            Target(_ASYNC, "AsyncConnectionPool._return_connection", _RETURN),
            # Since 3.3; before, a connection is gone when its object is.
            Target(_ASYNC, "AsyncConnectionPool._close_connection", _CLOSE, optional=True),
            Target(_ASYNC, "AsyncConnectionPool.close", _CLOSE_ALL),
        ),
        ("pools of connections",),
    ),
)
