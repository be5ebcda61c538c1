"""Semantic Kernel: runs of orchestrations and agents, hand-offs, model calls and functions.

Chosen: patch. Its own spans stay current in streams that are read, and most are off unless the agent switches them on:
they stand back, with the logs that hold the messages. So do the spans of its runtime's messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.callback_wrappers import wrap_async_within, wrap_before
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.native_spans import scope_without_span, span_of_current, start_no_span, wrap_replaced
from obs_run.core.recording_tracers import is_process_provider
from obs_run.core.streams import wrap_async_call, wrap_call, wrap_inner_call

from . import models, orchestrations, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.outcomes import Call


def stand_back(_: Call) -> Any:
    """Return what stands for a span that the library makes current."""
    return scope_without_span()


def trace_message(call: Call) -> Any:
    """Return what stands for the span of a message, unless the runtime has a tracer provider of its own."""
    return scope_without_span() if is_process_provider(payload.get(call.instance, "tracer_provider")) else None


_AGENTS = "semantic_kernel.agents.agent"
_GROUP = "semantic_kernel.agents.group_chat.agent_group_chat"
_ORCHESTRATIONS = "semantic_kernel.agents.orchestration"
_RUNTIME = "semantic_kernel.agents.runtime"
_CHAT = "semantic_kernel.connectors.ai.chat_completion_client_base"
_TEXT = "semantic_kernel.connectors.ai.text_completion_client_base"
_FUNCTION = "semantic_kernel.functions.kernel_function"
_MODEL_SPANS = "semantic_kernel.utils.telemetry.model_diagnostics.decorators"
_AGENT_SPANS = "semantic_kernel.utils.telemetry.agent_diagnostics.decorators"
_IN_WORKFLOW = wrap_async_within(orchestrations.workflow_of)
_IS_OFF = wrap_replaced(lambda _: False)


def _own_spans() -> Iterator[Target]:
    """Give what has the library's own spans stand back."""
    for module in (_MODEL_SPANS, _AGENT_SPANS):
        yield Target(module, "are_model_diagnostics_enabled", _IS_OFF, optional=True)
    for module in (_AGENT_SPANS, _FUNCTION):
        yield Target(module, "tracer.start_as_current_span", start_no_span)
    yield Target(_CHAT, "tracer.start_span", wrap_replaced(span_of_current))
    # It would be current in between the pieces of a stream, and leave what was so at the first when it goes.
    yield Target(_CHAT, "use_span", wrap_replaced(stand_back))
    yield Target(f"{_RUNTIME}.core.telemetry.tracing", "TraceHelper.trace_block", wrap_replaced(trace_message))


INSTRUMENTORS = (
    Instrumentor(
        "semantic-kernel",
        "semantic-kernel",
        ">=1.30,<2",
        (
            *_own_spans(),
            Target(_AGENTS, "Agent+.get_response", wrap_async_call(runs.start_agent)),
            Target(_AGENTS, "Agent+.invoke", wrap_call(runs.start_agent_stream)),
            Target(_AGENTS, "Agent+.invoke_stream", wrap_call(runs.start_agent_stream)),
            Target(_AGENTS, "AgentThread.on_new_message", wrap_inner_call(runs.read_thread)),
            Target(_GROUP, "AgentGroupChat.invoke", wrap_call(runs.start_chat)),
            Target(_GROUP, "AgentGroupChat.invoke_stream", wrap_call(runs.start_chat)),
            Target(_CHAT, "ChatCompletionClientBase+._inner_get_chat_message_contents", models.CHAT),
            Target(_CHAT, "ChatCompletionClientBase+._inner_get_streaming_chat_message_contents", models.CHAT_STREAM),
            Target(_TEXT, "TextCompletionClientBase+._inner_get_text_contents", models.TEXT),
            Target(_TEXT, "TextCompletionClientBase+._inner_get_streaming_text_contents", models.TEXT_STREAM),
            Target("semantic_kernel.kernel", "Kernel.invoke_function_call", wrap_async_within(runs.note_call)),
            Target(_FUNCTION, "KernelFunction.invoke", wrap_async_call(runs.start_function)),
            Target(_FUNCTION, "KernelFunction.invoke_stream", wrap_call(runs.start_function_stream)),
            Target(
                f"{_ORCHESTRATIONS}.orchestration_base",
                "OrchestrationBase+._prepare",
                wrap_replaced(orchestrations.watch),
            ),
            Target(
                f"{_ORCHESTRATIONS}.orchestration_base",
                "OrchestrationBase+._start",
                wrap_async_within(orchestrations.start),
            ),
            Target(
                f"{_ORCHESTRATIONS}.handoffs",
                "HandoffAgentActor._handoff_to_agent",
                wrap_before(orchestrations.note_handoff),
            ),
            Target(f"{_RUNTIME}.in_process.in_process_runtime", "InProcessRuntime._process_send", _IN_WORKFLOW),
            Target(f"{_RUNTIME}.in_process.in_process_runtime", "InProcessRuntime._process_publish", _IN_WORKFLOW),
        ),
        ("invoke_workflow", "invoke_agent", "chat", "text_completion", "execute_tool", "handoff"),
        owner="obs-run",
    ),
)
