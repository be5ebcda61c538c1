"""One span for a call that a package on OpenTelemetry's util-genai and we both see: the inner one tells the outer.

util-genai keeps the outer call's data in the context, under a key for each kind of call. What is inside of such a call
of ours finds our data there; and where we are inside, we record nothing and put what we learn into theirs.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as api_context
from opentelemetry.trace import get_current_span

from obs_run.base import guard
from obs_run.core import content
from obs_run.core.operations import Embedding, Inference, Retrieval, Usage

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from typing_extensions import Self

    from obs_run.core.operations import Operation
    from obs_run.core.recorder import Recording

_WHERE = {"provider": "provider_name", "server_address": "server_address", "server_port": "server_port"}
_MODEL = {**_WHERE, "request_model": "request_model", "response_model": "response_model"}


class _Kind(NamedTuple):
    """A kind of call as util-genai knows it; our fields by its names for them."""

    key: str
    data: str
    fields: dict[str, str]
    usage: dict[str, str]
    content: dict[str, str]


_INFERENCE = _Kind(
    "opentelemetry.genai.client.inference.context",
    "InferenceData",
    {
        **_MODEL,
        "conversation_id": "conversation_id",
        "stream": "request_stream",
        "output_type": "output_type",
        "choice_count": "request_choice_count",
        "seed": "request_seed",
        "temperature": "request_temperature",
        "top_p": "request_top_p",
        "top_k": "request_top_k",
        "frequency_penalty": "request_frequency_penalty",
        "presence_penalty": "request_presence_penalty",
        "max_tokens": "request_max_tokens",
        "stop_sequences": "request_stop_sequences",
        "reasoning_level": "request_reasoning_level",
        "previous_response_id": "request_previous_response_id",
        "response_id": "response_id",
        "finish_reasons": "response_finish_reasons",
    },
    {
        "input_tokens": "usage_input_tokens",
        "output_tokens": "usage_output_tokens",
        "cache_read_tokens": "usage_cache_read_input_tokens",
        "cache_write_tokens": "usage_cache_write_input_tokens",
        "reasoning_tokens": "usage_reasoning_output_tokens",
        "text_input_tokens": "usage_text_input_tokens",
        "image_input_tokens": "usage_image_input_tokens",
        "audio_input_tokens": "usage_audio_input_tokens",
        "text_output_tokens": "usage_text_output_tokens",
        "image_output_tokens": "usage_image_output_tokens",
        "audio_output_tokens": "usage_audio_output_tokens",
        "audio_cache_read_tokens": "usage_audio_cache_read_input_tokens",
    },
    {
        "system_instructions": "system_instructions",
        "input_messages": "input_messages",
        "output_messages": "output_messages",
        "tool_definitions": "tool_definitions",
    },
)
_EMBEDDING = _Kind(
    "opentelemetry.genai.client.embedding.context",
    "EmbeddingData",
    {**_MODEL, "dimensions": "embeddings_dimension_count", "encoding_formats": "request_encoding_formats"},
    {"input_tokens": "usage_input_tokens"},
    {},
)
_RETRIEVAL = _Kind(
    "opentelemetry.genai.client.retrieval.context",
    "RetrievalData",
    {**_WHERE, "data_source": "data_source_id", "request_model": "request_model", "top_k": "retrieval_top_k"},
    {},
    {"query_text": "retrieval_query_text", "documents": "retrieval_documents"},
)
_FETCH = _Kind(
    "opentelemetry.genai.client.fetch_response.context",
    "FetchResponseData",
    {
        **_WHERE,
        "stream": "request_stream",
        "response_id": "response_id",
        "response_model": "response_model",
        "response_status": "response_status",
        "finish_reasons": "response_finish_reasons",
    },
    {},
    {"output_messages": "output_messages"},
)


class Guest:
    """An operation inside of another package's recorded call: it makes no span, and tells what it learns at its end."""

    __slots__ = ("_begun", "_data", "_first_chunk", "_kind", "_token", "done", "learned", "operation", "span")

    def __init__(self, operation: Operation, kind: _Kind, data: Any) -> None:
        self.operation = operation
        self.done = False
        self.learned: Any = None
        self.span = get_current_span()
        self._kind = kind
        self._data = data
        self._token: Any = None
        self._first_chunk: int | None = None
        self._begun = time.perf_counter_ns()

    def __enter__(self) -> Self:
        """Be the one that reports what happens inside, as a recording is."""
        self._token = guard.call("context", self._attach)
        return self

    def __exit__(self, *_: object) -> None:
        """Go on without."""
        if self._token is not None:
            guard.call("context", api_context.detach, self._token)

    def chunk(self) -> None:
        """Note that a chunk of a stream has come in."""
        if self._first_chunk is None:
            self._first_chunk = time.perf_counter_ns()

    def finish(self, error: BaseException | None = None) -> None:  # noqa: ARG002 (the outer call sees the error itself)
        """Tell the outer call what is known, once."""
        if not self.done:
            self.done = True
            guard.call("shared call", self._tell)

    def _attach(self) -> Any:
        from obs_run.core import ownership

        return api_context.attach(ownership.claimed(self, api_context.get_current()))

    def _tell(self) -> None:
        kind, data = self._kind, self._data
        told = _told(kind, self.operation, with_content=data.capture_content)
        if self._first_chunk is not None:
            told["response_time_to_first_chunk"] = (self._first_chunk - self._begun) / 1e9
        known = type(data).__dataclass_fields__
        made = type(data)(**{name: value for name, value in told.items() if name in known})
        made.attributes = _other_attributes(kind, self.operation)
        data.merge(made, overwrite=True)


def guest(operation: Operation) -> Guest | None:
    """Return what tells an outer call of ``operation``; None where no package on util-genai records one."""
    if "opentelemetry.util.genai" not in sys.modules:
        return None
    kind = _kind_of(operation)
    context = api_context.get_current()
    data = None if kind is None else context.get(kind.key)
    # A task that outlives the outer call has its data in the context all the same.
    if kind is None or not hasattr(data, "merge") or getattr(get_current_span(context), "end_time", None) is not None:
        return None
    return Guest(operation, kind, data)


def offered(recording: Recording | Guest, context: Context) -> Context:
    """Return ``context`` with a place for what a package on util-genai learns inside of a call of ours."""
    invocation = sys.modules.get("opentelemetry.util.genai.invocation")
    kind = None if invocation is None else _kind_of(recording.operation)
    if kind is None or isinstance(recording, Guest):
        return context
    if recording.learned is None:
        made = getattr(invocation, kind.data, None)
        if made is None:
            return context
        recording.learned = made(capture_content=content.wanted())
    return api_context.set_value(kind.key, recording.learned, context)


def learn(operation: Operation, data: Any) -> None:
    """Fill what ``operation`` does not know itself from what was learned inside of it."""
    kind = _kind_of(operation)
    if kind is None:
        return
    known = operation.__dict__
    names = {**kind.fields, **(kind.content if content.wanted() else {})}
    for field, name in names.items():
        value = getattr(data, name, None)
        if known[field] is None and value is not None and value != []:
            setattr(operation, field, _plain(value) if field in kind.content else value)
    counts = {field: getattr(data, name, None) for field, name in kind.usage.items()}
    if kind.usage and known["usage"] is None and any(count is not None for count in counts.values()):
        operation.usage = Usage(**counts)  # type: ignore[attr-defined]
    operation.extra = {**data.attributes, **operation.extra}


def _kind_of(operation: Operation) -> _Kind | None:
    if isinstance(operation, Inference):
        return _FETCH if operation.name == "fetch_response" else _INFERENCE
    if isinstance(operation, Embedding):
        return _EMBEDDING
    return _RETRIEVAL if isinstance(operation, Retrieval) else None


def _told(kind: _Kind, operation: Operation, *, with_content: bool) -> dict[str, Any]:
    values = operation.__dict__
    told = {name: values[field] for field, name in kind.fields.items()}
    usage = values.get("usage")
    if usage is not None:
        told.update({name: getattr(usage, field) for field, name in kind.usage.items()})
    if with_content and content.wanted():
        told.update({name: _typed(field, values[field]) for field, name in kind.content.items()})
    return told


def _other_attributes(kind: _Kind, operation: Operation) -> dict[str, Any]:
    """Return the attributes that util-genai has no field for."""
    named = {attribute for field, attribute in operation.ATTRIBUTES.items() if field in kind.fields}
    named |= {operation.ATTRIBUTES["name"], operation.ATTRIBUTES["error_type"], *Usage.ATTRIBUTES.values()}
    return {name: value for name, value in operation.attributes().items() if name not in named}


def _typed(field: str, value: Any) -> Any:
    """Return our plain messages as util-genai's types, whose parts may stay plain: they are written as JSON."""
    if value is None or field in ("query_text", "documents"):
        return value
    # They are cut here, and half a secret would not be recognised when the span leaves.
    from obs_run.pipeline import redact

    types: Any = sys.modules["opentelemetry.util.genai.types"]
    if field == "input_messages":
        return [types.InputMessage(**each) for each in redact.limited(field, value)]
    if field == "output_messages":
        return [types.OutputMessage(**each) for each in redact.limited(field, value)]
    if field == "tool_definitions":
        rest = {"description": None, "parameters": None}
        return [types.FunctionToolDefinition(**{**rest, **each}) for each in redact.limited(field, value)]
    return [types.TextPart(content=guard.shown(each.get("content"))) for each in redact.limited(field, value)]


def _plain(value: Any) -> Any:
    """Return util-genai's messages and parts as our plain ones, without what they leave unsaid."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None or key in ("id", "mime_type")}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode()
    return getattr(value, "value", value)
