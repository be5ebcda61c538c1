"""What an agent does, as plain records: an instrumentor fills one, the recorder turns it into telemetry.

A field that is None is unknown and leaves no trace; unknown is never 0. The attribute of a field stands beside it, and
a field without one is for ourselves. Texts, messages and tool arguments are *content*: instrumentors fill them only
while ``content.wanted()`` is true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .a2a import A2aAgentCall, A2aCall, A2aServerCall
    from .agent import (
        AgentCreation,
        AgentRun,
        ExecutedTool,
        Handoff,
        Memory,
        Plan,
        RemoteAgentRun,
        Step,
        ToolCall,
        Workflow,
    )
    from .fields import attribute, content
    from .http import HttpClientRequest, HttpServerRequest
    from .logged import LoggedCount, LoggedDuration, LoggedRequest, LoggedValue, LoggedWork
    from .mcp import McpCall, McpServerCall, McpServerSession, McpSession
    from .messaging import (
        MessageCall,
        MessageOperation,
        MessageProcess,
        MessageReceive,
        MessageSend,
        MessageServerCall,
        ReceivedMessages,
        SentMessages,
    )
    from .model import Embedding, FetchedResponse, Inference, ModelCall, Rerank
    from .operation import GenAiOperation, Operation, Usage
    from .own import ContractCheck, OwnCall
    from .pool import PoolAcquire
    from .store import DatabaseCall, Retrieval
    from .tools import ToolResult

__all__ = [
    "A2aAgentCall",
    "A2aCall",
    "A2aServerCall",
    "AgentCreation",
    "AgentRun",
    "ContractCheck",
    "DatabaseCall",
    "Embedding",
    "ExecutedTool",
    "FetchedResponse",
    "GenAiOperation",
    "Handoff",
    "HttpClientRequest",
    "HttpServerRequest",
    "Inference",
    "LoggedCount",
    "LoggedDuration",
    "LoggedRequest",
    "LoggedValue",
    "LoggedWork",
    "McpCall",
    "McpServerCall",
    "McpServerSession",
    "McpSession",
    "Memory",
    "MessageCall",
    "MessageOperation",
    "MessageProcess",
    "MessageReceive",
    "MessageSend",
    "MessageServerCall",
    "ModelCall",
    "Operation",
    "OwnCall",
    "Plan",
    "PoolAcquire",
    "ReceivedMessages",
    "RemoteAgentRun",
    "Rerank",
    "Retrieval",
    "SentMessages",
    "Step",
    "ToolCall",
    "ToolResult",
    "Usage",
    "Workflow",
    "attribute",
    "content",
]

_NAMES = {
    "a2a": ("A2aAgentCall", "A2aCall", "A2aServerCall"),
    "agent": (
        "AgentCreation",
        "AgentRun",
        "ExecutedTool",
        "Handoff",
        "Memory",
        "Plan",
        "RemoteAgentRun",
        "Step",
        "ToolCall",
        "Workflow",
    ),
    "fields": ("attribute", "content"),
    "http": ("HttpClientRequest", "HttpServerRequest"),
    "logged": ("LoggedCount", "LoggedDuration", "LoggedRequest", "LoggedValue", "LoggedWork"),
    "mcp": ("McpCall", "McpServerCall", "McpServerSession", "McpSession"),
    "messaging": (
        "MessageCall",
        "MessageOperation",
        "MessageProcess",
        "MessageReceive",
        "MessageSend",
        "MessageServerCall",
        "ReceivedMessages",
        "SentMessages",
    ),
    "model": ("Embedding", "FetchedResponse", "Inference", "ModelCall", "Rerank"),
    "operation": ("GenAiOperation", "Operation", "Usage"),
    "own": ("ContractCheck", "OwnCall"),
    "pool": ("PoolAcquire",),
    "store": ("DatabaseCall", "Retrieval"),
    "tools": ("ToolResult",),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}


if not TYPE_CHECKING:  # where it would give a type to every misspelt name

    def __getattr__(name: str) -> Any:
        """Import the module of an operation when it is first asked for: a class costs most of a millisecond."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
