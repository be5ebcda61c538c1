"""What older releases of AG2's classic agents do not do: answers that stream, and spans of their own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.ag2_classic.more import assert_told_once_by_the_client, its

__all__ = ["its"]


def test_the_client_tells_of_each_stream_once(its: Any, telemetry: Any) -> None:
    assert_told_once_by_the_client(its, telemetry, stream=True)


@pytest.mark.usefixtures("its")
def test_the_librarys_own_spans_stand_back_where_ours_go(telemetry: Any) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    mine = TracerProvider()
    mine.add_span_processor(SimpleSpanProcessor(kept))
    get_tracer = import_module("autogen.opentelemetry.setup").get_tracer
    for provider in (trace.get_tracer_provider(), mine):
        with get_tracer(provider).start_as_current_span("conversation"):
            pass
    assert telemetry.spans() == []
    assert [span.name for span in kept.get_finished_spans()] == ["conversation"]
