"""What the methods of Mistral's client mean, and how their answers are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.clients.stream_objects import stream_or_none
from obs_instrumentors.wire import billing
from obs_instrumentors.wire.openai import chat, common_fields, response_tools, responses
from obs_instrumentors.wire.openai.chat_messages import tool_definition
from obs_instrumentors.wire.openai.chat_tools import read_tools
from obs_instrumentors.wire.openai.embeddings import input_count
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import content, semconv
from obs_run.core.operations import Embedding, ModelCall, Usage
from obs_run.core.outcomes import Reader

from . import contents, conversations
from .conversations import Conversation

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call


@dataclass
class Chat(speakeasy.SentOperation, chat.Chat):
    """A chat completion, of a model or of an agent."""

    def read_tools(self, arguments: dict[str, Any]) -> None:
        """Have what the call says of tools read where somebody waits for it."""
        read_tools(self, {**arguments, "messages": None})
        self.tool_results = contents.tool_results(arguments.get("messages"))

    def read_request(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        # Messages and tools have chunks that OpenAI's have not.
        _copy_fields(chat.parse_request({**body, "messages": None, "tools": None}), self)
        self.seed = payload.as_int(body.get("random_seed"))
        self.extra.update(conversations.agent_attributes(body))
        if content.wanted():
            self.input_messages = contents.input_messages(body)
            self.tool_definitions = [tool_definition(tool) for tool in payload.as_list(body.get("tools"))] or None


@dataclass
class Response(speakeasy.SentOperation, responses.Response):
    """A response of the newer endpoint, which is shaped like OpenAI's."""

    def read_tools(self, arguments: dict[str, Any]) -> None:
        """Have what the call says of tools read where somebody waits for it."""
        response_tools.read_tools(self, arguments)

    def read_request(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        _copy_fields(responses.parse_request(body), self)


@dataclass
class EmbeddingCall(speakeasy.SentOperation, Embedding):
    """An embedding."""

    def read_request(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        self.input_count = input_count(payload.coalesce(body.get("input"), body.get("inputs")))
        self.dimensions = payload.as_int(body.get("output_dimension"))
        encoding = payload.as_text(body.get("encoding_format"))
        self.encoding_formats = None if encoding is None else [encoding]


@dataclass
class PageCall(speakeasy.SentOperation, ModelCall):
    """The reading of a document, which is paid for by its pages."""

    is_annotated: bool = False

    def read_request(self, body: dict[str, Any]) -> None:
        """Read the request's final body: pages cost more where the model also fills in a form."""
        forms = (body.get("document_annotation_format"), body.get("bbox_annotation_format"))
        self.is_annotated = payload.coalesce(*forms) is not None


@dataclass
class OtherCall(speakeasy.SentOperation, ModelCall):
    """A call of a model that answers with neither text nor vectors."""

    def read_request(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        self.input_count = input_count(payload.coalesce(body.get("input"), body.get("inputs")))


_OWN_FIELDS = ("name", "extra", "request", "retries", "tool_results", "offered_tools", "must_call_tool")
"""What an operation knows before its request is sent."""


def _copy_fields(source: Operation, target: Operation) -> None:
    """Copy what ``source`` knows into an operation that is recorded already."""
    for name, value in vars(source).items():
        if value is not None and name not in _OWN_FIELDS:
            setattr(target, name, value)


def start_operation(
    make: Callable[[], ModelCall], reader: Reader, provider: str, call: Call
) -> tuple[ModelCall, Reader]:
    """Return the operation that a method means; what it asks for is read as the request is sent."""
    operation = make()
    operation.provider = provider
    operation.request_model = payload.as_text(call.kwargs.get("model"))
    operation.conversation_id = payload.as_text(call.kwargs.get("conversation_id"))
    if isinstance(operation, (Chat, Response, Conversation)):
        operation.read_tools(call.kwargs)
    return operation, reader


def _read_failure(operation: ModelCall, error: BaseException) -> None:
    """Read an SDKError, whose body names the error, itself or in an object within."""
    body = from_json(payload.get(error, "body"))
    details = payload.coalesce(payload.get(body, "error"), body)
    operation.error_type = (
        payload.get_text(details, "type") or payload.get_text(details, "code") or operation.error_type
    )


def _read_chat(operation: Chat, response: Any) -> None:
    """Read a ChatCompletionResponse."""
    chat.read_response(operation, contents.openai_response(response, "message"))
    _read_audio_seconds(operation, response)


def _read_chat_event(operation: Chat, event: Any) -> None:
    """Read a CompletionEvent, which has a CompletionChunk as its data."""
    data = payload.get(event, "data")
    chat.read_chunk(operation, contents.openai_response(data, "delta"))
    _read_audio_seconds(operation, data)


def _read_audio_seconds(operation: Chat, response: Any) -> None:
    billing.add_seconds(operation, payload.get_float(response, "usage", "prompt_audio_seconds"))


def _read_response(operation: Response, response: Any) -> None:
    responses.read_response(operation, response)
    _drop_openai_attributes(operation)


def _read_response_event(operation: Response, event: Any) -> None:
    responses.read_event(operation, payload.get(event, "data"))
    _drop_openai_attributes(operation)


def _drop_openai_attributes(operation: Response) -> None:
    """Leave out what has OpenAI's name."""
    for name in (semconv.OPENAI_RESPONSE_SERVICE_TIER, semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT):
        operation.extra.pop(name, None)


def _read_embedding(operation: EmbeddingCall, response: Any) -> None:
    """Read an EmbeddingResponse; its usage has the counts of a chat's, whose output is none here."""
    _read_model(operation, response)
    usage = common_fields.usage(speakeasy.sent_fields(payload.get(response, "usage")))
    operation.usage = None if usage is None else Usage(input_tokens=usage.input_tokens)


def _read_model(operation: ModelCall, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model")


def _read_pages(operation: PageCall, response: Any) -> None:
    """Read an OCRResponse."""
    _read_model(operation, response)
    pages = payload.get_int(response, "usage_info", "pages_processed")
    billing.add_units(operation, "input_document_pages", pages)
    if operation.is_annotated:
        billing.add_units(operation, "input_annotated_document_pages", pages)


def _stream_reader(read_response: Callable[[Any, Any], None], read_event: Any, finish: Any) -> Reader:
    return Reader(
        read_response,
        deferred=stream_or_none,
        chunk=read_event,
        end=finish,
        failure=_read_failure,
    )


_CHAT = Reader(_read_chat, failure=_read_failure)
_CHAT_STREAM = _stream_reader(_read_chat, _read_chat_event, chat.finish)
# Whether the answer is a stream is up to an argument here.
_RESPONSE = _stream_reader(_read_response, _read_response_event, responses.finish)
_CONVERSATION = Reader(conversations.read_response, failure=_read_failure)
_CONVERSATION_STREAM = _stream_reader(conversations.read_response, conversations.read_event, conversations.finish)
_EMBEDDING = Reader(_read_embedding, failure=_read_failure)
_OTHER = Reader(_read_model, failure=_read_failure)

METHODS: dict[str, dict[str, tuple[Callable[[], ModelCall], Reader]]] = {
    "chat.Chat": {"complete": (Chat, _CHAT), "stream": (partial(Chat, stream=True), _CHAT_STREAM)},
    "agents.Agents": {"complete": (Chat, _CHAT), "stream": (partial(Chat, stream=True), _CHAT_STREAM)},
    "fim.Fim": {
        "complete": (partial(Chat, "text_completion"), _CHAT),
        "stream": (partial(Chat, "text_completion", stream=True), _CHAT_STREAM),
    },
    "conversations.Conversations": {
        **dict.fromkeys(("start", "append", "restart"), (Conversation, _CONVERSATION)),
        **dict.fromkeys(
            ("start_stream", "append_stream", "restart_stream"),
            (partial(Conversation, stream=True), _CONVERSATION_STREAM),
        ),
    },
    "responses.Responses": {"create": (Response, _RESPONSE)},
    "embeddings.Embeddings": {"create": (partial(EmbeddingCall, "embeddings"), _EMBEDDING)},
    "classifiers.Classifiers": {
        "moderate": (partial(OtherCall, "moderation"), _OTHER),
        "moderate_chat": (partial(OtherCall, "moderation"), _OTHER),
    },
    "ocr.Ocr": {"process": (partial(PageCall, "ocr"), Reader(_read_pages, failure=_read_failure))},
}
