"""One operation of each class with every field filled, as far as its attributes go."""

from __future__ import annotations

from typing import Any

from obs_run.core import messages
from obs_run.core.operations import (
    A2aAgentCall,
    A2aCall,
    A2aServerCall,
    AgentCreation,
    AgentRun,
    ContractCheck,
    DatabaseCall,
    Embedding,
    ExecutedTool,
    FetchedResponse,
    Handoff,
    HttpClientRequest,
    HttpServerRequest,
    Inference,
    LoggedRequest,
    LoggedWork,
    McpCall,
    McpServerCall,
    Memory,
    MessageCall,
    MessageProcess,
    MessageReceive,
    MessageSend,
    MessageServerCall,
    Operation,
    OwnCall,
    Plan,
    PoolAcquire,
    RemoteAgentRun,
    Rerank,
    Retrieval,
    Step,
    ToolCall,
    Usage,
    Workflow,
)

_SERVER: dict[str, Any] = {"server_address": "api.example.com", "server_port": 443}
_HTTP: dict[str, Any] = {
    "query": "year=2026",
    "scheme": "https",
    "protocol_version": "1.1",
    "client_address": "127.0.0.1",
    "user_agent": "curl/8.5.0",
    "server_address": "api.example.com",
    "server_port": 443,
}
_CLIENT: dict[str, Any] = {**_SERVER, "provider": "openai", "conversation_id": "conversation-1"}
_INSIDE: dict[str, Any] = {"conversation_id": "conversation-1", "agent_name": "planner"}
_AGENT: dict[str, Any] = {
    **_INSIDE,
    "agent_id": "agent-1",
    "agent_version": "2",
    "agent_description": "Plans trips.",
    "request_model": "gpt-4o",
    "output_type": "json",
    "finish_reasons": ["stop"],
}
_KEPT_AGENT = {name: value for name, value in _AGENT.items() if name.startswith(("agent", "request"))}
_ASKED = [messages.message("user", messages.text("Where to?"))]
_ANSWERED = [messages.message("assistant", messages.text("To Lisbon."), finish_reason="stop")]
_SAID: dict[str, Any] = {"input_messages": _ASKED, "output_messages": _ANSWERED}
_OFFERED: dict[str, Any] = {
    "system_instructions": [messages.text("Be brief.")],
    "tool_definitions": [messages.tool_definition("weather", "Tells the weather.", {"type": "object"})],
}
_FOUND: dict[str, Any] = {
    "scores": [0.5],
    "query_text": "Lisbon",
    "documents": [{"id": "1", "score": 0.5, "content": "A town."}],
}
_STORE: dict[str, Any] = {
    **_SERVER,
    "system": "chromadb",
    "collection": "towns",
    "namespace": "travel",
    "batch_size": 2,
    "returned": 2,
}
_A2A: dict[str, Any] = {
    "rpc_system": "jsonrpc",
    "conversation_id": "conversation-1",
    "agent_name": "planner",
    "agent_version": "2",
    "agent_description": "Plans trips.",
    "task_id": "task-1",
    "task_state": "input-required",
}
_MCP: dict[str, Any] = {
    "session_id": "session-1",
    "protocol_version": "2025-11-25",
    "request_id": "7",
    "jsonrpc_version": "1.0",
    "transport": "tcp",
    "network_protocol": "http",
    "network_protocol_version": "1.1",
}
_TOOL: dict[str, Any] = {
    "tool_name": "weather",
    "arguments": {"town": "Lisbon"},
    "result": {"weather": "rain"},
}
_MESSAGE: dict[str, Any] = {
    **_SERVER,
    "system": "nats",
    "destination": "towns.1",
    "destination_template": "towns.{number}",
    "partition_id": "3",
    "consumer_group": "planners",
    "client_id": "client-1",
    "message_id": "message-1",
    "message_conversation_id": "question-1",
    "batch_size": 2,
    "body_size": 20,
    "method": "forecast",
    "network_transport": "tcp",
    "peer_service": "towns",
    "queue_time": 0.5,
    "delivery_count": 2,
    "socket_type": "SUB",
}


def usage() -> Usage:
    """Return usage with every count known."""
    return Usage(
        input_tokens=100,
        output_tokens=50,
        cache_read_tokens=20,
        cache_write_tokens=10,
        reasoning_tokens=30,
        text_input_tokens=40,
        image_input_tokens=30,
        audio_input_tokens=30,
        text_output_tokens=20,
        image_output_tokens=20,
        audio_output_tokens=10,
        audio_cache_read_tokens=5,
        cache_write_5m_tokens=6,
        cache_write_1h_tokens=4,
    )


def operations() -> list[Operation]:
    """Return the operations, new ones at each call."""
    called: dict[str, Any] = {
        **_CLIENT,
        "request_model": "gpt-4o",
        "response_model": "gpt-4o-2024-08-06",
        "usage": usage(),
        "usage_source": "requested",
        "input_count": 1,
        "price_context": {"processing": "batch"},
    }
    answered: dict[str, Any] = {
        "stream": True,
        "output_type": "text",
        "choice_count": 2,
        "seed": 1,
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 3,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.5,
        "max_tokens": 9,
        "stop_sequences": ["end"],
        "reasoning_level": "low",
        "previous_response_id": "response-0",
        "response_id": "response-1",
        "response_status": "completed",
        "finish_reasons": ["stop"],
        "tool_calls": ["weather"],
        "stream_end": "abandoned",
    }
    remote: dict[str, Any] = {
        "stream": True,
        "response_id": "run-1",
        "tool_calls": ["weather"],
        "stream_end": "abandoned",
    }
    agent_run = AgentRun(provider="openai", **_SERVER, **_AGENT, **_SAID, **_OFFERED)
    agent_run.statistics.end_model_call(0, 100, 50)
    return [
        agent_run,
        RemoteAgentRun(**{**called, **_AGENT}, **remote, **_SAID, **_OFFERED),
        AgentCreation(**_CLIENT, **_KEPT_AGENT, system_instructions=_OFFERED["system_instructions"]),
        Workflow(conversation_id="conversation-1", workflow_name="trip", **_SAID),
        Step(step_name="search", step_type="node", step_number=2, **_INSIDE),
        Plan(**_INSIDE),
        ToolCall(tool_type="function", tool_description="Tells it.", call_id="call-1", **_TOOL, **_INSIDE),
        ExecutedTool(provider="letta", call_id="call-2", **_TOOL, **_INSIDE),
        Handoff(to_agent="guide", **_INSIDE),
        Memory("search_memory", **_CLIENT, store_id="notes", record_count=1, query_text="Lisbon", records=_records()),
        Memory("delete_memory", store_id="notes", record_id="note-1", record_count=1),
        Inference("chat", **called, **answered, **_SAID, **_OFFERED),
        FetchedResponse(
            **_CLIENT,
            response_id="response-1",
            response_model="gpt-4o",
            response_status="completed",
            finish_reasons=["stop"],
            stream_end="abandoned",
        ),
        Embedding("embeddings", **{**called, "usage": Usage(8)}, dimensions=8, encoding_formats=["float"]),
        Rerank(**{**called, "usage": Usage(8)}, top_k=3, **_FOUND),
        Retrieval(
            **{**_CLIENT, **_STORE},
            **_FOUND,
            data_source="towns",
            request_model="m",
            top_k=3,
            database_operation="query",
        ),
        DatabaseCall("upsert", **_STORE),
        McpCall("tools/call", **_SERVER, **_MCP, **_TOOL),
        McpCall("resources/read", resource_uri="file:///towns.txt", error_type="-32002", status_code="-32002"),
        McpServerCall("tools/call", client_address="127.0.0.1", client_port=5000, **_MCP, **_TOOL),
        McpServerCall("prompts/get", prompt_name="greeting", request_id="8", transport="pipe"),
        A2aAgentCall("SendMessage", stream=True, outcome="interrupted", **_SERVER, **_A2A, **_SAID),
        A2aCall("GetTask", **_SERVER, **_A2A),
        A2aServerCall("GetTask", request_id="9", **_A2A),
        HttpClientRequest("GET", url="ws://127.0.0.1:9/chat", scheme="ws", status_code=101, **_SERVER),
        HttpServerRequest("GET", route="/towns/{name}", path="/towns/Lisbon", status_code=200, **_HTTP),
        HttpServerRequest("BREW", path="/tea", status_code=501, error_type="501", **_HTTP),
        MessageCall(**_MESSAGE),
        MessageSend(**_MESSAGE),
        MessageServerCall(**_MESSAGE),
        MessageReceive(**_MESSAGE),
        MessageProcess(**_MESSAGE),
        PoolAcquire(pool_name="orders", error_type="TimeoutError"),
        LoggedWork(
            "load model",
            rule="load",
            evidence="verb",
            key="model=m",
            file="agent.py",
            line=7,
            function="load",
            end="line",
            end_line=9,
        ),
        OwnCall("Breaker.call", function="fleet.Breaker.call"),
        ContractCheck("check", function="fleet.Orders.validate", contract="orders", is_met=True),
        LoggedRequest("request", rule="automatic", file="agent.py", line=7, function="serve", end="next"),
    ]


def _records() -> list[dict[str, Any]]:
    return [{"id": "note-1", "score": 0.5, "content": "Likes rain.", "metadata": {"year": 2026}}]
