"""One library of the OpenAI family, by itself or under our hooks."""

from __future__ import annotations

import importlib
import os
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.openai.drivers import LIBRARIES, Library, driver, instrument

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare each client the reading of the system's certificates: the servers of these tests speak plain HTTP."""
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)


@pytest.fixture(scope="session")
def library() -> Library:
    return LIBRARIES[os.environ.get("OBS_TEST_LIBRARY", "openai")]


@pytest.fixture(scope="session")
def package(library: Library) -> Any:
    return importlib.import_module(library.package)


@pytest.fixture
def instrumented(library: Library, package: Any, telemetry: Any) -> Iterator[None]:
    from obs_run.core import hooks

    assert package is not None
    assert telemetry is not None
    instrument(library)
    assert [status.skipped for status in hooks.statuses()] == [None]
    yield
    hooks.undo()


@pytest.fixture(params=["sync", "async"])
def calls(request: pytest.FixtureRequest, library: Library, package: Any, stub: Any, instrumented: None) -> Any:
    """A client of the library under our hooks."""
    assert instrumented is None
    made = driver(request.param, library, package, stub)
    yield made
    made.close()


@pytest.fixture(params=["sync", "async"])
def plain_calls(request: pytest.FixtureRequest, library: Library, package: Any, stub: Any) -> Any:
    """A client of the library that a test may put under our hooks."""
    made = driver(request.param, library, package, stub)
    yield made
    made.close()
