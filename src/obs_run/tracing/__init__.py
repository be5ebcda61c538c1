"""Spans for people who write code, on OpenTelemetry: ``with tracer.span("name") as span``, and ``@trace_function``."""

from obs_run.runtime.start import start_api
from obs_run.tracing.analyzer import TraceAnalyzer
from obs_run.tracing.decorators import trace_function
from obs_run.tracing.file_recorder import FileSpanRecorder
from obs_run.tracing.headers import continued, extract, inject
from obs_run.tracing.recorders import InMemorySpanRecorder, SpanRecorder
from obs_run.tracing.remote_recorder import RemoteSpanRecorder
from obs_run.tracing.span import Span
from obs_run.tracing.tracer import (
    Tracer,
    get_current_span_id,
    get_current_trace_id,
    get_tracer,
    setup_tracing,
    trace_operation,
)
from obs_run.tracing.vocabulary import SpanContext, SpanKind, SpanStatus

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

start_api()
