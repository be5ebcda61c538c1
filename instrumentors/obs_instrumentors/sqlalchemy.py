"""Pools of SQLAlchemy, of all its engines: what is known of each connection is its record in the pool.

Chosen: patches below ``Pool.connect`` and around the record. Events of the library tell of no wait and no time-out.
What the queries are is told by the official instrumentor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.pools import (
    PoolDescription,
    PoolReader,
    wrap_acquire,
    wrap_close,
    wrap_close_idle,
    wrap_create,
    wrap_describe,
    wrap_detach,
    wrap_recreate,
    wrap_release,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.outcomes import Call

_BASE = "sqlalchemy.pool.base"


def read_engine(call: Call) -> tuple[Any, PoolDescription]:
    """Read the pool that an engine is made with, which is named as the conventions name those without names."""
    pool, url = call.argument(0, "pool"), call.argument(2, "url")
    return pool, describe(pool)._replace(name=payload.get_text(pool, "logging_name") or _name(url))


def _name(url: Any) -> str:
    host, port, database = (payload.get(url, name) for name in ("host", "port", "database"))
    server = str(host or payload.get(url, "drivername"))
    if port is not None:
        server = f"{server}:{port}"
    return f"{server}/{database}" if database else server


def describe(pool: Any) -> PoolDescription:
    """Describe a pool by its own limits; a QueuePool may open so many beyond those that it keeps."""
    name = payload.get_text(pool, "logging_name") or type(pool).__name__
    kept = payload.get_int(payload.get(pool, "_pool"), "maxsize")
    beyond = payload.get_int(pool, "_max_overflow")
    if not kept or beyond is None:
        # No limit is 0, and other pools have no queue.
        return PoolDescription(name)
    most = None if beyond < 0 else kept + beyond
    return PoolDescription(name, most, kept)


def _pool_of_record(record: Any) -> Any:
    return record._ConnectionRecord__pool  # noqa: SLF001 (no public way)


def _reader(pool: Callable[[Call], Any], record: Callable[[Call], Any]) -> PoolReader:
    return PoolReader(
        pool,
        lambda call: describe(pool(call)),
        acquired=lambda fairy: fairy._connection_record,  # noqa: SLF001 (no public way)
        released=record,
        created=lambda call, _: record(call),
    )


_CHECKOUT = _reader(lambda call: call.argument(0, "pool"), lambda _: None)
_RETURN = _reader(lambda call: call.instance, lambda call: call.args[0])
_RECORD = _reader(lambda call: _pool_of_record(call.instance), lambda call: call.instance)
_DETACH = _reader(
    lambda call: call.instance._pool,  # noqa: SLF001 (no public way)
    lambda call: call.instance._connection_record,  # noqa: SLF001
)

INSTRUMENTORS = (
    Instrumentor(
        "sqlalchemy",
        "SQLAlchemy",
        ">=1.4,<3",
        (
            Target("sqlalchemy.engine.base", "Engine.__init__", wrap_describe(read_engine)),
            Target("sqlalchemy.pool.impl", "*Pool.recreate", wrap_recreate()),
            Target(_BASE, "_ConnectionRecord.checkout", wrap_acquire(_CHECKOUT)),
            Target(_BASE, "_ConnectionRecord._ConnectionRecord__connect", wrap_create(_RECORD)),
            Target(_BASE, "_ConnectionRecord._ConnectionRecord__close", wrap_close(_RECORD)),
            Target(_BASE, "Pool._return_conn", wrap_release(_RETURN)),
            Target("sqlalchemy.pool.impl", "*Pool.dispose", wrap_close_idle(_RETURN)),
            # Of the pool for each thread, before 2.0.
            Target("sqlalchemy.pool.impl", "*Pool._return_conn", wrap_release(_RETURN)),
            Target(_BASE, "_ConnectionFairy.detach", wrap_detach(_DETACH)),
        ),
        ("pools of connections",),
    ),
)
