"""Spans for people who write code, on OpenTelemetry: ``with tracer.span("name") as span``, and ``@trace_function``."""

from obs_run.launch.start import start_api

start_api()

from obs_run.tracing.analyzer import TraceAnalyzer  # noqa: E402 (what is imported meets what was prepared)
from obs_run.tracing.decorators import trace_function  # noqa: E402
from obs_run.tracing.file_recorder import FileSpanRecorder  # noqa: E402
from obs_run.tracing.headers import continued, extract, inject  # noqa: E402
from obs_run.tracing.recorders import InMemorySpanRecorder, SpanRecorder  # noqa: E402
from obs_run.tracing.remote_recorder import RemoteSpanRecorder  # noqa: E402
from obs_run.tracing.span import Span  # noqa: E402
from obs_run.tracing.tracer import (  # noqa: E402
    Tracer,
    get_current_span_id,
    get_current_trace_id,
    get_tracer,
    setup_tracing,
    trace_operation,
)
from obs_run.tracing.vocabulary import SpanContext, SpanKind, SpanStatus  # noqa: E402

__all__ = [
    "FileSpanRecorder",
    "InMemorySpanRecorder",
    "RemoteSpanRecorder",
    "Span",
    "SpanContext",
    "SpanKind",
    "SpanRecorder",
    "SpanStatus",
    "TraceAnalyzer",
    "Tracer",
    "continued",
    "extract",
    "get_current_span_id",
    "get_current_trace_id",
    "get_tracer",
    "inject",
    "setup_tracing",
    "trace_function",
    "trace_operation",
]
