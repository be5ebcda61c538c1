"""An agent that leans on what protects it: a pool, a cache, retries and a circuit breaker.

It works until it is interrupted. Half of its pool is in use, one of four lookups misses, each order is tried twice, and
the breaker of the carrier, which is down, stays open. It asks a model too, where OPENAI_BASE_URL names one.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
import urllib.request

import cachetools
import pybreaker
import tenacity
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=1, pool_logging_name="orders")
carrier = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=3600, name="carrier")


@cachetools.cached(cachetools.LRUCache(maxsize=1))
def price(order: int) -> int:
    """Return the price of an order."""
    return 10 * order


@carrier
def ship(order: int) -> None:
    """Ship an order, which fails."""
    raise ConnectionError(order)


@tenacity.retry(wait=tenacity.wait_fixed(0.01))
def place(order: int, attempts: itertools.count[int]) -> int:
    """Place an order, which works at the second attempt."""
    if next(attempts) == 0:
        raise TimeoutError
    with engine.connect() as connection:
        number: int = connection.execute(text("select :order"), {"order": order}).scalar_one()
        return number


def describe(order: int) -> None:
    """Have a model describe an order, at greater length than would be needed."""
    url, model = os.environ.get("OPENAI_BASE_URL"), os.environ.get("OPENAI_MODEL", "gpt-5")
    if url is not None:
        messages = [
            {"role": "system", "content": "You describe orders. " * 20},
            {"role": "user", "content": str(order)},
        ]
        body = json.dumps({"model": model, "messages": messages}).encode()
        headers = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY')}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{url}/chat/completions", body, headers)) as answer:
            answer.read()


def main() -> None:
    """Work."""
    with engine.connect():
        for order in itertools.count():
            for _ in range(4):
                price(order)
            place(order, itertools.count())
            with contextlib.suppress(ConnectionError, pybreaker.CircuitBreakerError):
                ship(order)
            describe(order)
            time.sleep(0.05)


if __name__ == "__main__":
    main()
