"""Messages of the chat completions API in the conventions' shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import messages

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part, ToolDefinition


def chat_message(raw: Any, finish_reason: str | None = None) -> Message:
    """Return a message that the agent sent or the model answered."""
    role = payload.text(payload.field(raw, "role")) or "assistant"
    name = payload.text(payload.field(raw, "name"))
    if role in ("tool", "function"):
        call_id = payload.text(payload.field(raw, "tool_call_id"))
        answer = messages.tool_call_response(call_id, _tool_answer(payload.field(raw, "content")))
        return messages.message("tool", answer, name=name)
    return messages.message(role, *_parts(raw), name=name, finish_reason=finish_reason)


def tool_definition(raw: Any) -> ToolDefinition:
    """Return the definition of a tool, of the tools list or of the older functions list."""
    kind = payload.text(payload.field(raw, "type")) or "function"
    inner = payload.first(payload.field(raw, kind), raw)
    return messages.tool_definition(
        payload.text(payload.field(inner, "name")) or kind,
        payload.text(payload.field(inner, "description")),
        payload.first(payload.field(inner, "parameters"), payload.field(inner, "format")),
        kind,
    )


def data_part(modality: str, url: str) -> Part:
    """Return the part that a URL means: a payload of its own, or a place elsewhere."""
    head, comma, data = url.partition(",")
    if head.startswith("data:") and comma:
        return messages.blob(modality, head[len("data:") :].partition(";")[0] or None, data)
    return messages.uri(modality, url)


def _parts(raw: Any) -> list[Part]:
    parts: list[Part] = []
    thought = payload.text(payload.first(payload.field(raw, "reasoning_content"), payload.field(raw, "reasoning")))
    if thought is not None:
        parts.append(messages.reasoning(thought))
    said = payload.field(raw, "content")
    if isinstance(said, str):
        parts.extend([messages.text(said)] if said else [])
    else:
        parts.extend(_part(each) for each in payload.items(said))
    refusal = payload.text(payload.field(raw, "refusal"))
    if refusal is not None:
        parts.append({"type": "refusal", "content": refusal})
    parts.extend(_audio_answer(payload.field(raw, "audio")))
    parts.extend(_tool_call(call) for call in payload.items(payload.field(raw, "tool_calls")))
    function = payload.field(raw, "function_call")
    if function is not None:
        parts.append(_tool_call({"function": function}))
    return parts


def _part(raw: Any) -> Part:
    kind = payload.text(payload.field(raw, "type")) or "text"
    if kind == "text":
        return messages.text(payload.text(payload.field(raw, "text")) or "")
    if kind == "image_url":
        image = payload.field(raw, "image_url")
        return data_part("image", payload.text(payload.first(payload.field(image, "url"), image)) or "")
    if kind == "input_audio":
        sound = payload.field(raw, "input_audio")
        return messages.blob(
            "audio",
            f"audio/{payload.field(sound, 'format') or 'unknown'}",
            payload.text(payload.field(sound, "data")) or "",
        )
    if kind == "file":
        return _file(payload.field(raw, "file"))
    if kind == "refusal":
        return {"type": "refusal", "content": payload.text(payload.field(raw, "refusal")) or ""}
    return {"type": kind}


def _file(raw: Any) -> Part:
    file_id = payload.text(payload.field(raw, "file_id"))
    if file_id is not None:
        return messages.file("document", file_id)
    return data_part("document", payload.text(payload.field(raw, "file_data")) or "")


def _audio_answer(raw: Any) -> list[Part]:
    """Return the model's spoken answer: what was said as text, then the sound or its id."""
    if raw is None:
        return []
    transcript = payload.text(payload.field(raw, "transcript"))
    data = payload.text(payload.field(raw, "data"))
    sound = messages.blob("audio", None, data) if data else messages.file("audio", str(payload.field(raw, "id")))
    return [messages.text(transcript), sound] if transcript else [sound]


def _tool_call(raw: Any) -> Part:
    function = payload.first(payload.field(raw, "function"), payload.field(raw, "custom"))
    return messages.tool_call(
        payload.text(payload.field(raw, "id")),
        payload.text(payload.field(function, "name")) or "",
        payload.first(payload.field(function, "arguments"), payload.field(function, "input")),
    )


def _tool_answer(raw: Any) -> Any:
    if isinstance(raw, (list, tuple)):
        return "".join(payload.text(payload.field(part, "text")) or "" for part in raw)
    return messages.parsed(raw)
