"""Pools of asyncpg: both ways to acquire pass one method. A pool allows no weak references; its queue stands for it.

What the queries are is told by the official instrumentor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run.base import payload
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.pools import (
    PoolDescription,
    PoolReader,
    wrap_async_acquire,
    wrap_async_create,
    wrap_close,
    wrap_detach,
    wrap_release,
)

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def describe(call: Call) -> PoolDescription:
    """Describe a pool, which is named as the conventions name those without names."""
    return _described(call.instance)


def _described(pool: Any) -> PoolDescription:
    most = payload.get_int(pool, "_maxsize")
    return PoolDescription(_name(pool), most, most, payload.get_int(pool, "_minsize"))


def _name(pool: Any) -> str:
    options = payload.get(pool, "_connect_kwargs")
    arguments = payload.get_list(pool, "_connect_args")
    dsn = urlsplit(str(payload.coalesce(payload.get(options, "dsn"), arguments[0] if arguments else None, "")))
    host = payload.coalesce(payload.get(options, "host"), dsn.hostname, "postgresql")
    port = payload.coalesce(payload.get(options, "port"), dsn.port)
    database = payload.coalesce(payload.get(options, "database"), dsn.path.lstrip("/"))
    server = str(host) if port is None else f"{host}:{port}"
    return f"{server}/{database}" if database else server


def _connection(proxy: Any) -> Any:
    # Of a proxy that was given back already it is None.
    return payload.get(proxy, "_con")


_POOL = PoolReader(
    lambda call: call.instance._queue,  # noqa: SLF001 (no public way)
    describe,
    acquired=_connection,
    released=lambda call: _connection(call.argument(0, "connection")),
)
_HOLDER = PoolReader(
    lambda call: call.instance._pool._queue,  # noqa: SLF001 (no public way)
    lambda call: _described(call.instance._pool),  # noqa: SLF001 (as above)
    released=lambda call: call.instance._con,  # noqa: SLF001 (as above)
)

_CLOSE = wrap_close(_HOLDER)

INSTRUMENTORS = (
    Instrumentor(
        "asyncpg",
        "asyncpg",
        ">=0.28,<1",
        (
            Target("asyncpg.pool", "Pool._acquire", wrap_async_acquire(_POOL)),
            Target("asyncpg.pool", "Pool.release", wrap_release(_POOL)),
            Target("asyncpg.pool", "Pool._get_new_connection", wrap_async_create(_POOL)),
            Target("asyncpg.pool", "PoolConnectionHolder._release_on_close", wrap_detach(_HOLDER)),
            Target("asyncpg.pool", "PoolConnectionHolder.close", _CLOSE),
            Target("asyncpg.pool", "PoolConnectionHolder.terminate", _CLOSE),
            Target("asyncpg.pool", "PoolConnectionHolder._deactivate_inactive_connection", _CLOSE),
        ),
        ("pools of connections",),
    ),
)
