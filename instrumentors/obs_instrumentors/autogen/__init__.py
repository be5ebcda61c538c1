"""AutoGen's AgentChat and Core: runs of teams and agents, hand-offs, model calls, tools, code and memory.

Chosen: patch. Its own spans tell nothing of teams, models, arguments and results, and stay current in streams that are
read: those of agents and tools stand back for ours. What agents of your own trace by its functions is adopted. The
spans of the runtime's messages, some forty for three turns, with the messages in them, are off unless
``AUTOGEN_DISABLE_RUNTIME_TRACING=false`` asks for them, and never have the messages.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.callback_wrappers import wrap_async_within, wrap_before
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.native_spans import scope_without_span, wrap_replaced
from obs_run.core.recording_tracers import RecordingTracer, Vocabulary, is_process_provider
from obs_run.core.streams import wrap_async_call, wrap_call

from . import models, runs

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_VOCABULARY = Vocabulary("autogen_core")
_MESSAGE = "message"
"""The attribute of a message's span that is the message."""


def adopt(call: Call) -> None:
    """Have what agents of the user's own trace by the library's functions be recorded."""
    if call.kwargs.get("tracer") is None:
        call.kwargs = {**call.kwargs, "tracer": RecordingTracer(_VOCABULARY)}


def stand_back(_: Call) -> Any:
    """Return what stands for a span of the library's where we record the same."""
    return scope_without_span()


def trace_message(call: Call) -> Any:
    """Return what stands for the span of a message, unless it is wanted."""
    if not is_process_provider(payload.get(call.instance, "tracer_provider")):
        return None
    if os.environ.get("AUTOGEN_DISABLE_RUNTIME_TRACING") != "false":
        return scope_without_span()
    told = call.kwargs.get("attributes") or {}
    call.kwargs = {**call.kwargs, "attributes": {name: value for name, value in told.items() if name != _MESSAGE}}
    return None


_AGENT = "autogen_agentchat.agents._base_chat_agent"
_CONTAINER = "autogen_agentchat.teams._group_chat._chat_agent_container"
_TRACING = "autogen_core._telemetry._genai"
_TOOLS = "autogen_core.tools._base"
_RUNTIME = "autogen_core._single_threaded_agent_runtime"
_MEMORY = "autogen_core.memory._base_memory"
_MODELS = "autogen_core.models._model_client"
_TRACED = ("trace_create_agent_span", "trace_invoke_agent_span", "trace_tool_span")
_ADOPTED = wrap_replaced(adopt)
_STANDS_BACK = wrap_replaced(stand_back)
_AT_SENDER = wrap_async_within(runs.sender_of)

INSTRUMENTORS = (
    Instrumentor(
        "autogen-core",
        "autogen-core",
        ">=0.6.4,<1",
        (
            *(Target(module, name, _ADOPTED) for module in (_TRACING, "autogen_core") for name in _TRACED),
            Target(_TOOLS, "trace_tool_span", _STANDS_BACK),
            Target("autogen_core._telemetry._tracing", "TraceHelper.trace_block", wrap_replaced(trace_message)),
            Target(_RUNTIME, "SingleThreadedAgentRuntime._process_send", _AT_SENDER),
            Target(_RUNTIME, "SingleThreadedAgentRuntime._process_publish", _AT_SENDER),
            Target("autogen_core._base_agent", "BaseAgent.on_message", wrap_async_call(runs.start_routed_agent)),
            Target(_TOOLS, "BaseTool.run_json", wrap_async_call(runs.start_tool)),
            Target("autogen_core.tools._function_tool", "FunctionTool.run", wrap_before(runs.note_handoff_tool)),
            Target(_TOOLS, "BaseStreamTool.run_json_stream", wrap_call(runs.start_tool_stream)),
            Target(_MODELS, "ChatCompletionClient+.create", wrap_async_call(models.start_chat)),
            Target(_MODELS, "ChatCompletionClient+.create_stream", wrap_call(models.start_chat_stream)),
            Target(_MEMORY, "Memory+.add", wrap_async_call(runs.start_memory_add)),
            Target(_MEMORY, "Memory+.query", wrap_async_call(runs.start_memory_query)),
            Target(_MEMORY, "Memory+.update_context", wrap_async_call(runs.start_memory_update)),
        ),
        ("invoke_agent", "chat", "execute_tool", "search_memory", "upsert_memory"),
        owner="autogen-core, through obs-run",
    ),
    Instrumentor(
        "autogen-agentchat",
        "autogen-agentchat",
        ">=0.6.4,<1",
        (
            Target(_AGENT, "trace_create_agent_span", _STANDS_BACK),
            Target(_AGENT, "trace_invoke_agent_span", _STANDS_BACK),
            Target(_CONTAINER, "trace_invoke_agent_span", _STANDS_BACK),
            Target(_AGENT, "BaseChatAgent+.on_messages", wrap_async_call(runs.start_agent)),
            Target(_AGENT, "BaseChatAgent+.on_messages_stream", wrap_call(runs.start_agent_stream)),
            Target("autogen_agentchat.messages", "HandoffMessage.__init__", wrap_before(runs.note_handoff)),
            Target(
                "autogen_agentchat.teams._group_chat._base_group_chat",
                "BaseGroupChat.run_stream",
                wrap_call(runs.start_team),
            ),
            Target(
                "autogen_agentchat.agents._code_executor_agent",
                "CodeExecutorAgent.execute_code_block",
                wrap_async_call(runs.start_code),
            ),
        ),
        ("invoke_workflow", "invoke_agent", "execute_tool", "handoff"),
    ),
)
