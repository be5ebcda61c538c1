"""LlamaIndex and its workflows: runs of agents and workflows, steps, model calls, tools, searches and memory.

Chosen: patch of its dispatchers' ``span_enter``, ``span_exit``, ``span_drop`` and ``event``, which each of its own
spans and events passes. They are no spans of OpenTelemetry. A handler of its kind would not hear of dispatchers that
pass nothing on, nor where the agent replaces the handlers. Streams of models are followed besides, for they ask the
provider only as they are read. What the official exporter of these spans would tell a second time stands back.
"""

from __future__ import annotations

from obs_run.core.callback_wrappers import (
    wrap_async_within,
    wrap_before,
    wrap_context,
    wrap_returned_within,
    wrap_within,
)
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.native_spans import wrap_replaced
from obs_run.core.streams import wrap_async_call

_late = late_functions(__name__)

_DISPATCHER = "llama_index_instrumentation.dispatcher"
_TEAM = "llama_index.core.agent.workflow.multi_agent_workflow"
_MEMORY = "llama_index.core.memory.memory"
_EXPORTER = "llama_index.observability.otel.base"
_STREAMS = (
    *("stream_chat", "astream_chat", "stream_complete", "astream_complete"),
    *("get_response", "aget_response", "get_response_from_messages", "aget_response_from_messages"),
)
"""What gives generators of models and of those who have them answer, by which they are asked as they are read."""
_FOLLOW = wrap_returned_within(_late("recordings", "stream_of"))
_STAND_BACK = wrap_replaced(_late("spans", "stands_back"))


INSTRUMENTORS = (
    Instrumentor(
        "llama-index",
        "llama-index-core",
        ">=0.14,<1",
        (
            Target(_DISPATCHER, "Dispatcher.span_enter", wrap_before(_late("spans", "start_span"))),
            # What other handlers make current lies inside of ours.
            Target(_DISPATCHER, "Dispatcher.span_exit", wrap_context(_late("spans", "exit_span"))),
            Target(_DISPATCHER, "Dispatcher.span_drop", wrap_context(_late("spans", "drop_span"))),
            Target(_DISPATCHER, "Dispatcher.event", wrap_before(_late("model_events", "note_event"))),
            # Before 2.17 a run begins where it is asked for, and goes on elsewhere.
            Target("workflows.workflow", "Workflow.run", wrap_within(_late("interrupts", "asked"))),
            Target(
                "workflows.context.context", "Context.wait_for_event", wrap_async_within(_late("interrupts", "waiting"))
            ),
            Target(_TEAM, "AgentWorkflow.get_tools", wrap_before(_late("teams", "note_agent"))),
            *(Target("llama_index_instrumentation", f"DispatcherSpanMixin+.{name}", _FOLLOW) for name in _STREAMS),
            Target(_MEMORY, "BaseMemoryBlock.aget", wrap_async_call(_late("memory", "start_search")), optional=True),
            Target(_MEMORY, "BaseMemoryBlock.aput", wrap_async_call(_late("memory", "start_write")), optional=True),
            *(
                Target(_EXPORTER, f"OTelCompatibleSpanHandler.span_{end}", _STAND_BACK)
                for end in ("enter", "exit", "drop")
            ),
        ),
        (
            "invoke_agent",
            "invoke_workflow",
            "step",
            "chat",
            "text_completion",
            "embeddings",
            "rerank",
            "execute_tool",
            "handoff",
            "retrieval",
            "search_memory",
            "upsert_memory",
        ),
        has_common_name=True,
    ),
)
