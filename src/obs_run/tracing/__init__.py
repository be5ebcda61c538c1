"""Spans for people who write code, on OpenTelemetry: ``with tracer.span("name") as span``, and ``@trace_function``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.budgets import BudgetExceeded
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

if TYPE_CHECKING:
    from obs_run.tracing.agent_work import (
        RecordedModelCall,
        RecordedRun,
        RecordedToolCall,
        RecordedWork,
        trace_agent,
        trace_model_call,
        trace_step,
        trace_tool,
        trace_workflow,
    )

__all__ = [
    "BudgetExceeded",
    "FileSpanRecorder",
    "InMemorySpanRecorder",
    "RecordedModelCall",
    "RecordedRun",
    "RecordedToolCall",
    "RecordedWork",
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
    "trace_agent",
    "trace_function",
    "trace_model_call",
    "trace_operation",
    "trace_step",
    "trace_tool",
    "trace_workflow",
]


def __getattr__(name: str) -> Any:
    """Load what tells of agents' work when it is asked for: other users of spans need none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from obs_run.tracing import agent_work

    return getattr(agent_work, name)


start_api()
