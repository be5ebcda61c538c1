"""What the methods of Mistral's client mean, and how their answers are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.wire.openai import chat, responses
from obs_instrumentors.wire.openai.chat_messages import tool_definition
from obs_instrumentors.wire.openai.common_fields import usage
from obs_instrumentors.wire.openai.embeddings import input_count
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Embedding, ModelCall, Usage
from obs_run.core.outcomes import Reader

from . import contents, conversations

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call


@dataclass
class Chat(speakeasy.Sent, chat.Chat):
    """A chat completion, of a model or of an agent."""

    def sent(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        _take(self, chat.ENDPOINT.begin({**body, "messages": None, "tools": None}))
        self.seed = payload.as_int(body.get("random_seed"))
        self.extra.update(conversations.agent(body))
        if content.wanted():
            self.input_messages = contents.input_messages(body)
            self.tool_definitions = [tool_definition(each) for each in payload.as_list(body.get("tools"))] or None


@dataclass
class Response(speakeasy.Sent, responses.Response):
    """A response of the newer endpoint, which is shaped like OpenAI's."""

    def sent(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        _take(self, responses.ENDPOINT.begin(body))


@dataclass
class Vectors(speakeasy.Sent, Embedding):
    """An embedding."""

    def sent(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        self.input_count = input_count(payload.coalesce(body.get("input"), body.get("inputs")))
        self.dimensions = payload.as_int(body.get("output_dimension"))
        encoding = payload.as_text(body.get("encoding_format"))
        self.encoding_formats = None if encoding is None else [encoding]


@dataclass
class Other(speakeasy.Sent, ModelCall):
    """A call of a model that answers with neither text nor vectors."""

    def sent(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        self.input_count = input_count(payload.coalesce(body.get("input"), body.get("inputs")))


def _take(operation: Operation, fresh: Operation) -> None:
    """Put what is known of ``fresh`` into an operation that goes on already."""
    for name, value in vars(fresh).items():
        if value is not None and name not in ("name", "extra", "request", "retries"):
            setattr(operation, name, value)


def begin(make: Callable[[], ModelCall], reader: Reader, provider: str, call: Call) -> tuple[ModelCall, Reader]:
    """Return the operation that a method means; what it asks for is read as the request is sent."""
    operation = make()
    operation.provider = provider
    operation.request_model = payload.as_text(call.kwargs.get("model"))
    operation.conversation_id = payload.as_text(call.kwargs.get("conversation_id"))
    return operation, reader


def _failure(operation: ModelCall, error: BaseException) -> None:
    """Name the error as Mistral does."""
    body = messages.parsed(payload.get(error, "body"))
    told = payload.coalesce(payload.get(body, "error"), body)
    operation.error_type = payload.get_text(told, "type") or payload.get_text(told, "code") or operation.error_type


def _chat_result(operation: Chat, response: Any) -> None:
    chat.ENDPOINT.result(operation, contents.plain(response, "message"))
    _complete(operation, response)


def _chat_chunk(operation: Chat, event: Any) -> None:
    data = payload.get(event, "data")
    if chat.ENDPOINT.chunk is not None:
        chat.ENDPOINT.chunk(operation, contents.plain(data, "delta"))
    _complete(operation, data)


def _complete(operation: Chat, response: Any) -> None:
    seconds = payload.get_float(response, "usage", "prompt_audio_seconds")
    if seconds is not None:
        operation.extra[semconv.OBS_USAGE_AUDIO_SECONDS] = seconds


def _response_result(operation: Response, response: Any) -> None:
    responses.ENDPOINT.result(operation, response)
    _forget_openai(operation)


def _response_chunk(operation: Response, event: Any) -> None:
    if responses.ENDPOINT.chunk is not None:
        responses.ENDPOINT.chunk(operation, payload.get(event, "data"))
        _forget_openai(operation)


def _forget_openai(operation: Response) -> None:
    """Leave out what has OpenAI's name."""
    for name in (semconv.OPENAI_RESPONSE_SERVICE_TIER, semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT):
        operation.extra.pop(name, None)


def _vectors(operation: Vectors, response: Any) -> None:
    _header(operation, response)
    told = usage(speakeasy.known(payload.get(response, "usage")))
    operation.usage = None if told is None else Usage(input_tokens=told.input_tokens)


def _header(operation: ModelCall, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model")


_CHAT = Reader(_chat_result, failure=_failure)
_CHAT_STREAM = Reader(_chat_result, later=speakeasy.stream, chunk=_chat_chunk, end=chat.ENDPOINT.end, failure=_failure)
_RESPONSE = Reader(
    _response_result,
    later=speakeasy.stream,
    chunk=_response_chunk,
    end=responses.ENDPOINT.end,
    failure=_failure,
)
_CONVERSATION = Reader(conversations.result, failure=_failure)
_CONVERSATION_STREAM = Reader(
    conversations.result,
    later=speakeasy.stream,
    chunk=conversations.event,
    end=conversations.end,
    failure=_failure,
)
_HEADER = Reader(_header, failure=_failure)

METHODS: dict[str, dict[str, tuple[Callable[[], ModelCall], Reader]]] = {
    "chat.Chat": {"complete": (Chat, _CHAT), "stream": (partial(Chat, stream=True), _CHAT_STREAM)},
    "agents.Agents": {"complete": (Chat, _CHAT), "stream": (partial(Chat, stream=True), _CHAT_STREAM)},
    "fim.Fim": {
        "complete": (partial(Chat, "text_completion"), _CHAT),
        "stream": (partial(Chat, "text_completion", stream=True), _CHAT_STREAM),
    },
    "conversations.Conversations": {
        **dict.fromkeys(("start", "append", "restart"), (conversations.Conversation, _CONVERSATION)),
        **{
            f"{name}_stream": (partial(conversations.Conversation, stream=True), _CONVERSATION_STREAM)
            for name in ("start", "append", "restart")
        },
    },
    "responses.Responses": {"create": (Response, _RESPONSE)},
    "embeddings.Embeddings": {"create": (partial(Vectors, "embeddings"), Reader(_vectors, failure=_failure))},
    "classifiers.Classifiers": {
        "moderate": (partial(Other, "moderation"), _HEADER),
        "moderate_chat": (partial(Other, "moderation"), _HEADER),
    },
    "ocr.Ocr": {"process": (partial(Other, "ocr"), _HEADER)},
}
