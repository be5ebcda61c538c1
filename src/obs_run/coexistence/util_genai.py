"""One span for a call that a package on OpenTelemetry's util-genai and we both see: the inner one tells the outer.

util-genai keeps the outer call's data in the context, under a key for each kind of call. What is inside of such a call
of ours finds our data there; and where we are inside, we record nothing and put what we learn into theirs.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, is_dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as api_context
from opentelemetry.trace import get_current_span, set_span_in_context

from obs_run.base import guard
from obs_run.context import current_context
from obs_run.core import content, nesting, ownership, semconv
from obs_run.core.operations import Embedding, FetchedResponse, Inference, ModelCall, Retrieval, Usage
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.context import Context
    from opentelemetry.trace import Span
    from typing_extensions import Self

    from obs_run.core.ongoing import OwnRecording
    from obs_run.core.operations import Operation

_SAID_BY_BOTH = ("name", "error_type")
"""What either side says of its own call."""


class _Kind(NamedTuple):
    """A kind of call as util-genai knows it: the key in the context, and the name of the class of what is there."""

    key: str
    data: str


_INFERENCE = _Kind("opentelemetry.genai.client.inference.context", "InferenceData")
_EMBEDDING = _Kind("opentelemetry.genai.client.embedding.context", "EmbeddingData")
_RETRIEVAL = _Kind("opentelemetry.genai.client.retrieval.context", "RetrievalData")
_FETCH = _Kind("opentelemetry.genai.client.fetch_response.context", "FetchResponseData")


class _Names(NamedTuple):
    """Our fields by util-genai's names for them, of those that it has."""

    fields: dict[str, str]
    usage: dict[str, str]
    content: dict[str, str]


_cache: dict[tuple[type[Operation], type], _Names] = {}


def _names(operation: type[Operation], data: type) -> _Names:
    """Return the names by which an operation's fields pass; util-genai makes them of the attributes' by one rule."""
    names = _cache.get((operation, data))
    if names is None:
        names = _cache[operation, data] = _derive_names(operation, data)
    return names


def _derive_names(operation: type[Operation], data: type) -> _Names:
    available = data.__dataclass_fields__  # type: ignore[attr-defined]

    def passing(attributes: dict[str, str]) -> dict[str, str]:
        names = {}
        for field, attribute in attributes.items():
            name = attribute.removeprefix(semconv.GEN_AI_PREFIX).replace(".", "_")
            if name in available and field not in _SAID_BY_BOTH:
                names[field] = name
        return names

    usage = Usage.ATTRIBUTES if issubclass(operation, ModelCall) else {}
    return _Names(passing(operation.ATTRIBUTES), passing(usage), passing(operation.CONTENT))


class NestedInvocation:
    """An operation inside of another package's recorded call: it makes no span, and tells what it learns at its end."""

    __slots__ = ("_data", "_first_chunk", "_started", "is_ended", "operation", "read_unfinished", "span")

    def __init__(self, operation: Operation, data: Any, span: Span) -> None:
        self.operation = operation
        self.is_ended = False
        self.read_unfinished: Callable[[], Callable[[], None] | None] | None = None
        self.span = span
        self._data = data
        self._first_chunk: int | None = None
        self._started = time.perf_counter_ns()

    @property
    def context(self) -> Context:
        """The context that children start under."""
        return ownership.with_nested_owner(self, set_span_in_context(self.span))

    def __enter__(self) -> Self:
        """Be the one that reports what happens inside, as a recording is."""
        current_context.enter(self, partial(ownership.with_nested_owner, self))
        return self

    def __exit__(self, *_: object) -> None:
        """Go on without."""
        current_context.leave(self)

    def chunk(self) -> None:
        """Note that a chunk of a stream has come in."""
        if self._first_chunk is None:
            self._first_chunk = time.perf_counter_ns()

    def end(self, error: BaseException | None = None) -> None:  # noqa: ARG002 (the outer call sees the error itself)
        """Tell the outer call what is known, once."""
        if not self.is_ended:
            self.is_ended = True
            self.read_unfinished = None
            guard.call("shared call", self._share)

    def _share(self) -> None:
        data = self._data
        names = _names(type(self.operation), type(data))
        fields = _fields_of(names, self.operation, with_content=data.capture_content)
        if self._first_chunk is not None:
            fields["response_time_to_first_chunk"] = (self._first_chunk - self._started) / 1e9
        merged = type(data)(**fields)
        merged.attributes = _other_attributes(names, self.operation)
        data.merge(merged, overwrite=True)


class _UtilGenai:
    """OpenTelemetry's util-genai, as ``core.nesting`` asks a package of others."""

    def nested(self, operation: Operation, context: Context) -> NestedInvocation | None:
        """Return what tells an outer call of ``operation``; None where no package on util-genai records one."""
        kind = _kind_of(operation)
        data = None if kind is None else context.get(kind.key)
        if kind is None or not hasattr(data, "merge"):
            return None
        span = get_current_span(context)
        # A task that outlives the outer call has its data in the context all the same.
        if getattr(span, "end_time", None) is not None:
            return None
        return NestedInvocation(operation, data, span)

    def with_shared_slot(self, recording: OwnRecording, context: Context) -> Context:
        """Return ``context`` with a place for what a package on util-genai learns inside of a call of ours."""
        kind = _kind_of(recording.operation)
        if kind is None:
            return context
        if recording.shared_data is None:
            make = getattr(sys.modules.get("opentelemetry.util.genai.invocation"), kind.data, None)
            if make is None:
                return context
            recording.shared_data = make(capture_content=content.wanted())
        return api_context.set_value(kind.key, recording.shared_data, context)

    def merge_shared(self, operation: Operation, shared_data: Any) -> None:
        """Fill what ``operation`` does not know itself from what was learned inside of it."""
        names = _names(type(operation), type(shared_data))
        fields = {**names.fields, **(names.content if content.wanted() else {})}
        for field, name in fields.items():
            value = getattr(shared_data, name)
            if getattr(operation, field) is None and value is not None and value != []:
                setattr(operation, field, _plain(value) if field in names.content else value)
        counts = {field: getattr(shared_data, name) for field, name in names.usage.items()}
        if (
            names.usage
            and getattr(operation, "usage", None) is None
            and any(count is not None for count in counts.values())
        ):
            operation.usage = Usage(**counts)  # type: ignore[attr-defined]
        operation.extra = {**shared_data.attributes, **operation.extra}


def install(_: ModuleType) -> None:
    """Share calls with packages on util-genai; called when that is imported."""
    nesting.install(_UtilGenai())


def _kind_of(operation: Operation) -> _Kind | None:
    if isinstance(operation, FetchedResponse):
        return _FETCH
    if isinstance(operation, Inference):
        return _INFERENCE
    if isinstance(operation, Embedding):
        return _EMBEDDING
    return _RETRIEVAL if isinstance(operation, Retrieval) else None


def _fields_of(names: _Names, operation: Operation, *, with_content: bool) -> dict[str, Any]:
    fields = {name: getattr(operation, field) for field, name in names.fields.items()}
    usage = getattr(operation, "usage", None)
    if usage is not None:
        fields.update({name: getattr(usage, field) for field, name in names.usage.items()})
    if with_content and content.wanted():
        fields.update({name: _typed(field, getattr(operation, field)) for field, name in names.content.items()})
    return fields


def _other_attributes(names: _Names, operation: Operation) -> dict[str, Any]:
    """Return the attributes that util-genai has no field for."""
    passed = {attribute for field, attribute in operation.ATTRIBUTES.items() if field in names.fields}
    passed |= {operation.ATTRIBUTES[field] for field in _SAID_BY_BOTH}
    passed |= set(Usage.ATTRIBUTES.values())
    return {name: value for name, value in operation.attributes().items() if name not in passed}


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
