"""Drivers of frameworks that have a faked model and one behind the stub, and the fixture that gives them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.run_scenarios import LIBRARY, instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator


def driver_fixture(*kinds: str, **chosen: Any) -> Any:
    """Return the fixture of the library's driver under our hooks, of each kind in turn; ``chosen`` is what it uses."""

    @pytest.fixture(params=kinds)
    def its(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Any]:
        assert telemetry is not None
        stub.reset()
        with driver(request.param, stub) as made, instrumented():
            yield made.using(**chosen) if chosen else made

    return its


@contextmanager
def driver(kind: str, stub: Any) -> Iterator[Any]:
    """Give a driver of the library, and close it."""
    made = LIBRARY.driver(kind, stub)
    try:
        yield made
    finally:
        made.close()
