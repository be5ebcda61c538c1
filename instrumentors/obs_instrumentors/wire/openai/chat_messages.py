"""Messages of the chat completions API in the conventions' shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import messages

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part, ToolDefinition


def chat_message(raw: Any, finish_reason: str | None = None) -> Message:
    """Return a message that the agent sent or the model answered."""
    role = payload.get_text(raw, "role") or "assistant"
    name = payload.get_text(raw, "name")
    if role in ("tool", "function"):
        call_id = payload.get_text(raw, "tool_call_id")
        response = messages.tool_call_response(call_id, _tool_response(payload.get(raw, "content")))
        return messages.message("tool", response, name=name)
    return messages.message(role, *_parts(raw), name=name, finish_reason=finish_reason)


def tool_definition(raw: Any) -> ToolDefinition:
    """Return the definition of a tool, of the tools list or of the older functions list."""
    kind = payload.get_text(raw, "type") or "function"
    inner = payload.coalesce(payload.get(raw, kind), raw)
    return messages.tool_definition(
        payload.get_text(inner, "name") or kind,
        payload.get_text(inner, "description"),
        payload.coalesce(payload.get(inner, "parameters"), payload.get(inner, "format")),
        kind,
    )


def data_part(modality: str, url: str) -> Part:
    """Return the part that a URL means: a payload of its own, or an address elsewhere."""
    header, comma, data = url.partition(",")
    if not comma or not header.startswith("data:"):
        return messages.uri(modality, url)
    mime_type, _, _ = header.removeprefix("data:").partition(";")
    return messages.blob(modality, mime_type or None, data)


def _parts(raw: Any) -> list[Part]:
    parts: list[Part] = []
    # DeepSeek's name for what the model thought, and OpenRouter's.
    reasoning = payload.coalesce(payload.get(raw, "reasoning_content"), payload.get(raw, "reasoning"))
    if payload.as_text(reasoning) is not None:
        parts.append(messages.reasoning(reasoning))
    parts += _content_parts(payload.get(raw, "content"))
    refusal = payload.get_text(raw, "refusal")
    if refusal is not None:
        parts.append({"type": "refusal", "content": refusal})
    parts += _audio_parts(payload.get(raw, "audio"))
    parts += [_tool_call(call) for call in payload.get_list(raw, "tool_calls")]
    function = payload.get(raw, "function_call")
    if function is not None:
        parts.append(_tool_call({"function": function}))
    return parts


def _content_parts(raw: Any) -> list[Part]:
    """Return the parts of a content, which is a text or a list of parts."""
    if isinstance(raw, str):
        return [messages.text(raw)] if raw else []
    return [_part(part) for part in payload.as_list(raw)]


def _part(raw: Any) -> Part:
    kind = payload.get_text(raw, "type") or "text"
    if kind == "text":
        return messages.text(payload.get_text(raw, "text") or "")
    if kind == "image_url":
        image = payload.get(raw, "image_url")
        # Some libraries give the address itself where OpenAI has an object around it.
        url = payload.coalesce(payload.get(image, "url"), image)
        return data_part("image", payload.as_text(url) or "")
    if kind == "input_audio":
        return audio_part(payload.get(raw, "input_audio"))
    if kind == "file":
        return _file(payload.get(raw, "file"))
    if kind == "refusal":
        return {"type": "refusal", "content": payload.get_text(raw, "refusal") or ""}
    return {"type": kind}


def audio_part(raw: Any) -> Part:
    """Return the part that an input of audio means."""
    audio_format = payload.get(raw, "format") or "unknown"
    return messages.blob("audio", f"audio/{audio_format}", payload.get_text(raw, "data") or "")


def _file(raw: Any) -> Part:
    file_id = payload.get_text(raw, "file_id")
    if file_id is not None:
        return messages.file("document", file_id)
    return data_part("document", payload.get_text(raw, "file_data") or "")


def _audio_parts(raw: Any) -> list[Part]:
    """Return the model's spoken answer: what was said as text, then the audio or its id."""
    if raw is None:
        return []
    parts: list[Part] = []
    transcript = payload.get_text(raw, "transcript")
    if transcript is not None:
        parts.append(messages.text(transcript))
    data = payload.get_text(raw, "data")
    if data is None:
        parts.append(messages.file("audio", str(payload.get(raw, "id"))))
    else:
        parts.append(messages.blob("audio", None, data))
    return parts


def _tool_call(raw: Any) -> Part:
    # A custom tool, which takes free text, calls that its input.
    function = payload.coalesce(payload.get(raw, "function"), payload.get(raw, "custom"))
    return messages.tool_call(
        payload.get_text(raw, "id"),
        payload.get_text(function, "name") or "",
        payload.coalesce(payload.get(function, "arguments"), payload.get(function, "input")),
    )


def _tool_response(raw: Any) -> Any:
    if isinstance(raw, (list, tuple)):
        texts = [payload.get_text(part, "text") or "" for part in raw]
        return "".join(texts)
    return raw
