"""The metrics of pools, breakers, retries, limiters and caches, counted where they happen by ``core.observed_metrics``.

``db.client.connection.*`` and ``http.client.*`` are of the core conventions, which have nothing for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import Observation

from obs_run.base import guard
from obs_run.core import semconv
from obs_run.pipeline.instrument import Instrument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.metrics import Meter

    from obs_run.core.sink import ObservedMetrics
    from obs_run.pipeline.instrument import Kind

_POOL = (semconv.POOL_NAME,)
_SERVER = (semconv.SERVER_ADDRESS, semconv.SERVER_PORT)
_BREAKER = (semconv.OBS_BREAKER_NAME,)
_RETRY = (semconv.CODE_FUNCTION_NAME, semconv.OBS_RETRY_LIBRARY, semconv.ERROR_TYPE)
_LIMITER = (semconv.OBS_LIMITER_NAME,)
_CACHE = (semconv.OBS_CACHE_NAME,)


def _row(
    of: str,
    name: str,
    kind: Kind,
    unit: str,
    description: str,
    labels: tuple[str, ...],
    buckets: tuple[float, ...] | None = None,
) -> Instrument:
    return Instrument(name, kind, unit, description, {}, (), labels, buckets, of)


def _of_pool(
    name: str, kind: Kind, unit: str, description: str, *more: str, buckets: tuple[float, ...] | None = None
) -> Instrument:
    return _row("pools of database connections", name, kind, unit, description, (*_POOL, *more), buckets)


def _of_pool_in_seconds(name: str, description: str) -> Instrument:
    return _of_pool(name, "histogram", "s", description, buckets=semconv.POOL_DURATION_BUCKETS)


def _of_http_pool(name: str, kind: Kind, unit: str, description: str, *more: str) -> Instrument:
    buckets = semconv.POOL_DURATION_BUCKETS if kind == "histogram" else None
    return _row("pools of HTTP connections", name, kind, unit, description, (*_SERVER, *more), buckets)


def _of_breaker(name: str, kind: Kind, unit: str, description: str, *more: str) -> Instrument:
    return _row("circuit breakers", name, kind, unit, description, (*_BREAKER, *more))


def _of_retries(name: str, kind: Kind, unit: str, description: str) -> Instrument:
    buckets = semconv.TIMER_BUCKETS if kind == "histogram" else None
    return _row("retries", name, kind, unit, description, _RETRY, buckets)


def _of_limiter(name: str, kind: Kind, unit: str, description: str) -> Instrument:
    buckets = semconv.TIMER_BUCKETS if kind == "histogram" else None
    return _row("limiters", name, kind, unit, description, _LIMITER, buckets)


def _of_cache(name: str, kind: Kind, unit: str, description: str, *more: str) -> Instrument:
    buckets = semconv.LOOKUP_BUCKETS if kind == "histogram" else None
    return _row("caches", name, kind, unit, description, (*_CACHE, *more), buckets)


TABLE = (
    _of_pool(
        semconv.METRIC_POOL_COUNT,
        "updowncounter",
        "{connection}",
        "The number of connections that are currently in state described by the `state` attribute.",
        semconv.POOL_STATE,
    ),
    _of_pool(
        semconv.METRIC_POOL_IDLE_MAX,
        "updowncounter",
        "{connection}",
        "The maximum number of idle open connections allowed.",
    ),
    _of_pool(
        semconv.METRIC_POOL_IDLE_MIN,
        "updowncounter",
        "{connection}",
        "The minimum number of idle open connections allowed.",
    ),
    _of_pool(
        semconv.METRIC_POOL_MAX, "updowncounter", "{connection}", "The maximum number of open connections allowed."
    ),
    _of_pool(
        semconv.METRIC_POOL_PENDING,
        "updowncounter",
        "{request}",
        "The number of current pending requests for an open connection.",
    ),
    _of_pool(
        semconv.METRIC_POOL_TIMEOUTS,
        "counter",
        "{timeout}",
        "The number of connection timeouts that have occurred trying to obtain a connection from the pool.",
    ),
    _of_pool_in_seconds(semconv.METRIC_POOL_CREATE_TIME, "The time it took to create a new connection."),
    _of_pool_in_seconds(semconv.METRIC_POOL_WAIT_TIME, "The time it took to obtain an open connection from the pool."),
    _of_pool_in_seconds(
        semconv.METRIC_POOL_USE_TIME, "The time between borrowing a connection and returning it to the pool."
    ),
    _of_http_pool(
        semconv.METRIC_HTTP_CONNECTIONS,
        "updowncounter",
        "{connection}",
        "Number of outbound HTTP connections that are currently active or idle on the client.",
        semconv.HTTP_CONNECTION_STATE,
    ),
    _of_http_pool(
        semconv.METRIC_HTTP_PENDING,
        "updowncounter",
        "{request}",
        "Requests that wait for a connection of the client's pool.",
    ),
    _of_http_pool(
        semconv.METRIC_HTTP_WAIT_TIME,
        "histogram",
        "s",
        "The time it took to obtain a connection from the client's pool.",
    ),
    _of_http_pool(
        semconv.METRIC_HTTP_TIMEOUTS,
        "counter",
        "{timeout}",
        "Requests that gave up waiting for a connection of the client's pool.",
    ),
    _of_breaker(
        semconv.METRIC_BREAKER_STATE,
        "updowncounter",
        "{breaker}",
        "Circuit breakers of this name that are in the state: closed, open, half_open.",
        semconv.OBS_BREAKER_STATE,
    ),
    _of_breaker(
        semconv.METRIC_BREAKER_TRANSITIONS,
        "counter",
        "{transition}",
        "Times that a circuit breaker went into the state.",
        semconv.OBS_BREAKER_STATE,
    ),
    _of_breaker(
        semconv.METRIC_BREAKER_REJECTED, "counter", "{call}", "Calls that a circuit breaker did not let through."
    ),
    _of_retries(
        semconv.METRIC_RETRIES, "counter", "{attempt}", "Further attempts, scheduled because the one before failed."
    ),
    _of_retries(
        semconv.METRIC_RETRIES_EXHAUSTED, "counter", "{call}", "Calls that were given up after their last attempt."
    ),
    _of_retries(semconv.METRIC_RETRY_WAIT_TIME, "histogram", "s", "The time to wait before a further attempt."),
    _of_limiter(semconv.METRIC_LIMITER_WAIT_TIME, "histogram", "s", "The time until a limiter let a call through."),
    _of_limiter(semconv.METRIC_LIMITER_REJECTED, "counter", "{call}", "Calls that a limiter did not let through."),
    _of_cache(
        semconv.METRIC_CACHE_LOOKUPS,
        "counter",
        "{lookup}",
        "Lookups in a cache, by whether they hit or miss.",
        semconv.OBS_CACHE_RESULT,
    ),
    _of_cache(
        semconv.METRIC_CACHE_EVICTIONS,
        "counter",
        "{item}",
        "Items that a cache let go of: for want of room, or as they expired.",
        semconv.OBS_CACHE_EVICTION_REASON,
    ),
    _of_cache(
        semconv.METRIC_CACHE_LOOKUP_DURATION,
        "histogram",
        "s",
        "The time that a lookup took, of caches that are asked by I/O.",
    ),
)


def observe(meter: Meter, observed: ObservedMetrics, recorder: Callable[[Instrument, dict[str, Any]], Any]) -> None:
    """Make the instruments; ``recorder(row, attributes)`` gives what takes a histogram's values."""
    histograms = [row for row in TABLE if row.kind == "histogram"]
    recorders: dict[tuple[Any, ...], Callable[[float], None]] = {}

    def record_durations(_options: object) -> Iterable[Observation]:
        # Within the collection, so that what is read now belongs to it, whoever collects.
        for row in histograms:
            for values, attributes in guard.call("observed metrics", observed.take_durations, row.name, default=()):
                if not values:
                    continue
                key = (row.name, *attributes.items())
                record = recorders.get(key) or recorders.setdefault(key, recorder(row, dict(attributes)))
                for value in values:
                    guard.call("observed metrics", record, value)
        return ()

    before: list[Any] = [record_durations]
    for row in TABLE:
        if row.kind == "histogram":
            continue
        is_count = row.kind == "counter"
        read = observed.read_counts if is_count else observed.read_observations
        create = meter.create_observable_counter if is_count else meter.create_observable_up_down_counter
        create(row.name, [*before, _callback(read, row.name)], row.unit, row.description)
        before = []


def _callback(read: Callable[[str], Any], name: str) -> Callable[[Any], list[Observation]]:
    def observed(_options: object) -> list[Observation]:
        found = guard.call("observed metrics", read, name, default=())
        return [Observation(value, attributes) for value, attributes in found]

    return observed
