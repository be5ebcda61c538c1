"""The second version of the API."""

from __future__ import annotations

from obs_instrumentors.wire import cohere_chat
from obs_instrumentors.wire.openai import chat
from obs_run.core.outcomes import Reader

from .endpoint import EMBED, RERANK, Method

_CHAT = Reader(cohere_chat.read_response)
_CHAT_STREAM = Reader(cohere_chat.read_response, chunk=cohere_chat.read_event, end=chat.finish, lazy=True)

METHODS = {
    "chat": Method(cohere_chat.parse_request, _CHAT),
    "chat_stream": Method(cohere_chat.parse_request, _CHAT_STREAM),
    "embed": EMBED,
    "rerank": RERANK,
}
