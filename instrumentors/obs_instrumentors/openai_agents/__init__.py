"""OpenAI's Agents SDK: runs, agents, turns, model calls, tools, hand-offs and guardrails, by the spans of its own.

Chosen: patch of its spans' ``start``, ``set_error`` and ``finish``. They are no spans of OpenTelemetry. A processor of
its kind would hear nothing where tracing is switched off, as everybody does who has no key of OpenAI's, and where the
agent replaces the processors.
"""

from __future__ import annotations

from functools import partial

from obs_run.core.callback_wrappers import wrap_async_within, wrap_before, wrap_context, wrap_within
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions

_SPANS = "agents.tracing.spans"
_TRACES = "agents.tracing.traces"


_events = partial(late_functions(__name__), "events")

_START = wrap_before(_events("start_span"))
_NOTE_ERROR = wrap_before(_events("note_error"))
_FINISH = wrap_before(_events("finish_span"))
_START_TRACE = wrap_before(_events("start_trace"))
_FINISH_TRACE = wrap_before(_events("finish_trace"))

INSTRUMENTORS = (
    Instrumentor(
        "openai-agents",
        "openai-agents",
        ">=0.2,<1",
        (
            Target(_SPANS, "SpanImpl.start", _START),
            Target(_SPANS, "SpanImpl.set_error", _NOTE_ERROR),
            Target(_SPANS, "SpanImpl.finish", _FINISH),
            Target(_SPANS, "NoOpSpan.start", _START),
            Target(_SPANS, "NoOpSpan.set_error", _NOTE_ERROR),
            Target(_SPANS, "NoOpSpan.finish", _FINISH),
            Target(_TRACES, "TraceImpl.start", _START_TRACE),
            Target(_TRACES, "TraceImpl.finish", _FINISH_TRACE),
            Target(_TRACES, "NoOpTrace.start", _START_TRACE),
            Target(_TRACES, "NoOpTrace.finish", _FINISH_TRACE),
            Target(_TRACES, "NoOpTrace.__enter__", _START_TRACE),
            Target(_TRACES, "ReattachedTrace.start", _START_TRACE, optional=True),
            Target(_TRACES, "ReattachedTrace.finish", _FINISH_TRACE, optional=True),
            Target("agents.run", "AgentRunner.run", wrap_async_within(_events("asked"))),
            Target("agents.run", "AgentRunner.run_streamed", wrap_within(_events("asked"))),
            Target("agents.tool_context", "ToolContext.from_agent_context", wrap_context(_events("note_tool_call"))),
            Target("agents.tool", "FunctionToolResult.__init__", wrap_before(_events("note_result"))),
        ),
        ("invoke_agent", "invoke_workflow", "step", "chat", "execute_tool", "handoff"),
        has_common_name=True,
    ),
)
