"""Which attributes the conventions have on which type of span, and which type an operation of ours is.

Sources: ``v1.41.0/spans.json`` (made from ``model/gen-ai/spans.yaml`` and ``model/mcp/*.yaml`` of
open-telemetry/semantic-conventions, tag v1.41.0); what open-telemetry/semantic-conventions-genai has changed since; and
of core v1.44.0 ``db.*``, ``http.*``, ``messaging.*``, and what spans of all kinds may have.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TAGGED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "v1.41.0" / "spans.json").read_text(encoding="utf-8")
)
_CACHE_WRITE = {"gen_ai.usage.cache_creation.input_tokens": "gen_ai.usage.cache_write.input_tokens"}
_ANYWHERE = frozenset({"server.address", "server.port", "error.type"})
_BY_MODALITY = {
    f"gen_ai.usage.{modality}.{direction}"
    for modality in ("text", "image", "audio")
    for direction in ("input_tokens", "output_tokens", "cache_read.input_tokens")
}
_REQUESTED = {"gen_ai.request.reasoning.level", "gen_ai.request.previous_response.id"}
_ADDED: dict[str, set[str]] = {
    "gen_ai.inference.client": {*_BY_MODALITY, *_REQUESTED, "gen_ai.conversation.compacted"},
    "gen_ai.retrieval.client": {"gen_ai.retrieval.top_k"},
    "gen_ai.invoke_agent.client": {*_BY_MODALITY, "gen_ai.request.previous_response.id"},
    "gen_ai.execute_tool.internal": {"gen_ai.agent.name", "gen_ai.conversation.id"},
    "gen_ai.invoke_workflow.internal": {"gen_ai.conversation.id"},
    "mcp.server": {"gen_ai.tool.call.arguments", "gen_ai.tool.call.result"},
}
_REMOVED: dict[str, set[str]] = {
    "gen_ai.retrieval.client": {"gen_ai.request.top_k"},
    "gen_ai.invoke_agent.internal": {
        "gen_ai.provider.name",
        "gen_ai.agent.id",
        "gen_ai.agent.version",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
    },
}
_MESSAGING = {
    "messaging.system",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.destination.name",
    "messaging.destination.template",
    "messaging.destination.partition.id",
    "messaging.message.id",
    "messaging.message.conversation_id",
    "messaging.message.body.size",
    "messaging.message.envelope.size",
    "messaging.batch.message_count",
    "messaging.client.id",
}
_SINCE: dict[str, set[str]] = {
    "gen_ai.fetch_response.client": {
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.stream",
        "gen_ai.request.stream_cursor",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.response.status",
        "gen_ai.response.finish_reasons",
        "gen_ai.system_instructions",
        "gen_ai.output.messages",
        "gen_ai.tool.definitions",
    },
    "gen_ai.memory.client": {
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.memory.store.id",
        "gen_ai.memory.record.id",
        "gen_ai.memory.record.count",
        "gen_ai.memory.query.text",
        "gen_ai.memory.records",
    },
    "gen_ai.plan.internal": {"gen_ai.operation.name", "gen_ai.agent.name"},
    "db.client": {
        "db.system.name",
        "db.operation.name",
        "db.operation.batch.size",
        "db.collection.name",
        "db.namespace",
        "db.query.text",
        "db.query.summary",
        "db.response.returned_rows",
        "db.response.status_code",
    },
    "http.client": {
        "http.request.method",
        "http.request.method_original",
        "http.request.resend_count",
        "http.response.status_code",
        "network.peer.address",
        "network.peer.port",
        "network.protocol.name",
        "network.protocol.version",
        "url.full",
        "url.scheme",
        "url.template",
        "user_agent.original",
    },
    "http.server": {
        "client.address",
        "client.port",
        "http.request.method",
        "http.request.method_original",
        "http.response.status_code",
        "http.route",
        "network.peer.address",
        "network.peer.port",
        "network.protocol.name",
        "network.protocol.version",
        "url.path",
        "url.query",
        "url.scheme",
        "user_agent.original",
    },
    "messaging.send.producer": _MESSAGING,
    "messaging.receive.client": _MESSAGING,
    "messaging.process.consumer": _MESSAGING,
}


def _newest(name: str, tagged: set[str]) -> set[str]:
    renamed = {_CACHE_WRITE.get(attribute, attribute) for attribute in tagged}
    return (renamed | _ADDED.get(name, set())) - _REMOVED.get(name, set())


SPAN_TYPES: dict[str, frozenset[str]] = {
    **{name: _ANYWHERE | _newest(name, set(told["attributes"])) for name, told in _TAGGED.items()},
    **{name: _ANYWHERE | attributes for name, attributes in _SINCE.items()},
}
"""The attributes of each type of span."""

TYPES_OF_OPERATIONS: dict[str, tuple[str, ...]] = {
    "A2aAgentCall": ("gen_ai.invoke_agent.client",),
    "AgentCreation": ("gen_ai.create_agent.client",),
    "AgentRun": ("gen_ai.invoke_agent.internal",),
    "DatabaseCall": ("db.client",),
    "Embedding": ("gen_ai.embeddings.client",),
    "ExecutedTool": ("gen_ai.execute_tool.internal",),
    "FetchedResponse": ("gen_ai.fetch_response.client",),
    "HttpClientRequest": ("http.client",),
    "HttpServerRequest": ("http.server",),
    "Inference": ("gen_ai.inference.client",),
    "McpCall": ("mcp.client",),
    "McpServerCall": ("mcp.server",),
    "Memory": ("gen_ai.memory.client",),
    "MessageProcess": ("messaging.process.consumer",),
    "MessageReceive": ("messaging.receive.client",),
    "MessageSend": ("messaging.send.producer",),
    "Plan": ("gen_ai.plan.internal",),
    "RemoteAgentRun": ("gen_ai.invoke_agent.client",),
    # In a vector store it is a call of that database too.
    "Retrieval": ("gen_ai.retrieval.client", "db.client"),
    "ToolCall": ("gen_ai.execute_tool.internal",),
    "Workflow": ("gen_ai.invoke_workflow.internal",),
}
"""The types that an operation's span is of, by its class; a class that is missing here must be an exception."""
