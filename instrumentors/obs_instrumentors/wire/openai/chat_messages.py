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
        answer = messages.tool_call_response(call_id, _tool_answer(payload.get(raw, "content")))
        return messages.message("tool", answer, name=name)
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
    """Return the part that a URL means: a payload of its own, or a place elsewhere."""
    head, comma, data = url.partition(",")
    if head.startswith("data:") and comma:
        return messages.blob(modality, head[len("data:") :].partition(";")[0] or None, data)
    return messages.uri(modality, url)


def _parts(raw: Any) -> list[Part]:
    parts: list[Part] = []
    thought = payload.as_text(payload.coalesce(payload.get(raw, "reasoning_content"), payload.get(raw, "reasoning")))
    if thought is not None:
        parts.append(messages.reasoning(thought))
    said = payload.get(raw, "content")
    if isinstance(said, str):
        parts.extend([messages.text(said)] if said else [])
    else:
        parts.extend(_part(each) for each in payload.as_list(said))
    refusal = payload.get_text(raw, "refusal")
    if refusal is not None:
        parts.append({"type": "refusal", "content": refusal})
    parts.extend(_audio_answer(payload.get(raw, "audio")))
    parts.extend(_tool_call(call) for call in payload.get_list(raw, "tool_calls"))
    function = payload.get(raw, "function_call")
    if function is not None:
        parts.append(_tool_call({"function": function}))
    return parts


def _part(raw: Any) -> Part:
    kind = payload.get_text(raw, "type") or "text"
    if kind == "text":
        return messages.text(payload.get_text(raw, "text") or "")
    if kind == "image_url":
        image = payload.get(raw, "image_url")
        return data_part("image", payload.as_text(payload.coalesce(payload.get(image, "url"), image)) or "")
    if kind == "input_audio":
        sound = payload.get(raw, "input_audio")
        return messages.blob(
            "audio",
            f"audio/{payload.get(sound, 'format') or 'unknown'}",
            payload.get_text(sound, "data") or "",
        )
    if kind == "file":
        return _file(payload.get(raw, "file"))
    if kind == "refusal":
        return {"type": "refusal", "content": payload.get_text(raw, "refusal") or ""}
    return {"type": kind}


def _file(raw: Any) -> Part:
    file_id = payload.get_text(raw, "file_id")
    if file_id is not None:
        return messages.file("document", file_id)
    return data_part("document", payload.get_text(raw, "file_data") or "")


def _audio_answer(raw: Any) -> list[Part]:
    """Return the model's spoken answer: what was said as text, then the sound or its id."""
    if raw is None:
        return []
    transcript = payload.get_text(raw, "transcript")
    data = payload.get_text(raw, "data")
    sound = messages.blob("audio", None, data) if data else messages.file("audio", str(payload.get(raw, "id")))
    return [messages.text(transcript), sound] if transcript else [sound]


def _tool_call(raw: Any) -> Part:
    function = payload.coalesce(payload.get(raw, "function"), payload.get(raw, "custom"))
    return messages.tool_call(
        payload.get_text(raw, "id"),
        payload.get_text(function, "name") or "",
        payload.coalesce(payload.get(function, "arguments"), payload.get(function, "input")),
    )


def _tool_answer(raw: Any) -> Any:
    if isinstance(raw, (list, tuple)):
        return "".join(payload.get_text(part, "text") or "" for part in raw)
    return messages.parsed(raw)
