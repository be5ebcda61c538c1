"""Messages of the chat completions API in the conventions' shape."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import plain, unknown_part
from obs_run.base import payload
from obs_run.core import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.messages import Message, Part, ToolDefinition


def chat_message(raw: Any, finish_reason: str | None = None) -> Message:
    """Return a message that the agent sent or the model answered."""
    role = payload.get_text(raw, "role") or "assistant"
    name = payload.get_text(raw, "name")
    if role in ("tool", "function"):
        parts = _tool_response(payload.get_text(raw, "tool_call_id"), payload.get(raw, "content"))
        return messages.message("tool", *parts, name=name)
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
    parts += [_part(image) for image in payload.get_list(raw, "images")]
    parts += [_executed_tool(tool) for tool in payload.get_list(raw, "executed_tools")]
    parts += [_tool_call(call) for call in payload.get_list(raw, "tool_calls")]
    function = payload.get(raw, "function_call")
    if function is not None:
        parts.append(_tool_call({"function": function}))
    _add_citations(parts, payload.get_list(raw, "annotations"))
    return parts


def _add_citations(parts: list[Part], citations: list[Any]) -> None:
    """Keep what an answer refers to with its text."""
    texts = [part for part in parts if part["type"] == "text"]
    if texts and citations:
        texts[-1]["citations"] = plain(citations)


def _executed_tool(raw: Any) -> Part:
    """Return a tool that Groq's systems called themselves, with what it gave."""
    kind = payload.get_text(raw, "type") or "tool"
    name = payload.get_text(raw, "name") or kind
    call = {**plain(payload.as_dict(raw)), "type": kind}
    return {"type": "server_tool_call", "id": None, "name": name, "server_tool_call": call}


def _content_parts(raw: Any) -> list[Part]:
    """Return the parts of a content, which is a text or a list of parts."""
    if isinstance(raw, str):
        return [messages.text(raw)] if raw else []
    return [_part(part) for part in payload.as_list(raw)]


def _part(raw: Any) -> Part:
    if isinstance(raw, str):
        return messages.text(raw)
    kind = payload.get_text(raw, "type")
    read = _PART_READERS.get(kind or "text")
    if read is None or (kind is None and payload.get(raw, "text") is None):
        return unknown_part(raw)
    return read(raw)


def _text(raw: Any) -> Part:
    return messages.text(payload.get_text(raw, "text") or "")


def _refusal(raw: Any) -> Part:
    return {"type": "refusal", "content": payload.get_text(raw, "refusal") or ""}


def _thinking(raw: Any) -> Part:
    """Return what a model thought, as text or as parts of its own."""
    thoughts = payload.get(raw, "thinking")
    if isinstance(thoughts, str):
        return messages.reasoning(thoughts)
    return messages.reasoning("".join(payload.get_text(part, "text") or "" for part in payload.as_list(thoughts)))


def _url(modality: str, kind: str, raw: Any) -> Part:
    """Return the part that an address means; some libraries give it itself where OpenAI has an object around it."""
    holder = payload.get(raw, kind)
    url = payload.as_text(payload.coalesce(payload.get(holder, "url"), holder))
    return unknown_part(raw) if url is None else data_part(modality, url)


def _input_audio(raw: Any) -> Part:
    return audio_part(payload.get(raw, "input_audio"))


_PART_READERS: dict[str, Callable[[Any], Part]] = {
    "text": _text,
    "refusal": _refusal,
    "thinking": _thinking,
    "image_url": partial(_url, "image", "image_url"),
    "video_url": partial(_url, "video", "video_url"),
    "audio_url": partial(_url, "audio", "audio_url"),
    "input_audio": _input_audio,
    "file": lambda raw: _file(payload.get(raw, "file")),
}


def audio_part(raw: Any) -> Part:
    """Return the part that an input of audio means."""
    audio_format = payload.get(raw, "format") or "unknown"
    return messages.blob("audio", f"audio/{audio_format}", payload.get_text(raw, "data") or "")


def _file(raw: Any) -> Part:
    file_id = payload.get_text(raw, "file_id")
    if file_id is not None:
        return named(messages.file("document", file_id), payload.get_text(raw, "filename"))
    part = data_part("document", payload.get_text(raw, "file_data") or "")
    return named(part, payload.get_text(raw, "filename"))


def named(part: Part, name: str | None) -> Part:
    """Return a part with the name of its file, where there is one."""
    if name is not None:
        part["name"] = name
    return part


def _audio_parts(raw: Any) -> list[Part]:
    """Return the model's spoken answer: what was said as text, then the audio or its id."""
    if raw is None:
        return []
    parts: list[Part] = []
    transcript = payload.get_text(raw, "transcript")
    if transcript is not None:
        parts.append(messages.text(transcript))
    data = payload.get_text(raw, "data")
    audio_id = payload.get_text(raw, "id")
    if data is not None:
        parts.append(messages.blob("audio", None, data))
    elif audio_id is not None:
        parts.append(messages.file("audio", audio_id))
    return parts


def _tool_call(raw: Any) -> Part:
    # A custom tool, which takes free text, calls that its input.
    function = payload.coalesce(payload.get(raw, "function"), payload.get(raw, "custom"))
    return messages.tool_call(
        payload.get_text(raw, "id"),
        payload.get_text(function, "name") or "",
        payload.coalesce(payload.get(function, "arguments"), payload.get(function, "input")),
    )


def _tool_response(call_id: str | None, raw: Any) -> list[Part]:
    """Return what a tool answered: its texts as one; images and files follow as parts of their own."""
    if not isinstance(raw, (list, tuple)):
        return [messages.tool_call_response(call_id, raw)]
    texts, attachments = split_texts([_part(part) for part in raw])
    return [messages.tool_call_response(call_id, texts), *attachments]


def split_texts(parts: list[Part]) -> tuple[str, list[Part]]:
    """Return what parts say as one text, and the other ones."""
    texts = [part["content"] for part in parts if part["type"] == "text"]
    return "".join(texts), [part for part in parts if part["type"] != "text"]
