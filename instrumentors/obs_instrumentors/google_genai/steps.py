"""Steps and contents of the interactions API in the conventions' shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import messages

from .contents import modality

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part

_MEDIA = ("image", "audio", "document", "video")


def input_messages(given: Any) -> list[Message] | None:
    """Return what the agent sent: a text, a content, contents, or steps in order."""
    if isinstance(given, str):
        return [messages.message("user", messages.text(given))]
    items = [given] if isinstance(given, dict) else payload.as_list(given)
    if items and all(_is_content(each) for each in items):
        return [messages.message("user", *(_content(each) for each in items))]
    return [_message(each) for each in items] or None


def _is_content(item: Any) -> bool:
    return payload.get(item, "type") in ("text", *_MEDIA)


def _message(step: Any) -> Message:
    kind = payload.get_text(step, "type") or "user_input"
    if kind == "user_input":
        role = payload.get_text(step, "role") or "user"
        return messages.message("assistant" if role == "model" else role, *_contents(payload.get(step, "content")))
    return messages.message("tool" if kind == "function_result" else "assistant", *parts(step))


def called(step: Any) -> str | None:
    """Return the name of the function that a step wants to have called, None where it is another step."""
    return payload.get_text(step, "name") if payload.get(step, "type") == "function_call" else None


def parts(step: Any) -> list[Part]:
    """Return the parts of a step."""
    kind = payload.get_text(step, "type") or ""
    if kind in ("model_output", "user_input"):
        return _contents(payload.get(step, "content"))
    if kind == "thought":
        return [messages.reasoning(said) for each in _contents(payload.get(step, "summary")) if (said := _said(each))]
    call_id = payload.as_text(payload.coalesce(payload.get(step, "id"), payload.get(step, "call_id")))
    name = payload.get_text(step, "name")
    if kind == "function_call":
        return [messages.tool_call(call_id, name or "", payload.get(step, "arguments"))]
    if kind == "function_result":
        return [messages.tool_call_response(call_id, _plain(payload.get(step, "result")))]
    return [_by_google(step, kind, call_id, name)]


def _by_google(step: Any, kind: str, call_id: str | None, name: str | None) -> Part:
    """Return a step of a tool that Google runs, such as a search."""
    if kind.endswith("_call"):
        tool = kind.removesuffix("_call")
        details = {"type": tool, "arguments": _plain(payload.get(step, "arguments"))}
        return {"type": "server_tool_call", "id": call_id, "name": name or tool, "server_tool_call": details}
    if kind.endswith("_result"):
        details = {"type": kind.removesuffix("_result"), "result": _plain(payload.get(step, "result"))}
        return {"type": "server_tool_call_response", "id": call_id, "server_tool_call_response": details}
    return {"type": kind}


def add(made: list[Part], delta: Any) -> None:
    """Put a piece of a step to the parts that are there."""
    kind = payload.get_text(delta, "type") or ""
    if kind == "arguments_delta":
        piece = payload.get_text(delta, "arguments") or ""
        if made:
            said = made[-1].get("arguments")
            made[-1]["arguments"] = (said if isinstance(said, str) else "") + piece
        return
    if kind == "thought_summary":
        part = messages.reasoning(_said(_content(payload.get(delta, "content"))))
    elif kind in ("text", *_MEDIA):
        part = _content(delta)
    else:
        return
    if made and part["type"] == made[-1]["type"] and part["type"] in ("text", "reasoning"):
        made[-1]["content"] += part["content"]
    else:
        made.append(part)


def whole(part: Part) -> Part:
    """Return a part with the arguments that came in pieces as what they say."""
    return {**part, "arguments": messages.parsed(part["arguments"])} if part["type"] == "tool_call" else part


def _contents(given: Any) -> list[Part]:
    if isinstance(given, str):
        return [messages.text(given)]
    return [_content(each) for each in payload.as_list(given)]


def _content(raw: Any) -> Part:
    kind = payload.get_text(raw, "type") or "text"
    if kind == "text":
        return messages.text(payload.get_text(raw, "text") or "")
    if kind not in _MEDIA:
        return {"type": kind}
    mime_type = payload.get_text(raw, "mime_type")
    held = kind if kind != "document" or mime_type is None else modality(mime_type)
    place = payload.get_text(raw, "uri")
    if place is not None:
        return messages.uri(held, place, mime_type)
    return messages.blob(held, mime_type, payload.get_text(raw, "data") or "")


def _said(part: Part) -> str:
    said = part.get("content")
    return said if isinstance(said, str) else ""


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else messages.parsed(value)
