"""Google's ADK: invocations, agents, nodes, model calls, tools and hand-offs, by the spans of its own.

Chosen: adopt. The tracer of its telemetry module writes to ours. What its spans tell only where a switch of the
library's says so, or not at all, is read where the library sets their attributes: there it has the objects at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, SetUp, Target
from obs_run.core.native_spans import wrap_replaced
from obs_run.core.recording_tracers import replace_tracer, silence_logger
from obs_run.core.streams import wrap_async_call

from . import memory, spans

if TYPE_CHECKING:
    from collections.abc import Callable

_TRACING = "google.adk.telemetry.tracing"
_METRICS = "google.adk.telemetry._metrics"
_PLUGINS = "google.adk.plugins.plugin_manager"
_SERVICES = {
    "google.adk.agents.context": "Context",
    "google.adk.integrations.firestore.firestore_memory_service": "FirestoreMemoryService",
    "google.adk.memory.in_memory_memory_service": "InMemoryMemoryService",
    "google.adk.memory.vertex_ai_memory_bank_service": "VertexAiMemoryBankService",
    "google.adk.memory.vertex_ai_rag_memory_service": "VertexAiRagMemoryService",
}
"""What memory is asked by: agents' contexts, for services of any class, and the library's own services."""
_MEASURED = (
    "record_agent_invocation_duration",
    "record_client_operation_duration",
    "record_client_token_usage",
    "record_invoke_agent_inference_calls",
    "record_invoke_agent_tool_calls",
    "record_tool_execution_duration",
    "record_workflow_invocation_duration",
)
"""What the library measures: durations and tokens would be there twice, and the counts are no convention's."""
_NO_METRIC = wrap_replaced(lambda _: True)


def switch_on(module: Any) -> Callable[[], object]:
    """Have the library's spans recorded, and its events, which say the same, go nowhere."""
    replaced = replace_tracer(spans.VOCABULARY)(module), silence_logger(module, "otel_logger")
    return lambda: [take_back() for take_back in replaced]


INSTRUMENTORS = (
    Instrumentor(
        "google-adk",
        "google-adk",
        ">=2.5,<3",
        (
            Target(_TRACING, "trace_agent_invocation", wrap_before(spans.note_agent)),
            Target(_TRACING, "_set_common_generate_content_attributes", wrap_before(spans.note_request)),
            Target(_TRACING, "trace_inference_result", wrap_before(spans.note_response)),
            Target(_TRACING, "trace_tool_call", wrap_before(spans.note_tool_result)),
            Target(_PLUGINS, "PluginManager.run_before_tool_callback", wrap_before(spans.note_tool)),
            Target(_PLUGINS, "PluginManager.run_on_tool_error_callback", wrap_before(spans.note_tool_error)),
            Target(_PLUGINS, "PluginManager.run_after_model_callback", wrap_before(spans.note_answer)),
            *(Target(_METRICS, name, _NO_METRIC) for name in _MEASURED),
            *(
                Target(module, f"{name}.{method}", wrap_async_call(start), optional=True)
                for module, name in _SERVICES.items()
                for method, start in memory.STARTS.items()
            ),
        ),
        (
            "invoke_agent",
            "invoke_workflow",
            "step",
            "chat",
            "execute_tool",
            "handoff",
            "search_memory",
            "upsert_memory",
        ),
        owner="google-adk, through obs-run",
        set_up=SetUp(_TRACING, switch_on),
    ),
)
