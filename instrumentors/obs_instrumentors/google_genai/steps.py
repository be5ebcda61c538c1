"""Steps and contents of the interactions API in the conventions' shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import append_part
from obs_instrumentors.wire.google.contents import modality
from obs_instrumentors.wire.plain import unknown_part
from obs_run.base import payload
from obs_run.base.json_text import from_exact_json
from obs_run.core import content, messages
from obs_run.core.operations import ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.messages import Message, Part

_MEDIA = ("image", "audio", "document", "video")


def input_messages(value: Any) -> list[Message] | None:
    """Return what the agent sent: a text, a content, contents, or steps in order."""
    if isinstance(value, str):
        return [messages.message("user", messages.text(value))]
    items = [value] if isinstance(value, dict) else payload.as_list(value)
    if items and all(_is_content(item) for item in items):
        return [messages.message("user", *(_content_part(item) for item in items))]
    return messages.join_answers(_message(step) for step in items) or None


def _is_content(item: Any) -> bool:
    return payload.get(item, "type") in ("text", *_MEDIA)


def _message(step: Any) -> Message:
    kind = payload.get_text(step, "type") or "user_input"
    if kind == "user_input":
        role = payload.get_text(step, "role") or "user"
        if role == "model":
            role = "assistant"
        return messages.message(role, *_content_parts(payload.get(step, "content")))
    role = "tool" if kind == "function_result" else "assistant"
    return messages.message(role, *parts(step))


def function_name(step: Any) -> str | None:
    """Return the name of the function that a step wants to have called, None where it is another step."""
    if payload.get(step, "type") != "function_call":
        return None
    return payload.get_text(step, "name")


def call_id(step: Any) -> str | None:
    """Return the id of the call that a step is, or gives the result of."""
    return payload.as_text(payload.coalesce(payload.get(step, "id"), payload.get(step, "call_id")))


def tool_results(value: Any) -> Iterator[ToolResult]:
    """Go through what tools gave after the model's last words, the newest first."""
    for step in reversed([value] if isinstance(value, dict) else payload.as_list(value)):
        kind = payload.get(step, "type")
        if kind == "function_result":
            result = _plain(payload.get(step, "result")) if content.wanted() else None
            # A step may have an id of its own beside that of the call.
            result_of = payload.as_text(payload.coalesce(payload.get(step, "call_id"), payload.get(step, "id")))
            is_error = payload.get(step, "is_error") is True
            yield ToolResult(result_of, payload.get_text(step, "name"), is_error=is_error, result=result)
        elif kind == "model_output":
            return


def parts(step: Any) -> list[Part]:
    """Return the parts of a step."""
    kind = payload.get_text(step, "type") or ""
    if kind in ("model_output", "user_input"):
        return _content_parts(payload.get(step, "content"))
    if kind == "thought":
        return _reasoning_parts(step)
    name = payload.get_text(step, "name")
    if kind == "function_call":
        return [messages.tool_call(call_id(step), name or "", payload.get(step, "arguments"))]
    if kind == "function_result":
        return [messages.tool_call_response(call_id(step), _plain(payload.get(step, "result")))]
    return [_server_tool_part(step, kind, call_id(step), name)]


def _reasoning_parts(step: Any) -> list[Part]:
    texts = [_text_of(part) for part in _content_parts(payload.get(step, "summary"))]
    return [messages.reasoning(text) for text in texts if text]


def _server_tool_part(step: Any, kind: str, call_id: str | None, name: str | None) -> Part:
    """Return a step of a tool that Google runs, such as a search."""
    if kind.endswith("_call"):
        tool = kind.removesuffix("_call")
        call = {"type": tool, "arguments": _plain(payload.get(step, "arguments"))}
        return {"type": "server_tool_call", "id": call_id, "name": name or tool, "server_tool_call": call}
    if kind.endswith("_result"):
        response = {"type": kind.removesuffix("_result"), "result": _plain(payload.get(step, "result"))}
        return {"type": "server_tool_call_response", "id": call_id, "server_tool_call_response": response}
    return unknown_part(step)


def add_delta(step_parts: list[Part], delta: Any) -> None:
    """Add a piece of a step to the parts that are there."""
    kind = payload.get_text(delta, "type") or ""
    if kind == "arguments_delta":
        _add_arguments(step_parts, payload.get_text(delta, "arguments") or "")
    elif kind == "thought_summary":
        text = _text_of(_content_part(payload.get(delta, "content")))
        append_part(step_parts, messages.reasoning(text))
    elif kind in ("text", *_MEDIA):
        append_part(step_parts, _content_part(delta))


def _add_arguments(step_parts: list[Part], piece: str) -> None:
    if not step_parts:
        return
    part = step_parts[-1]
    before = part.get("arguments")
    if not isinstance(before, str):
        # A call starts with an empty object of arguments.
        before = ""
    part["arguments"] = before + piece


def with_parsed_arguments(part: Part) -> Part:
    """Return a part with the arguments that came in pieces as what they say."""
    if part["type"] != "tool_call":
        return part
    arguments = part["arguments"]
    return {**part, "arguments": from_exact_json(arguments) if isinstance(arguments, str) else arguments}


def _content_parts(value: Any) -> list[Part]:
    if isinstance(value, str):
        return [messages.text(value)]
    return [_content_part(raw) for raw in payload.as_list(value)]


def _content_part(raw: Any) -> Part:
    kind = payload.get_text(raw, "type") or "text"
    if kind == "text":
        return messages.text(payload.get_text(raw, "text") or "")
    if kind not in _MEDIA:
        return unknown_part(raw)
    mime_type = payload.get_text(raw, "mime_type")
    part_modality = kind
    if kind == "document" and mime_type is not None:
        part_modality = modality(mime_type)
    uri = payload.get_text(raw, "uri")
    if uri is not None:
        return messages.uri(part_modality, uri, mime_type)
    return messages.blob(part_modality, mime_type, payload.get_text(raw, "data") or "")


def _text_of(part: Part) -> str:
    text = part.get("content")
    return text if isinstance(text, str) else ""


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(element) for element in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_none=True)
    return value
