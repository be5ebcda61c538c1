"""Messages of Mistral's chat API: contents that are lists of chunks, thoughts among them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.wire.openai.chat_messages import data_part
from obs_run.base import payload
from obs_run.core import messages

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part

_FINISH_REASONS = {"model_length": "length"}


def input_messages(body: dict[str, Any]) -> list[Message] | None:
    """Return the messages of a chat, or the prompt of a completion with what is to stand behind it."""
    prompt = payload.as_text(body.get("prompt"))
    if prompt is None:
        return [message(each) for each in payload.as_list(body.get("messages"))] or None
    suffix = payload.as_text(body.get("suffix"))
    parts = [messages.text(prompt)] if suffix is None else [messages.text(prompt), messages.text(suffix)]
    return [messages.message("user", *parts)]


def message(raw: Any) -> Message:
    """Return a message that the agent sent."""
    role = payload.get_text(raw, "role") or "user"
    name = payload.get_text(raw, "name")
    if role == "tool":
        call_id = payload.get_text(raw, "tool_call_id")
        answer = payload.get(raw, "content")
        answer = answer if isinstance(answer, str) else said(answer)
        return messages.message(role, messages.tool_call_response(call_id, messages.parsed(answer)), name=name)
    made = parts(payload.get(raw, "content"))
    for call in payload.get_list(raw, "tool_calls"):
        function = payload.get(call, "function")
        made.append(
            messages.tool_call(
                payload.get_text(call, "id"),
                payload.get_text(function, "name") or "",
                payload.get(function, "arguments"),
            )
        )
    return messages.message(role, *made, name=name)


def parts(content: Any) -> list[Part]:
    """Return the parts of a content, which is a text or a list of chunks."""
    if isinstance(content, str):
        return [messages.text(content)] if content else []
    return [_part(each) for each in payload.as_list(content)]


def said(content: Any) -> str:
    """Return the text of a content."""
    return content if isinstance(content, str) else _joined(content, "text")


def thought(content: Any) -> str:
    """Return what a content tells of the model's reasoning."""
    if isinstance(content, str):
        return ""
    chunks = [each for each in payload.as_list(content) if payload.get(each, "type") == "thinking"]
    return "".join(_thoughts(each) for each in chunks)


def _joined(chunks: Any, name: str) -> str:
    return "".join(payload.get_text(each, name) or "" for each in payload.as_list(chunks))


def _thoughts(chunk: Any) -> str:
    told = payload.get(chunk, "thinking")
    return told if isinstance(told, str) else _joined(told, "text")


def _part(chunk: Any) -> Part:
    kind = payload.get_text(chunk, "type") or "text"
    if kind == "text":
        return messages.text(payload.get_text(chunk, "text") or "")
    if kind == "thinking":
        return messages.reasoning(_thoughts(chunk))
    if kind in _PLACES:
        modality, name = _PLACES[kind]
        place = payload.get(chunk, name)
        return data_part(modality, payload.as_text(payload.coalesce(payload.get(place, "url"), place)) or "")
    if kind == "input_audio":
        return _sound(payload.get_text(chunk, "input_audio") or "")
    file_id = payload.get_text(chunk, "file_id")
    return {"type": kind} if file_id is None else messages.file("document", file_id)


_PLACES = {"image_url": ("image", "image_url"), "document_url": ("document", "document_url")}


def _sound(given: str) -> Part:
    if given.startswith(("data:", "http:", "https:")):
        return data_part("audio", given)
    return messages.blob("audio", None, given)


def plain(response: Any, holder: str) -> dict[str, Any]:
    """Return an answer, or a piece of one, as OpenAI's chat API has it."""
    return {
        "id": payload.get(response, "id"),
        "model": payload.get(response, "model"),
        "usage": _usage(payload.get(response, "usage")),
        "choices": [_choice(each, holder) for each in payload.get_list(response, "choices")],
    }


def _usage(told: Any) -> dict[str, Any] | None:
    if told is None:
        return None
    known = speakeasy.known(told)
    cached = payload.get_int(known, "num_cached_tokens")
    return known if cached is None else {"cached_tokens": cached, **known}


def _choice(raw: Any, holder: str) -> dict[str, Any]:
    answer = payload.get(raw, holder)
    told = payload.get(answer, "content")
    reason = payload.get_text(raw, "finish_reason")
    calls = payload.get_list(answer, "tool_calls")
    return {
        "index": payload.get_int(raw, "index"),
        "finish_reason": _FINISH_REASONS.get(reason or "", reason),
        holder: {
            "role": "assistant",
            "content": said(told) or None,
            "reasoning_content": thought(told) or None,
            "tool_calls": [_call(call) for call in calls],
        },
    }


def _call(raw: Any) -> dict[str, Any]:
    function = payload.get(raw, "function")
    arguments = payload.get(function, "arguments")
    return {
        "id": payload.get_text(raw, "id"),
        # Its default would make one call of all.
        "index": speakeasy.known(raw).get("index"),
        "function": {
            "name": payload.get_text(function, "name"),
            "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
        },
    }
