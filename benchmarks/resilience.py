"""What counting adds to caches, pools, circuit breakers and retries: nanoseconds of one call, without and with obs-run.

Each is measured in turn without our hooks and with them, in one process; the least of many rounds counts, of the
thread's own time. Run it as ``python -m benchmarks.resilience``, in an environment that has the libraries.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from obs_instrumentors import TABLE

from obs_run.core import hooks

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 15
LIBRARIES = ("cachetools", "pybreaker", "sqlalchemy", "tenacity")


def _fail() -> None:
    raise ConnectionError


def _calls() -> dict[str, tuple[int, Callable[[], object]]]:
    """Return how often each call is made in a round, and the call."""
    cachetools = importlib.import_module("cachetools")
    pool = importlib.import_module("sqlalchemy.pool").QueuePool(lambda: sqlite3.connect(":memory:"))
    tenacity = importlib.import_module("tenacity")
    pybreaker = importlib.import_module("pybreaker")
    cache, timed = cachetools.LRUCache(10), cachetools.TTLCache(10, 3600)
    cache["a"] = timed["a"] = 1
    breaker = pybreaker.CircuitBreaker()
    refusing = pybreaker.CircuitBreaker(reset_timeout=3600)
    refusing.open()
    steady = tenacity.Retrying()
    twice = tenacity.Retrying(stop=tenacity.stop_after_attempt(2))

    def refused() -> None:
        with contextlib.suppress(pybreaker.CircuitBreakerError):
            refusing.call(int)

    def retried() -> None:
        with contextlib.suppress(tenacity.RetryError):
            twice(_fail)

    return {
        "cachetools: LRUCache, hit": (50_000, lambda: cache["a"]),
        "cachetools: TTLCache, hit": (50_000, lambda: timed["a"]),
        "cachetools: get, hit": (50_000, lambda: cache.get("a")),
        "cachetools: get, miss": (50_000, lambda: cache.get("b")),
        "SQLAlchemy: connection from its pool and back": (2_000, lambda: pool.connect().close()),
        "pybreaker: call": (10_000, lambda: breaker.call(int)),
        "pybreaker: call that is refused": (5_000, refused),
        "tenacity: call that works": (5_000, lambda: steady(int)),
        "tenacity: call that is given up at the second attempt": (1_000, retried),
    }


def _least(number: int, call: Callable[[], object]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        started = time.thread_time_ns()
        for _ in range(number):
            call()
        rounds.append((time.thread_time_ns() - started) / number)
    return min(rounds)


def _measured() -> dict[str, float]:
    return {name: _least(*called) for name, called in _calls().items()}


def _instrument() -> None:
    for module, instrumentor in TABLE.items():
        if instrumentor.removeprefix("obs_instrumentors.") in LIBRARIES:
            try:
                imported: Any = importlib.import_module(module)
            except ImportError:
                continue
            hooks.instrument(instrumentor, imported)


def main() -> None:
    """Print the table."""
    for signal in ("TRACES", "LOGS", "METRICS"):
        os.environ[f"OTEL_{signal}_EXPORTER"] = "memory"
    from obs_run.runtime import process_runtime

    process_runtime.install()
    without = _measured()
    _instrument()
    with_us = _measured()
    for name, before in without.items():
        after = with_us[name]
        print(f"{name:56} {before:9.0f} ns {after:9.0f} ns {after - before:+9.0f} ns")


if __name__ == "__main__":
    main()
