"""Messages as providers and frameworks write them, in the shape of the conventions' schemas.

OpenAI's, Anthropic's, LangChain's and the AI SDK's differ in a few keys only, so that one reader understands them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base.json_text import to_json
from obs_run.core import messages
from obs_run.pipeline.vocabularies.reading import finish_reason, structure

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.messages import Message, Part, ToolDefinition

_ROLES = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "function": "tool",
    "HumanMessage": "user",
    "AIMessage": "assistant",
    "AIMessageChunk": "assistant",
    "SystemMessage": "system",
    "ToolMessage": "tool",
    "FunctionMessage": "tool",
}
_CALL_IDS = ("tool_call_id", "tool_use_id", "toolCallId", "call_id", "id")


def chat_messages(value: Any, role: str = "user") -> list[Message] | None:
    """Return the messages of a list, a message alone, or a text; None where one of them cannot be read."""
    if isinstance(value, str):
        return [messages.message(role, messages.text(value))] if value else None
    listed = value if isinstance(value, (list, tuple)) else [value]
    if listed and isinstance(listed[0], (list, tuple)):
        # LangChain may ask several conversations at once; mostly there is one.
        listed = [
            message for conversation in listed if isinstance(conversation, (list, tuple)) for message in conversation
        ]
    read = [chat_message(one, role) for one in listed]
    return None if not read or None in read else [message for message in read if message is not None]


def chat_message(value: Any, role: str = "user") -> Message | None:
    """Return one message; None where it cannot be read."""
    if isinstance(value, str):
        return messages.message(role, messages.text(value))
    fields = _fields(value)
    if fields is None:
        return None
    speaker = _role(fields, role)
    said = fields.get("parts") if isinstance(fields.get("parts"), list) else fields.get("content")
    if speaker == "tool" and not isinstance(fields.get("parts"), list) and not _has_results(said):
        parts = [messages.tool_call_response(_first_text(fields, _CALL_IDS), said)]
    else:
        parts = [*_reasoning(fields), *content_parts(said), *_calls(fields, said)]
    name = fields.get("name")
    reason = finish_reason(fields.get("finish_reason"))
    return messages.message(
        speaker, *parts, name=name if isinstance(name, str) and speaker != "tool" else None, finish_reason=reason
    )


def _fields(value: Any) -> dict[str, Any] | None:
    """Return the fields of a message, of one that LangChain serialised as well."""
    if not isinstance(value, dict):
        return None
    inner = value.get("kwargs") if value.get("lc") == 1 else value.get("data")
    if not isinstance(inner, dict):
        is_message = any(key in value for key in ("content", "parts", "tool_calls", "role"))
        return value if is_message else None
    kind = value.get("id") if value.get("lc") == 1 else value.get("type")
    told = kind[-1] if isinstance(kind, list) and kind else kind
    return {**inner, "type": told}


def _role(fields: dict[str, Any], default: str) -> str:
    told = fields.get("role", fields.get("type"))
    return _ROLES.get(told, told) if isinstance(told, str) and told else default


def _has_results(said: Any) -> bool:
    """Whether the content itself names the results of tools, which is so at Anthropic and in the AI SDK."""
    kinds = ("tool-result", "tool_result", "tool_call_response")
    return isinstance(said, list) and any(isinstance(part, dict) and part.get("type") in kinds for part in said)


def _reasoning(fields: dict[str, Any]) -> list[Part]:
    said = fields.get("reasoning_content")
    return [messages.reasoning(said)] if isinstance(said, str) and said else []


def _calls(fields: dict[str, Any], said: Any) -> list[Part]:
    calls = fields.get("tool_calls")
    if not isinstance(calls, (list, tuple)):
        call = fields.get("function_call")
        calls = [call] if isinstance(call, dict) else []
    # Anthropic's content names them, and LangChain does so again.
    named = {part["id"] for part in content_parts(said) if part.get("type") == "tool_call"}
    return [part for call in calls if (part := call_part(call)) is not None and part["id"] not in named]


def call_part(call: Any) -> Part | None:
    """Return a model's wish to have a tool called."""
    if not isinstance(call, dict):
        return None
    function = call["function"] if isinstance(call.get("function"), dict) else call
    name = _first_text(function, ("name", "toolName"))
    if name is None:
        return None
    arguments = next((function[key] for key in ("arguments", "input", "args") if key in function), None)
    return messages.tool_call(_first_text(call, ("id", "toolCallId")), name, structure(arguments))


def content_parts(said: Any) -> list[Part]:
    """Return the parts of a message's content: a text, or a list of texts and parts."""
    if said is None or said == "":
        return []
    if isinstance(said, str):
        return [messages.text(said)]
    if isinstance(said, dict):
        said = [said]
    if not isinstance(said, (list, tuple)):
        return [messages.text(to_json(said))]
    return [_part(part) for part in said]


def _part(part: Any) -> Part:
    if isinstance(part, str):
        return messages.text(part)
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or not kind:
        return messages.text(to_json(part))
    read = _PARTS.get(kind)
    known = None if read is None else read(part)
    return dict(part) if known is None else known


def _text_part(part: dict[str, Any]) -> Part | None:
    said = _first_text(part, ("text", "content"))
    return messages.text(said or "")


def _reasoning_part(part: dict[str, Any]) -> Part | None:
    said = _first_text(part, ("content", "text", "thinking"))
    return None if said is None else messages.reasoning(said)


def _result_part(part: dict[str, Any]) -> Part:
    response = next((part[key] for key in ("response", "output", "result", "content") if key in part), None)
    if isinstance(response, dict) and set(response) == {"type", "value"}:
        response = response["value"]
    return messages.tool_call_response(_first_text(part, ("id", *_CALL_IDS)), response)


def _image_part(part: dict[str, Any]) -> Part | None:
    pointed = part.get("image_url", part.get("image"))
    url = pointed.get("url") if isinstance(pointed, dict) else pointed
    return media("image", url) if isinstance(url, str) else None


def media(modality: str, url: str) -> Part:
    """Return a part that points at an image, sound or document, or has it inside."""
    head, comma, payload = url.partition(",")
    if head.startswith("data:") and comma:
        return messages.blob(modality, head[5:].partition(";")[0] or None, payload)
    return messages.uri(modality, url)


_PARTS: dict[str, Callable[[dict[str, Any]], Part | None]] = {
    "text": _text_part,
    "input_text": _text_part,
    "output_text": _text_part,
    "reasoning": _reasoning_part,
    "thinking": _reasoning_part,
    "tool_call": call_part,
    "tool_use": call_part,
    "tool-call": call_part,
    "tool_call_response": _result_part,
    "tool_result": _result_part,
    "tool-result": _result_part,
    "image_url": _image_part,
    "input_image": _image_part,
    "image": _image_part,
}
"""What parts are called to what reads them; one that is called otherwise stays as it came."""


def tool_definitions(value: Any) -> list[ToolDefinition] | None:
    """Return the definitions of tools; None where one of them has no name."""
    read = [_definition(one) for one in value] if isinstance(value, (list, tuple)) else []
    return None if not read or None in read else [definition for definition in read if definition is not None]


def _definition(value: Any) -> ToolDefinition | None:
    if not isinstance(value, dict):
        return None
    function = value["function"] if isinstance(value.get("function"), dict) else value
    name = _first_text(function, ("name", "id"))
    if name is None:
        return None
    schemas = ("parameters", "inputSchema", "input_schema", "parameters_json_schema")
    parameters = next((function[key] for key in schemas if key in function), None)
    kind = value.get("type")
    return messages.tool_definition(
        name,
        _first_text(function, ("description",)),
        structure(parameters),
        kind if isinstance(kind, str) and kind else "function",
    )


def documents(value: Any) -> list[dict[str, Any]] | None:
    """Return what a retriever found: id, score and text of each; None where it cannot be read."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, dict) for one in value):
        return None
    return [_document(one, at) for at, one in enumerate(value)] or None


def _document(fields: dict[str, Any], at: int) -> dict[str, Any]:
    inner = fields.get("kwargs") if fields.get("lc") == 1 else None
    fields = inner if isinstance(inner, dict) else fields
    metadata = fields["metadata"] if isinstance(fields.get("metadata"), dict) else {}
    document: dict[str, Any] = {"id": _first_text(fields, ("id",)) or _first_text(metadata, ("id",)) or str(at)}
    for place in (fields, metadata):
        score = place.get("score")
        if isinstance(score, (int, float)) and not isinstance(score, bool):
            document.setdefault("score", score)
    content = _first_text(fields, ("page_content", "content", "text"))
    if content is not None:
        document["content"] = content
    if metadata:
        document["metadata"] = metadata
    return document


def _first_text(fields: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((fields[key] for key in keys if isinstance(fields.get(key), str) and fields[key]), None)
