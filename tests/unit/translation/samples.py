"""Spans as instrumentors of others emit them, and what is to leave: recordings of the versions named, shortened."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """A span of somebody else, and what it is to say when it leaves."""

    name: str
    attributes: dict[str, Any]
    new_name: str
    kind: str
    said: dict[str, Any]
    """All attributes that do not hold content."""
    content: dict[str, Any]
    """The same of content, as objects; where content is off their sources stay as they are."""
    sources: tuple[str, ...] = ()
    """What holds the content, by the beginning of the names."""


def _text(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


_WEATHER = {"type": "object", "properties": {"town": {"type": "string"}}}
_TOOL = {"type": "function", "name": "weather", "description": "the sky", "parameters": _WEATHER}
_CALL = {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"town": "Oslo"}}
_USED = {
    "gen_ai.usage.input_tokens": 19,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
}
_CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.finish_reasons": ["tool_call"],
    **_USED,
}

OPENINFERENCE = (  # openinference-instrumentation-openai 0.1.66
    Sample(
        "ChatCompletion",
        {
            "openinference.span.kind": "LLM",
            "llm.system": "openai",
            "llm.model_name": "gpt-4o-2024-08-06",
            "llm.invocation_parameters": '{"model": "gpt-4o", "max_tokens": 99, "temperature": 0.5}',
            "llm.finish_reason": "tool_calls",
            "llm.token_count.prompt": 19,
            "llm.token_count.completion": 7,
            "llm.token_count.total": 26,
            "llm.token_count.prompt_details.cache_read": 4,
            "llm.token_count.completion_details.reasoning": 3,
            "session.id": "s1",
            "user.id": "ada",
            "input.mime_type": "application/json",
            "input.value": '{"model": "gpt-4o", "messages": []}',
            "output.mime_type": "application/json",
            "output.value": '{"id": "chatcmpl-1"}',
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "be kind",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": "hi",
            "llm.input_messages.1.message.contents.1.message_content.type": "image",
            "llm.input_messages.1.message.contents.1.message_content.image.image.url": "https://x.test/a.png",
            "llm.input_messages.2.message.role": "assistant",
            "llm.input_messages.2.message.tool_calls.0.tool_call.id": "call_0",
            "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "weather",
            "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": "{}",
            "llm.input_messages.3.message.role": "tool",
            "llm.input_messages.3.message.tool_call_id": "call_0",
            "llm.input_messages.3.message.content": "sunny",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "let me look",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call_1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "weather",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"town": "Oslo"}',
            "llm.tools.0.tool.json_schema": json.dumps(
                {"type": "function", "function": {name: _TOOL[name] for name in ("name", "description", "parameters")}}
            ),
        },
        "chat gpt-4o",
        "CLIENT",
        {
            **_CHAT,
            "gen_ai.request.max_tokens": 99,
            "gen_ai.request.temperature": 0.5,
            "gen_ai.conversation.id": "s1",
            "user.id": "ada",
        },
        {
            "gen_ai.input.messages": [
                _text("system", "be kind"),
                {
                    "role": "user",
                    "parts": [
                        {"type": "text", "content": "hi"},
                        {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://x.test/a.png"},
                    ],
                },
                {
                    "role": "assistant",
                    "parts": [{"type": "tool_call", "id": "call_0", "name": "weather", "arguments": {}}],
                },
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_0", "response": "sunny"}]},
            ],
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [{"type": "text", "content": "let me look"}, _CALL]}
            ],
            "gen_ai.tool.definitions": [_TOOL],
        },
        ("input.", "output.", "llm.input_messages.", "llm.output_messages.", "llm.tools."),
    ),
    Sample(
        "CreateEmbeddings",
        {
            "openinference.span.kind": "EMBEDDING",
            "llm.system": "openai",
            "embedding.model_name": "text-embedding-3-small",
            "embedding.invocation_parameters": '{"model": "text-embedding-3-small", "encoding_format": "base64"}',
            "embedding.embeddings.0.embedding.text": "a",
            "llm.token_count.prompt": 5,
            "llm.token_count.total": 5,
        },
        "embeddings text-embedding-3-small",
        "CLIENT",
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.request.encoding_formats": ["base64"],
            "gen_ai.usage.input_tokens": 5,
            "embedding.embeddings.0.embedding.text": "a",
        },
        {},
    ),
    Sample(
        "weather",
        {
            "openinference.span.kind": "TOOL",
            "tool.name": "weather",
            "tool.description": "the sky",
            "tool.parameters": json.dumps(_WEATHER),
            "tool.id": "call_1",
            "input.value": '{"town": "Oslo"}',
            "input.mime_type": "application/json",
            "output.value": "sunny",
        },
        "execute_tool weather",
        "INTERNAL",
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.description": "the sky",
            "gen_ai.tool.call.id": "call_1",
            "tool.parameters": json.dumps(_WEATHER),
        },
        {"gen_ai.tool.call.arguments": {"town": "Oslo"}, "gen_ai.tool.call.result": "sunny"},
        ("input.", "output."),
    ),
    Sample(
        "VectorStoreRetriever",
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "towns",
            "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.content": "Oslo",
            "retrieval.documents.0.document.score": 0.5,
            "retrieval.documents.0.document.metadata": '{"land": "Norway"}',
            "retrieval.documents.1.document.content": "Rome",
            "output.value": '{"documents": []}',
            "output.mime_type": "application/json",
        },
        "retrieval",
        "CLIENT",
        {"gen_ai.operation.name": "retrieval"},
        {
            "gen_ai.retrieval.query.text": "towns",
            "gen_ai.retrieval.documents": [
                {"id": "d1", "score": 0.5, "content": "Oslo", "metadata": {"land": "Norway"}},
                {"id": "1", "content": "Rome"},
            ],
        },
        ("input.", "output.", "retrieval.documents."),
    ),
    Sample(
        "Agent.run",
        {"openinference.span.kind": "AGENT", "agent.name": "meteo", "input.value": "hi", "output.value": "hello"},
        "invoke_agent meteo",
        "INTERNAL",
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "meteo"},
        {"gen_ai.input.messages": [_text("user", "hi")], "gen_ai.output.messages": [_text("assistant", "hello")]},
        ("input.", "output."),
    ),
    Sample(
        "RunnableSequence",
        {"openinference.span.kind": "CHAIN", "input.value": "hi", "session.id": "s1", "graph.node.id": "n"},
        "RunnableSequence",
        "INTERNAL",
        {
            "openinference.span.kind": "CHAIN",
            "input.value": "hi",
            "gen_ai.conversation.id": "s1",
            "graph.node.id": "n",
        },
        {},
    ),
)

OPENLLMETRY = (  # opentelemetry-instrumentation-openai 0.62.4, and traceloop-sdk's decorators
    Sample(
        "openai.chat",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.finish_reasons": ["tool_call"],
            "gen_ai.usage.input_tokens": 19,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.total_tokens": 26,
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.reasoning_tokens": 3,
            "gen_ai.is_streaming": False,
            "gen_ai.openai.api_base": "https://api.openai.com/v1/",
            "traceloop.association.properties.thread_id": "t1",
            "traceloop.workflow.name": "trip",
        },
        "chat gpt-4o",
        "CLIENT",
        {
            **_CHAT,
            "server.address": "api.openai.com",
            "server.port": 443,
            "gen_ai.conversation.id": "t1",
            "traceloop.workflow.name": "trip",
        },
        {},
    ),
    Sample(
        "weather.tool",
        {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "weather",
            "traceloop.entity.path": "trip",
            "traceloop.entity.input": '{"args": [], "kwargs": {"town": "Oslo"}}',
            "traceloop.entity.output": '"sunny"',
        },
        "execute_tool weather",
        "INTERNAL",
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "traceloop.entity.path": "trip"},
        {"gen_ai.tool.call.arguments": {"town": "Oslo"}, "gen_ai.tool.call.result": '"sunny"'},
        ("traceloop.entity.input", "traceloop.entity.output"),
    ),
    Sample(
        "trip.workflow",
        {"traceloop.span.kind": "workflow", "traceloop.entity.name": "trip", "traceloop.entity.input": '{"args": []}'},
        "invoke_workflow trip",
        "INTERNAL",
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "trip",
            "traceloop.entity.input": '{"args": []}',
        },
        {},
    ),
    Sample(
        "meteo.agent",
        {"traceloop.span.kind": "agent", "traceloop.entity.name": "meteo"},
        "invoke_agent meteo",
        "INTERNAL",
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "meteo"},
        {},
    ),
)

OLDER = (  # OpenLLMetry 0.40 and the conventions before v1.37
    Sample(
        "openai.chat",
        {
            "gen_ai.system": "OpenAI",
            "llm.request.type": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.request.top_k": 40.0,
            "llm.is_streaming": True,
            "llm.chat.stop_sequences": ["END"],
            "llm.headers": "None",
            "gen_ai.openai.system_fingerprint": "fp",
            "gen_ai.usage.prompt_tokens": 19,
            "gen_ai.usage.completion_tokens": 7,
            "llm.usage.total_tokens": 26,
            "gen_ai.usage.cache_read_input_tokens": 4,
            "gen_ai.usage.cache_creation_input_tokens": 1,
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "be kind",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": '[{"type": "text", "text": "hi"}]',
            "gen_ai.prompt.2.role": "tool",
            "gen_ai.prompt.2.content": "sunny",
            "gen_ai.prompt.2.tool_call_id": "call_0",
            "gen_ai.prompt.2.rating": 5,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "let me look",
            "gen_ai.completion.0.finish_reason": "tool_calls",
            "gen_ai.completion.0.tool_calls.0.id": "call_1",
            "gen_ai.completion.0.tool_calls.0.name": "weather",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"town": "Oslo"}',
            "llm.request.functions.0.name": "weather",
            "llm.request.functions.0.description": "the sky",
            "llm.request.functions.0.parameters": json.dumps(_WEATHER),
        },
        "chat gpt-4o",
        "CLIENT",
        {
            **{name: value for name, value in _CHAT.items() if "reasoning" not in name},
            "gen_ai.usage.cache_write.input_tokens": 1,
            "gen_ai.request.top_k": 40,
            "gen_ai.request.stream": True,
            "gen_ai.request.stop_sequences": ["END"],
            "openai.response.system_fingerprint": "fp",
            "llm.headers": "None",
            "gen_ai.prompt.2.rating": 5,
        },
        {
            "gen_ai.input.messages": [
                _text("system", "be kind"),
                _text("user", "hi"),
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_0", "response": "sunny"}]},
            ],
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [{"type": "text", "content": "let me look"}, _CALL],
                    "finish_reason": "tool_call",
                }
            ],
            "gen_ai.tool.definitions": [_TOOL],
        },
        ("gen_ai.prompt.", "gen_ai.completion.", "llm.request.functions."),
    ),
    Sample(
        "anthropic.completion",
        {
            "gen_ai.system": "anthropic",
            "gen_ai.operation.name": "completion",
            "gen_ai.request.model": "claude-2.1",
            "gen_ai.usage.prompt_tokens": 2,
            "gen_ai.usage.cache_creation.input_tokens": 5,
            "gen_ai.usage.completion_tokens": 7,
            "gen_ai.response.finish_reasons": "end_turn",
        },
        "text_completion claude-2.1",
        "CLIENT",
        {
            "gen_ai.provider.name": "anthropic",
            "gen_ai.operation.name": "text_completion",
            "gen_ai.request.model": "claude-2.1",
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.usage.cache_write.input_tokens": 5,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.response.finish_reasons": ["stop"],
        },
        {},
    ),
)

_LANGSMITH = {"langsmith.trace.session_name": "default", "langsmith.metadata.ls_method": "traceable"}
LANGSMITH = (  # langsmith 0.15.1
    Sample(
        "ChatOpenAI",
        {
            **_LANGSMITH,
            "langsmith.span.kind": "llm",
            "langsmith.trace.name": "ChatOpenAI",
            "langsmith.metadata.thread_id": "t1",
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.finish_reasons": "tool_calls",
            "gen_ai.response.service_tier": "default",
            "gen_ai.usage.input_tokens": 19,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.total_tokens": 26,
            "gen_ai.usage.input_token_details": "{'cache_read': 4}",
            "gen_ai.usage.output_token_details": "{'reasoning': 3}",
            "gen_ai.prompt": json.dumps({"messages": [{"role": "user", "content": "hi"}], "model": "gpt-4o"}),
            "gen_ai.completion": json.dumps(
                {
                    "choices": [
                        {
                            "finish_reason": "tool_calls",
                            "message": {
                                "role": "assistant",
                                "content": None,
                                "tool_calls": [
                                    {
                                        "id": "call_1",
                                        "type": "function",
                                        "function": {"name": "weather", "arguments": '{"town": "Oslo"}'},
                                    }
                                ],
                            },
                        }
                    ]
                }
            ),
        },
        "chat gpt-4o",
        "CLIENT",
        {
            **_CHAT,
            **_LANGSMITH,
            "langsmith.trace.name": "ChatOpenAI",
            "gen_ai.conversation.id": "t1",
            "gen_ai.response.id": "chatcmpl-1",
            "openai.response.service_tier": "default",
        },
        {
            "gen_ai.input.messages": [_text("user", "hi")],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [_CALL], "finish_reason": "tool_call"}],
        },
    ),
    Sample(
        "weather",
        {
            **_LANGSMITH,
            "langsmith.span.kind": "tool",
            "langsmith.trace.name": "weather",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.system": "langchain",
            "gen_ai.prompt": '{"town":"Oslo"}',
            "gen_ai.completion": '{"output":"sunny"}',
        },
        "execute_tool weather",
        "INTERNAL",
        {**_LANGSMITH, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"},
        {"gen_ai.tool.call.arguments": {"town": "Oslo"}, "gen_ai.tool.call.result": "sunny"},
    ),
    Sample(
        "look",
        {
            **_LANGSMITH,
            "langsmith.span.kind": "retriever",
            "langsmith.trace.name": "look",
            "gen_ai.operation.name": "embeddings",
            "gen_ai.system": "langchain",
            "gen_ai.prompt": '{"query":"towns"}',
            "gen_ai.completion": json.dumps(
                {"output": [{"page_content": "Oslo", "type": "Document", "metadata": {"id": "d1", "score": 0.5}}]}
            ),
        },
        "retrieval",
        "CLIENT",
        {**_LANGSMITH, "langsmith.trace.name": "look", "gen_ai.operation.name": "retrieval"},
        {
            "gen_ai.retrieval.query.text": "towns",
            "gen_ai.retrieval.documents": [
                {"id": "d1", "score": 0.5, "content": "Oslo", "metadata": {"id": "d1", "score": 0.5}}
            ],
        },
    ),
    Sample(
        "chain",
        {
            **_LANGSMITH,
            "langsmith.span.kind": "chain",
            "langsmith.trace.name": "chain",
            "gen_ai.operation.name": "chain",
            "gen_ai.system": "langchain",
        },
        "chain",
        "INTERNAL",
        {**_LANGSMITH, "langsmith.span.kind": "chain", "langsmith.trace.name": "chain"},
        {},
    ),
)

LOGFIRE = (  # logfire 5.6.0, pydantic-ai 2.68.0, pydantic-ai 0.4
    Sample(
        "Chat Completion with {request_data[model]!r}",
        {
            "logfire.msg": "Chat Completion with 'gpt-4o'",
            "logfire.span_type": "span",
            "request_data": '{"model":"gpt-4o"}',
            "async": False,
            "gen_ai.system": "openai",
            "gen_ai.provider.name": "openai",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.finish_reasons": '["tool_calls"]',
            "gen_ai.usage.raw": '{"completion_tokens":7,"completion_tokens_details":{"reasoning_tokens":3}}',
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.input_tokens": 19,
            "gen_ai.usage.output_tokens": 7,
        },
        "chat gpt-4o",
        "CLIENT",
        {
            **_CHAT,
            "logfire.msg": "Chat Completion with 'gpt-4o'",
            "logfire.span_type": "span",
            "async": False,
            "gen_ai.usage.raw": '{"completion_tokens":7,"completion_tokens_details":{"reasoning_tokens":3}}',
        },
        {},
    ),
    Sample(
        "invoke_agent meteo",
        {
            "logfire.msg": "meteo run",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "meteo",
            "agent_name": "meteo",
            "model_name": "gpt-4o",
            "gen_ai.aggregated_usage.input_tokens": 103,
            "gen_ai.aggregated_usage.output_tokens": 14,
            "final_result": "hello",
            "pydantic_ai.all_messages": json.dumps(
                [
                    _text("user", "hi"),
                    {"role": "user", "parts": [{"type": "tool_call_response", "id": "c", "result": "sunny"}]},
                ]
            ),
        },
        "invoke_agent meteo",
        "INTERNAL",
        {
            "logfire.msg": "meteo run",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "meteo",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 103,
            "gen_ai.usage.output_tokens": 14,
        },
        {
            "gen_ai.input.messages": [
                _text("user", "hi"),
                {"role": "user", "parts": [{"type": "tool_call_response", "id": "c", "response": "sunny"}]},
            ],
            "gen_ai.output.messages": [_text("assistant", "hello")],
        },
        ("final_result", "pydantic_ai.all_messages"),
    ),
    Sample(
        "running tool",
        {
            "logfire.msg": "running tool: weather",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.call.id": "call_1",
            "tool_arguments": '{"town":"Oslo"}',
            "tool_response": "sunny",
        },
        "execute_tool weather",
        "INTERNAL",
        {
            "logfire.msg": "running tool: weather",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.call.id": "call_1",
        },
        {"gen_ai.tool.call.arguments": {"town": "Oslo"}, "gen_ai.tool.call.result": "sunny"},
        ("tool_arguments", "tool_response"),
    ),
    Sample(
        "chat gpt-4o",
        {
            "logfire.msg": "chat gpt-4o",
            "gen_ai.system": "openai",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "events": json.dumps(
                [
                    {"event.name": "gen_ai.system.message", "role": "system", "content": "be kind"},
                    {"event.name": "gen_ai.user.message", "role": "user", "content": "hi"},
                    {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "hello"}},
                ]
            ),
        },
        "chat gpt-4o",
        "CLIENT",
        {
            "logfire.msg": "chat gpt-4o",
            "gen_ai.provider.name": "openai",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
        },
        {
            "gen_ai.input.messages": [_text("system", "be kind"), _text("user", "hi")],
            "gen_ai.output.messages": [_text("assistant", "hello")],
        },
        ("events",),
    ),
)

_VERCEL = {"ai.model.id": "gpt-4o", "ai.model.provider": "openai.responses", "ai.settings.maxRetries": 2}
VERCEL = (  # the AI SDK's telemetry, versions 5 and 6
    Sample(
        "ai.streamText.doStream",
        {
            **_VERCEL,
            "ai.operationId": "ai.streamText.doStream",
            "operation.name": "ai.streamText.doStream meteo",
            "resource.name": "meteo",
            "ai.telemetry.functionId": "meteo",
            "ai.prompt.messages": json.dumps(
                [
                    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
                    {
                        "role": "tool",
                        "content": [
                            {
                                "type": "tool-result",
                                "toolCallId": "call_0",
                                "toolName": "weather",
                                "output": {"type": "text", "value": "sunny"},
                            }
                        ],
                    },
                ]
            ),
            "ai.prompt.tools": [
                json.dumps({"type": "function", "name": "weather", "description": "the sky", "inputSchema": _WEATHER})
            ],
            "ai.response.text": "let me look",
            "ai.response.toolCalls": json.dumps(
                [{"toolCallId": "call_1", "toolName": "weather", "input": '{"town": "Oslo"}'}]
            ),
            "ai.response.finishReason": "tool-calls",
            "ai.response.model": "gpt-4o-2024-08-06",
            "ai.response.msToFirstChunk": 250,
            "ai.response.avgOutputTokensPerSecond": 20.5,
            "ai.settings.temperature": 1,
            "ai.settings.topK": 0.1,
            "ai.usage.inputTokens": 19,
            "ai.usage.outputTokens": 7.0,
            "ai.usage.totalTokens": 26,
            "ai.usage.cachedInputTokens": 4,
            "ai.usage.reasoningTokens": 3,
            "gen_ai.system": "openai.responses",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.finish_reasons": ["tool-calls"],
            "gen_ai.usage.input_tokens": 19,
        },
        "chat gpt-4o",
        "CLIENT",
        {
            **_CHAT,
            "ai.settings.maxRetries": 2,
            "ai.settings.topK": 0.1,
            "ai.response.avgOutputTokensPerSecond": 20.5,
            "ai.telemetry.functionId": "meteo",
            "gen_ai.request.stream": True,
            "gen_ai.request.temperature": 1.0,
            "gen_ai.response.time_to_first_chunk": 0.25,
        },
        {
            "gen_ai.input.messages": [
                _text("user", "hi"),
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_0", "response": "sunny"}]},
            ],
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [{"type": "text", "content": "let me look"}, _CALL],
                    "finish_reason": "tool_call",
                }
            ],
            "gen_ai.tool.definitions": [_TOOL],
        },
        ("ai.prompt.", "ai.response.text", "ai.response.toolCalls"),
    ),
    Sample(
        "ai.generateText",
        {
            **_VERCEL,
            "ai.operationId": "ai.generateText",
            "operation.name": "ai.generateText",
            "ai.prompt": '{"system": "be kind", "prompt": "hi"}',
            "ai.response.text": "hello",
            "ai.usage.promptTokens": 19,
            "ai.usage.completionTokens": 7,
        },
        "invoke_agent",
        "INTERNAL",
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 19,
            "gen_ai.usage.output_tokens": 7,
            "ai.settings.maxRetries": 2,
        },
        {
            "gen_ai.system_instructions": [{"type": "text", "content": "be kind"}],
            "gen_ai.input.messages": [_text("user", "hi")],
            "gen_ai.output.messages": [_text("assistant", "hello")],
        },
        ("ai.prompt", "ai.response.text"),
    ),
    Sample(
        "ai.toolCall",
        {
            "ai.operationId": "ai.toolCall",
            "operation.name": "ai.toolCall",
            "ai.toolCall.name": "weather",
            "ai.toolCall.id": "call_1",
            "ai.toolCall.args": '{"town": "Oslo"}',
            "ai.toolCall.result": '{"sky": "sunny"}',
        },
        "execute_tool weather",
        "INTERNAL",
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "gen_ai.tool.call.id": "call_1"},
        {"gen_ai.tool.call.arguments": {"town": "Oslo"}, "gen_ai.tool.call.result": {"sky": "sunny"}},
        ("ai.toolCall.args", "ai.toolCall.result"),
    ),
    Sample(
        "ai.embed.doEmbed",
        {**_VERCEL, "ai.operationId": "ai.embed.doEmbed", "ai.usage.tokens": 10, "ai.values": ['"a"']},
        "embeddings gpt-4o",
        "CLIENT",
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 10,
            "ai.settings.maxRetries": 2,
            "ai.values": ['"a"'],
        },
        {},
    ),
    Sample(
        "ai.embed",
        {**_VERCEL, "ai.operationId": "ai.embed", "ai.usage.tokens": 10},
        "ai.embed",
        "INTERNAL",
        {**_VERCEL, "ai.operationId": "ai.embed", "ai.usage.tokens": 10},
        {},
    ),
)

SAMPLES = {
    "OpenInference": OPENINFERENCE,
    "OpenLLMetry": OPENLLMETRY,
    "older GenAI": OLDER,
    "LangSmith": LANGSMITH,
    "Logfire": LOGFIRE,
    "Vercel AI SDK": VERCEL,
}
