"""Anthropic's Claude Agent SDK: agents and sub-agents, model calls and tools, as the CLI that runs them tells of it.

Chosen: patch of the stream into which the SDK puts what the CLI writes, in the CLI's own form, which is the same in all
releases. There it is read as it comes, however late the agent takes it out. What the CLI asks of this process (tools,
hooks, permissions) is inside of the tool that it is for. The CLI's own telemetry is the user's to switch on.
"""

from __future__ import annotations

from functools import partial

from obs_run.core.callback_wrappers import (
    wrap_async_within,
    wrap_before,
    wrap_generator_within,
)
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.peer_calls import wrap_async_send
from obs_run.core.stream_listeners import wrap_fed, wrap_given

_late = partial(late_functions(__name__), "conversations")

_CLIENT = "claude_agent_sdk.client"
_QUERY = "claude_agent_sdk._internal.query"

INSTRUMENTORS = (
    Instrumentor(
        "claude-agent-sdk",
        "claude-agent-sdk",
        ">=0.1,<1",
        (
            Target(
                "claude_agent_sdk._internal.client",
                "InternalClient.process_query",
                wrap_generator_within(_late("asking")),
            ),
            Target(_CLIENT, "ClaudeSDKClient.connect", wrap_async_within(_late("connecting"))),
            Target(_CLIENT, "ClaudeSDKClient.query", wrap_given(0, "prompt", _late("ask"))),
            Target(_QUERY, "Query.__init__", wrap_fed("_message_send", _late("listen"))),
            Target(_QUERY, "Query.stream_input", wrap_given(0, "stream", _late("say"))),
            Target(_QUERY, "Query.interrupt", wrap_before(_late("interrupt"))),
            Target(_QUERY, "Query.close", wrap_before(_late("close"))),
            Target(_QUERY, "Query._handle_control_request", wrap_async_within(_late("asked_back"))),
            Target(
                _QUERY,
                "Query._handle_sdk_mcp_request",
                wrap_async_send(_late("begin_tool_call"), _late("carry")),
            ),
            # What it sends is none of the agent's.
            Target(
                "claude_agent_sdk._internal.sdk_mcp_bridge",
                "SdkMcpBridge.aclose",
                wrap_async_within(_late("closing")),
                optional=True,
            ),
        ),
        ("invoke_agent", "chat", "execute_tool"),
    ),
)
