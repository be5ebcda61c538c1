"""Chat completions in libraries of other makers: the same format without the attributes that are OpenAI's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import chat
from .chat import read_chunk

if TYPE_CHECKING:
    from .chat import Chat

__all__ = ["finish", "parse_request", "read_chunk", "read_response"]


def parse_request(body: dict[str, Any]) -> Chat:
    """Return the operation that a request means."""
    operation = chat.parse_request(body)
    operation.extra = {}
    return operation


def read_response(operation: Chat, response: Any) -> None:
    """Read a ChatCompletion; usage that was known before it, as from an HTTP header, stays if it has none."""
    known_usage = operation.usage
    chat.read_response(operation, response)
    operation.usage = operation.usage or known_usage
    drop_openai_attributes(operation)


def finish(operation: Chat) -> None:
    """Complete the operation from what has streamed, if anything has."""
    if operation.choices:
        chat.finish(operation)
    drop_openai_attributes(operation)


def drop_openai_attributes(operation: Chat) -> None:
    """Leave out what has OpenAI's name."""
    operation.extra = {name: value for name, value in operation.extra.items() if not name.startswith("openai.")}
