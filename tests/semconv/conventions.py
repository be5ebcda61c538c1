"""The GenAI conventions as a table: the tagged registry of v1.41.0, and what its repository has changed since.

Sources: ``v1.41.0/attributes.json`` (made from the ``registry.yaml`` of ``model/gen-ai``, ``model/mcp`` and
``model/openai`` of open-telemetry/semantic-conventions, tag v1.41.0); the changes are those of
open-telemetry/semantic-conventions-genai, main of October 2026 ("1.42.0-dev", no tag); ``db.*``, ``messaging.*``,
``network.*``, ``server.*``, ``error.*`` and their like of core v1.44.0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

_TAGGED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "v1.41.0" / "attributes.json").read_text(encoding="utf-8")
)
_RENAMED = {
    "gen_ai.usage.cache_creation.input_tokens": "gen_ai.usage.cache_write.input_tokens",
}
_REMOVED = ("gen_ai.evaluation.name", "gen_ai.evaluation.explanation")
_CHANGED: dict[str, dict[str, Any]] = {
    "gen_ai.request.top_k": {"type": "int"},
    "gen_ai.request.reasoning.level": {"type": "string"},
    "gen_ai.request.previous_response.id": {"type": "string"},
    "gen_ai.request.stream_cursor": {"type": "string"},
    "gen_ai.response.status": {
        "type": "string",
        "members": ["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"],
    },
    "gen_ai.retrieval.top_k": {"type": "int"},
    "gen_ai.memory.store.id": {"type": "string"},
    "gen_ai.memory.record.id": {"type": "string"},
    "gen_ai.memory.record.count": {"type": "int"},
    "gen_ai.memory.query.text": {"type": "string"},
    "gen_ai.memory.records": {"type": "any"},
    "gen_ai.conversation.compacted": {"type": "boolean"},
    "gen_ai.token.modality": {"type": "string", "members": ["text", "image", "audio", "unknown"]},
    **{
        f"gen_ai.usage.{modality}.{direction}": {"type": "int"}
        for modality in ("text", "image", "audio")
        for direction in ("input_tokens", "output_tokens", "cache_read.input_tokens")
    },
}
_BESIDE: dict[str, dict[str, Any]] = {
    "server.address": {"type": "string"},
    "server.port": {"type": "int"},
    "error.type": {"type": "string"},
    "exception.type": {"type": "string"},
    "exception.message": {"type": "string"},
    "exception.stacktrace": {"type": "string"},
    "db.system.name": {"type": "string"},
    "db.operation.name": {"type": "string"},
    "db.operation.batch.size": {"type": "int"},
    "db.collection.name": {"type": "string"},
    "db.namespace": {"type": "string"},
    "db.query.text": {"type": "string"},
    "db.query.summary": {"type": "string"},
    "db.response.returned_rows": {"type": "int"},
    "db.client.connection.pool.name": {"type": "string"},
    "db.client.connection.state": {"type": "string", "members": ["idle", "used"]},
    "db.response.status_code": {"type": "string"},
    "client.address": {"type": "string"},
    "client.port": {"type": "int"},
    "jsonrpc.protocol.version": {"type": "string"},
    "jsonrpc.request.id": {"type": "string"},
    "messaging.batch.message_count": {"type": "int"},
    "messaging.client.id": {"type": "string"},
    "messaging.consumer.group.name": {"type": "string"},
    "messaging.destination.name": {"type": "string"},
    "messaging.destination.partition.id": {"type": "string"},
    "messaging.destination.template": {"type": "string"},
    "messaging.message.body.size": {"type": "int"},
    "messaging.message.conversation_id": {"type": "string"},
    "messaging.message.envelope.size": {"type": "int"},
    "messaging.message.id": {"type": "string"},
    "messaging.operation.name": {"type": "string"},
    "messaging.operation.type": {
        "type": "string",
        "members": ["create", "send", "receive", "process", "settle"],
    },
    "messaging.system": {"type": "string"},
    "network.protocol.name": {"type": "string"},
    "network.protocol.version": {"type": "string"},
    "network.transport": {"type": "string", "members": ["tcp", "udp", "pipe", "unix", "quic"]},
    "rpc.response.status_code": {"type": "string"},
    "aws.request_id": {"type": "string"},
    "aws.bedrock.guardrail.id": {"type": "string"},
    "aws.bedrock.knowledge_base.id": {"type": "string"},
}
_MEMORY_OPERATIONS = (
    "search_memory",
    "create_memory",
    "update_memory",
    "upsert_memory",
    "delete_memory",
    "create_memory_store",
    "delete_memory_store",
)
_OPERATIONS = ("fetch_response", "plan", *_MEMORY_OPERATIONS)

ATTRIBUTES: dict[str, dict[str, Any]] = {
    **{_RENAMED.get(name, name): told for name, told in _TAGGED.items() if name not in _REMOVED},
    **_CHANGED,
    **_BESIDE,
}
"""Name to ``type`` and, of enumerations, ``members``; all of these enumerations are open."""
ATTRIBUTES["gen_ai.operation.name"]["members"] += _OPERATIONS
ATTRIBUTES["gen_ai.provider.name"]["members"] += ["moonshot_ai"]

DEPRECATED = {
    *_RENAMED,
    "gen_ai.system",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.openai.request.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.openai.response.system_fingerprint",
    "db.system",
    "db.name",
    "db.operation",
    "db.statement",
    "exception.escaped",
}
"""Names that were in use once."""

CONTENT = {
    "gen_ai.input.messages": "input-messages",
    "gen_ai.output.messages": "output-messages",
    "gen_ai.system_instructions": "system-instructions",
    "gen_ai.tool.definitions": "tool-definitions",
    "gen_ai.retrieval.documents": "retrieval-documents",
    "gen_ai.memory.records": "memory-records",
}
"""Attributes with content to the JSON schema that they follow."""
NO_LONGER_REQUIRED = {"output-messages": {"OutputMessage": ("finish_reason",)}}
"""What the tagged schemas ask for and the newer text does not: a reason stands on the span, where there is one."""
SCHEMAS_SINCE: dict[str, dict[str, Any]] = {
    "memory-records": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["content"],
            "properties": {
                "id": {"type": "string"},
                "score": {"type": "number"},
                "metadata": {"type": "object"},
            },
        },
    },
}
"""What newer schemas ask for, of those that the tag does not have."""
FREE_CONTENT = (
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.retrieval.query.text",
    "gen_ai.memory.query.text",
)


class Span(NamedTuple):
    """What a span of an operation is called, its kinds, and what it must carry."""

    subject: str | None
    kinds: tuple[str, ...]
    required: tuple[str, ...]


_PROVIDER = ("gen_ai.provider.name",)
INFERENCES = ("chat", "generate_content", "text_completion")
SPANS: dict[str, Span] = {
    **{name: Span("gen_ai.request.model", ("CLIENT", "INTERNAL"), _PROVIDER) for name in INFERENCES},
    "embeddings": Span("gen_ai.request.model", ("CLIENT", "INTERNAL"), _PROVIDER),
    "retrieval": Span("gen_ai.data_source.id", ("CLIENT",), ()),
    "fetch_response": Span(None, ("CLIENT",), (*_PROVIDER, "gen_ai.response.id")),
    "create_agent": Span("gen_ai.agent.name", ("CLIENT",), _PROVIDER),
    "invoke_agent": Span("gen_ai.agent.name", ("CLIENT", "INTERNAL"), ()),
    "execute_tool": Span("gen_ai.tool.name", ("INTERNAL",), ("gen_ai.tool.name",)),
    "invoke_workflow": Span("gen_ai.workflow.name", ("INTERNAL",), ()),
    "plan": Span("gen_ai.agent.name", ("INTERNAL",), ()),
    **{name: Span(None, ("CLIENT", "INTERNAL"), ()) for name in _MEMORY_OPERATIONS},
    # Ours, for want of a convention.
    "step": Span("obs.step.name", ("INTERNAL",), ()),
    "handoff": Span("obs.handoff.to_agent", ("INTERNAL",), ("obs.handoff.to_agent",)),
}
MESSAGING_KINDS = {
    "create": "PRODUCER",
    "send": "PRODUCER",
    "receive": "CLIENT",
    "process": "CONSUMER",
    "settle": "CLIENT",
}
"""The kind of a span by its ``messaging.operation.type``."""

_D = [0.01 * 2**step for step in range(14)]
_T = [4.0**step for step in range(14)]
_M = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0]
_Q = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
_MESSAGING = (
    "messaging.system",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.destination.name",
    "messaging.destination.template",
    "messaging.destination.partition.id",
    "messaging.destination.subscription.name",
    "messaging.consumer.group.name",
    "server.address",
    "server.port",
    "error.type",
)
_HTTP_SERVER = (
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "network.protocol.name",
    "network.protocol.version",
    "server.address",
    "server.port",
    "url.scheme",
    "user_agent.synthetic.type",
)
_HTTP_CLIENT = (
    *(name for name in _HTTP_SERVER if name not in ("http.route", "user_agent.synthetic.type")),
    "url.template",
)
_HTTP_CLIENT_REQUIRED = ("http.request.method", "server.address", "server.port")
_RPC = ("rpc.system.name", "rpc.method", "rpc.response.status_code", "error.type")
_MCP = (
    "mcp.method.name",
    "mcp.protocol.version",
    "gen_ai.operation.name",
    "gen_ai.tool.name",
    "gen_ai.prompt.name",
    "rpc.response.status_code",
    "jsonrpc.protocol.version",
    "network.transport",
    "network.protocol.name",
    "error.type",
)
_MCP_SESSION = (
    "mcp.protocol.version",
    "jsonrpc.protocol.version",
    "network.transport",
    "network.protocol.name",
    "network.protocol.version",
    "error.type",
)
_COMMON = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
    "error.type",
)


TAGGED_METRICS: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "v1.41.0" / "metrics.json").read_text(encoding="utf-8")
)
"""Metrics of ``model/gen-ai`` and ``model/mcp`` of the tag by name: ``instrument``, ``unit`` and ``brief``."""


class Metric(NamedTuple):
    """A metric's instrument, unit, buckets, and the labels it may and must carry."""

    instrument: str
    unit: str
    buckets: list[float] | None
    labels: tuple[str, ...]
    required: tuple[str, ...]


def _seconds(*more: str, buckets: list[float] = _D) -> Metric:
    return Metric("histogram", "s", buckets, (*_COMMON, *more), ("gen_ai.operation.name",))


_COUNTER = Metric(
    "counter",
    "{token}",
    None,
    (*_COMMON, "gen_ai.token.modality"),
    ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.token.modality"),
)
_PER_CALL = Metric("histogram", "{token}", _T, _COMMON, ("gen_ai.operation.name", "gen_ai.provider.name"))
_POOL = ("db.client.connection.pool.name",)
_POOL_STATE = (*_POOL, "db.client.connection.state")
METRICS: dict[str, Metric] = {
    "gen_ai.client.inference.duration": _seconds(),
    "gen_ai.client.inference.time_to_first_chunk": _seconds(),
    "gen_ai.client.inference.time_per_output_chunk": _seconds(),
    "gen_ai.client.operation.duration": _seconds(),
    # Of before October 2026, for dashboards that read them.
    "gen_ai.client.operation.time_to_first_chunk": _seconds(),
    "gen_ai.client.operation.time_per_output_chunk": _seconds(),
    "gen_ai.client.token.usage": Metric(
        "histogram",
        "{token}",
        _T,
        (*_COMMON, "gen_ai.token.type"),
        ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.token.type"),
    ),
    **{
        f"gen_ai.client.inference.usage.{part}": _COUNTER
        for part in (
            "input_tokens",
            "output_tokens",
            "cache_read.input_tokens",
            "cache_write.input_tokens",
            "reasoning.output_tokens",
        )
    },
    "gen_ai.client.inference.operation.input_tokens": _PER_CALL,
    "gen_ai.client.inference.operation.output_tokens": _PER_CALL,
    "gen_ai.execute_tool.duration": _seconds("gen_ai.tool.name"),
    "gen_ai.invoke_agent.duration": _seconds("gen_ai.agent.name", buckets=[0.1 * 2**step for step in range(13)]),
    "mcp.client.operation.duration": Metric(
        "histogram", "s", _M, (*_MCP, "server.address", "server.port"), ("mcp.method.name",)
    ),
    "mcp.server.operation.duration": Metric("histogram", "s", _M, _MCP, ("mcp.method.name",)),
    "mcp.client.session.duration": Metric("histogram", "s", _M, (*_MCP_SESSION, "server.address", "server.port"), ()),
    "mcp.server.session.duration": Metric("histogram", "s", _M, _MCP_SESSION, ()),
    "rpc.client.call.duration": Metric("histogram", "s", _Q, (*_RPC, "server.address", "server.port"), ("rpc.method",)),
    "rpc.server.call.duration": Metric("histogram", "s", _Q, _RPC, ("rpc.method",)),
    "http.client.request.duration": Metric("histogram", "s", _Q, _HTTP_CLIENT, _HTTP_CLIENT_REQUIRED),
    "http.server.request.duration": Metric("histogram", "s", _Q, _HTTP_SERVER, ("http.request.method", "url.scheme")),
    "messaging.client.operation.duration": Metric("histogram", "s", _Q, _MESSAGING, _MESSAGING[:2]),
    "messaging.client.sent.messages": Metric("counter", "{message}", None, _MESSAGING, _MESSAGING[:2]),
    "messaging.client.consumed.messages": Metric("counter", "{message}", None, _MESSAGING, _MESSAGING[:2]),
    "messaging.process.duration": Metric("histogram", "s", _Q, _MESSAGING, _MESSAGING[:2]),
    "db.client.connection.count": Metric("updowncounter", "{connection}", None, _POOL_STATE, _POOL_STATE),
    "db.client.connection.idle.max": Metric("updowncounter", "{connection}", None, _POOL, _POOL),
    "db.client.connection.idle.min": Metric("updowncounter", "{connection}", None, _POOL, _POOL),
    "db.client.connection.max": Metric("updowncounter", "{connection}", None, _POOL, _POOL),
    "db.client.connection.pending_requests": Metric("updowncounter", "{request}", None, _POOL, _POOL),
    "db.client.connection.timeouts": Metric("counter", "{timeout}", None, _POOL, _POOL),
    "db.client.connection.create_time": Metric("histogram", "s", None, _POOL, _POOL),
    "db.client.connection.wait_time": Metric("histogram", "s", None, _POOL, _POOL),
    "db.client.connection.use_time": Metric("histogram", "s", None, _POOL, _POOL),
    "http.client.open_connections": Metric(
        "updowncounter",
        "{connection}",
        None,
        ("http.connection.state", "network.peer.address", "server.address", "server.port", "url.scheme"),
        ("http.connection.state", "server.address", "server.port"),
    ),
    "gen_ai.invoke_workflow.duration": _seconds(
        "gen_ai.workflow.name",
        buckets=[1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0],
    ),
    "db.client.operation.duration": Metric(
        "histogram",
        "s",
        [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0],
        (
            "db.system.name",
            "db.operation.name",
            "db.collection.name",
            "db.namespace",
            "db.response.status_code",
            "server.address",
            "server.port",
            "error.type",
        ),
        ("db.system.name",),
    ),
}

EVENTS = {"gen_ai.client.inference.operation.details": 5, "gen_ai.client.operation.exception": 13}
"""Event name to severity number."""
