"""Message parts in the shape of the GenAI conventions' JSON schemas (``gen-ai-input-messages.json`` and siblings).

A message is a plain dict ``{"role": ..., "parts": [...]}``, ready to be written as JSON or as a structured value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Message",
    "Part",
    "ToolDefinition",
    "blob",
    "file",
    "join_answers",
    "message",
    "reasoning",
    "text",
    "tool_call",
    "tool_call_response",
    "tool_definition",
    "uri",
]

Part = dict[str, Any]
Message = dict[str, Any]
ToolDefinition = dict[str, Any]


def message(role: str, *parts: Part, name: str | None = None, finish_reason: str | None = None) -> Message:
    """Return a message of ``role`` with its parts."""
    fields: Message = {"role": role, "parts": list(parts)}
    if name is not None:
        fields["name"] = name
    if finish_reason is not None:
        fields["finish_reason"] = finish_reason
    return fields


def join_answers(told: Iterable[Message]) -> list[Message]:
    """Return messages with those of the model that follow each other as the one answer that they were.

    Formats that have an answer's parts as items of their own are sent back that way.
    """
    joined: list[Message] = []
    for each in told:
        if joined and each["role"] == joined[-1]["role"] == "assistant":
            joined[-1]["parts"] += each["parts"]
        else:
            joined.append(each)
    return joined


def text(content: str) -> Part:
    """Return a part that is text."""
    return {"type": "text", "content": content}


def reasoning(content: str) -> Part:
    """Return a part that holds what the model said of its reasoning."""
    return {"type": "reasoning", "content": content}


def tool_call(call_id: str | None, name: str, arguments: Any) -> Part:
    """Return the model's wish to have a tool called; ``arguments`` as the provider has them: JSON text or an object."""
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def tool_call_response(call_id: str | None, response: Any) -> Part:
    """Return a tool's answer, as the agent gave it to the model."""
    return {"type": "tool_call_response", "id": call_id, "response": response}


def uri(modality: str, address: str, mime_type: str | None = None) -> Part:
    """Return a part that points at an image, sound or document."""
    return {"type": "uri", "modality": modality, "mime_type": mime_type, "uri": address}


def file(modality: str, file_id: str, mime_type: str | None = None) -> Part:
    """Return a part that names a file which the provider already holds."""
    return {"type": "file", "modality": modality, "mime_type": mime_type, "file_id": file_id}


def blob(modality: str, mime_type: str | None, content: str) -> Part:
    """Return a part that carries base64 ``content``; the export replaces it by its size unless asked for."""
    return {"type": "blob", "modality": modality, "mime_type": mime_type, "content": content}


def tool_definition(
    name: str, description: str | None = None, parameters: Any = None, kind: str = "function"
) -> ToolDefinition:
    """Return the definition of a tool that was offered to the model."""
    fields: ToolDefinition = {"type": kind, "name": name}
    if description is not None:
        fields["description"] = description
    if parameters is not None:
        fields["parameters"] = parameters
    return fields
