"""Messages of Mistral's chat API: contents that are lists of chunks, thoughts among them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.wire.openai.chat_messages import data_part
from obs_instrumentors.wire.openai.chat_tools import results_of
from obs_instrumentors.wire.plain import unknown_part
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.messages import Message, Part

_FINISH_REASONS = {"model_length": "length"}
_MODALITIES = {"image_url": "image", "document_url": "document"}
"""By the type of a chunk, which is also the name of the field with its address."""


def input_messages(body: dict[str, Any]) -> list[Message] | None:
    """Return the messages of a chat, or the prompt of a completion with what is to stand behind it."""
    prompt = payload.as_text(body.get("prompt"))
    if prompt is None:
        return [message(raw) for raw in payload.as_list(body.get("messages"))] or None
    parts = [messages.text(prompt)]
    suffix = payload.as_text(body.get("suffix"))
    if suffix is not None:
        parts.append(messages.text(suffix))
    return [messages.message("user", *parts)]


def message(raw: Any) -> Message:
    """Return a message that the agent sent."""
    role = payload.get_text(raw, "role") or "user"
    name = payload.get_text(raw, "name")
    raw_content = payload.get(raw, "content")
    if role == "tool":
        part = messages.tool_call_response(payload.get_text(raw, "tool_call_id"), text_of(raw_content))
        return messages.message(role, part, name=name)
    tool_calls = [_tool_call_part(call) for call in payload.get_list(raw, "tool_calls")]
    return messages.message(role, *parts(raw_content), *tool_calls, name=name)


def tool_results(raw_messages: Any) -> Iterator[ToolResult]:
    """Go through what tools gave after the model's last answer, the newest first."""
    for raw in results_of(raw_messages):
        result = text_of(payload.get(raw, "content")) if content.wanted() else None
        yield ToolResult(payload.get_text(raw, "tool_call_id"), payload.get_text(raw, "name"), result=result)


def parts(raw_content: Any) -> list[Part]:
    """Return the parts of a content, which is a text or a list of chunks."""
    if isinstance(raw_content, str):
        return [messages.text(raw_content)] if raw_content else []
    return [_part(chunk) for chunk in payload.as_list(raw_content)]


def text_of(raw_content: Any) -> str:
    """Return the text of a content."""
    if isinstance(raw_content, str):
        return raw_content
    return _join_texts(raw_content)


def reasoning_of(raw_content: Any) -> str:
    """Return what a content says of the model's reasoning."""
    if isinstance(raw_content, str):
        return ""
    chunks = [chunk for chunk in payload.as_list(raw_content) if payload.get(chunk, "type") == "thinking"]
    return "".join(_thinking(chunk) for chunk in chunks)


def _join_texts(chunks: Any) -> str:
    texts = [payload.get_text(chunk, "text") or "" for chunk in payload.as_list(chunks)]
    return "".join(texts)


def _thinking(chunk: Any) -> str:
    """Return the text of a ThinkChunk, which holds a text or chunks of its own."""
    return text_of(payload.get(chunk, "thinking"))


def _part(chunk: Any) -> Part:
    kind = payload.get_text(chunk, "type") or "text"
    if kind == "text":
        return messages.text(payload.get_text(chunk, "text") or "")
    if kind == "thinking":
        return messages.reasoning(_thinking(chunk))
    if kind in _MODALITIES:
        # The address itself, or an object around it.
        address = payload.get(chunk, kind)
        url = payload.as_text(payload.coalesce(payload.get(address, "url"), address))
        return data_part(_MODALITIES[kind], url or "")
    if kind == "input_audio":
        return _audio(payload.get_text(chunk, "input_audio") or "")
    file_id = payload.get_text(chunk, "file_id")
    if file_id is not None:
        part = messages.file("document", file_id)
        name = payload.get_text(chunk, "file_name")
        if name is not None:
            part["name"] = name
        return part
    return unknown_part(chunk, kind)


def _audio(value: str) -> Part:
    if value.startswith(("data:", "http:", "https:")):
        return data_part("audio", value)
    return messages.blob("audio", None, value)


def _tool_call_part(call: Any) -> Part:
    return messages.tool_call(
        payload.get_text(call, "id"),
        payload.get_text(call, "function", "name") or "",
        payload.get(call, "function", "arguments"),
    )


def openai_response(response: Any, message_field: str) -> dict[str, Any]:
    """Return an answer, or a piece of one, as OpenAI's chat API has it."""
    choices = payload.get_list(response, "choices")
    return {
        "id": payload.get(response, "id"),
        "model": payload.get(response, "model"),
        "usage": _usage(payload.get(response, "usage")),
        "choices": [_choice(choice, message_field) for choice in choices],
    }


def _usage(raw: Any) -> dict[str, Any] | None:
    if raw is None:
        return None
    counts = speakeasy.sent_fields(raw)
    cached = payload.as_int(counts.get("num_cached_tokens"))
    if cached is None:
        return counts
    return {"cached_tokens": cached, **counts}


def _choice(raw: Any, message_field: str) -> dict[str, Any]:
    message = payload.get(raw, message_field)
    raw_content = payload.get(message, "content")
    reason = payload.get_text(raw, "finish_reason")
    tool_calls = payload.get_list(message, "tool_calls")
    return {
        "index": payload.get_int(raw, "index"),
        "finish_reason": _FINISH_REASONS.get(reason or "", reason),
        message_field: {
            "role": "assistant",
            "content": text_of(raw_content) or None,
            "reasoning_content": reasoning_of(raw_content) or None,
            "tool_calls": [_openai_tool_call(call) for call in tool_calls],
        },
    }


def _openai_tool_call(raw: Any) -> dict[str, Any]:
    arguments = payload.get(raw, "function", "arguments")
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments)
    return {
        "id": payload.get_text(raw, "id"),
        # Its default would make one call of all.
        "index": speakeasy.sent_fields(raw).get("index"),
        "function": {"name": payload.get_text(raw, "function", "name"), "arguments": arguments},
    }
