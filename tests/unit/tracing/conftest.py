from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from obs_run.base import guard

# The process of the tests must not be prepared for leaving with telemetry of its own.
with patch.dict(os.environ, OTEL_SDK_DISABLED="true"):
    from obs_run.tracing import tracer as tracers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan


class Exported:
    """The spans that a provider got, which the test set as an agent may."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def spans(self) -> list[ReadableSpan]:
        """All, in the order of their ends."""
        return list(self._exporter.get_finished_spans())

    def one(self, name: str) -> ReadableSpan:
        """The only one of that name."""
        (found,) = (span for span in self.spans if span.name == name)
        return found


@pytest.fixture(autouse=True)
def exported(monkeypatch: pytest.MonkeyPatch) -> Exported:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return Exported(exporter)


@pytest.fixture(autouse=True)
def own_tracers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracers, "_tracers", tracers._Tracers())
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The warnings that the test expects, each once; others fail it."""
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", set())
    expected: list[str] = []
    yield expected
    lines = [
        record.getMessage()
        for record in caplog.get_records("call")
        # Of malformed baggage OpenTelemetry says so itself.
        if record.levelno >= logging.WARNING and not record.name.startswith("opentelemetry.baggage")
    ]
    assert lines == expected
