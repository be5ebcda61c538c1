"""One span of somebody else, said in the conventions' words: its attributes, its name and kind, and what it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.trace import SpanKind, StatusCode

from obs_run import settings
from obs_run.base import guard
from obs_run.core import semconv
from obs_run.core.sink import OperationRecord, Timing
from obs_run.pipeline.items import weight
from obs_run.pipeline.rebuilt_span import rebuild_span
from obs_run.pipeline.vocabularies import (
    langsmith,
    logfire,
    older_genai,
    openinference,
    openllmetry,
    reading,
    vercel_ai,
)
from obs_run.pipeline.vocabularies.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.sdk.trace import ReadableSpan


class _Rule(NamedTuple):
    """What the conventions fix of the spans of an operation, and how its record is called."""

    subject: str | None
    kind: SpanKind
    record: str = "GenAiOperation"


_MODEL_CALL = _Rule(semconv.REQUEST_MODEL, SpanKind.CLIENT, "Inference")
_RULES = {
    "chat": _MODEL_CALL,
    "generate_content": _MODEL_CALL,
    "text_completion": _MODEL_CALL,
    "embeddings": _MODEL_CALL._replace(record="Embedding"),
    "rerank": _MODEL_CALL._replace(record="Rerank"),
    "retrieval": _Rule(semconv.DATA_SOURCE_ID, SpanKind.CLIENT),
    "execute_tool": _Rule(semconv.TOOL_NAME, SpanKind.INTERNAL),
    "invoke_agent": _Rule(semconv.AGENT_NAME, SpanKind.INTERNAL),
    "invoke_workflow": _Rule(semconv.WORKFLOW_NAME, SpanKind.INTERNAL),
}
_MODEL_CALLS = frozenset({"Inference", "Embedding", "Rerank"})
_TOTALS = {
    semconv.USAGE_INPUT_TOKENS: semconv.OBS_USAGE_INPUT_TOKENS,
    semconv.USAGE_OUTPUT_TOKENS: semconv.OBS_USAGE_OUTPUT_TOKENS,
}
_COUNTS = frozenset(value for name, value in vars(semconv).items() if name.startswith("USAGE_"))
"""Everything that counts tokens."""
_CACHED = (semconv.USAGE_CACHE_READ_TOKENS, semconv.USAGE_CACHE_WRITE_TOKENS)
_TEXTS = (semconv.PROVIDER_NAME, semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL, semconv.SERVER_ADDRESS)
_NO_TIMING = Timing(0.0)

_VOCABULARIES: dict[str, Callable[[Draft], None]] = {
    "langsmith": langsmith.translate,
    "openinference": openinference.translate,
    "logfire": logfire.translate,
    "pydantic_ai": logfire.translate,
    "traceloop": openllmetry.translate,
    "ai": vercel_ai.translate,
    "llm": openllmetry.translate,
    "gen_ai": openllmetry.translate,
}
"""What reads each vocabulary, by the first word of its names; the older names of the conventions come after all."""


class TranslatedSpan:
    """What a span says, in the conventions' words; ``words`` are those that its attributes' names begin with."""

    def __init__(
        self, span: ReadableSpan, given: Mapping[str, Any], words: Iterable[str], *, wants_content: bool
    ) -> None:
        self._span = span
        self._draft = draft = Draft(span.name, given, wants_content=wants_content)
        readers = [read for word, read in _VOCABULARIES.items() if word in words]
        for read in (older_genai.correct, *dict.fromkeys(readers), older_genai.translate):
            guard.call("translation", read, draft)
        self._is_foreign = bool(draft.said or draft.told)
        self._rule = _RULES.get(_operation(draft))
        if self._is_foreign and self._rule is not None:
            _complete(draft, span)

    @property
    def is_known(self) -> bool:
        """Whether it says anything of models, agents or tools."""
        return self._rule is not None or self._is_foreign

    @property
    def is_model_call(self) -> bool:
        """Whether its tokens are those of one call of a model."""
        return self._rule is not None and self._rule.record in _MODEL_CALLS

    @property
    def has_usage(self) -> bool:
        """Whether it tells of tokens."""
        return any(self._draft.get(name) is not None for name in _TOTALS)

    @property
    def answer_id(self) -> Any:
        """The id of the model's answer."""
        return self._draft.get(semconv.RESPONSE_ID)

    def leave_usage(self) -> None:
        """Have the usage not be counted, because another span tells of the call; the totals stay to be read."""
        draft = self._draft
        for name, instead in _TOTALS.items():
            draft.put(instead, reading.count(draft.get(name)))
        for name in _COUNTS.intersection([*draft.given, *draft.said]):
            draft.replace(name, None)

    def span(self) -> ReadableSpan:
        """Return the span as it leaves."""
        draft, rule = self._draft, self._rule
        if not (draft.said or draft.told):
            return self._span
        attributes = draft.attributes(keeps=settings.get("OBS_KEEP_FOREIGN_ATTRIBUTES"))
        if rule is None or not self._is_foreign or semconv.MCP_METHOD_NAME in draft.given:
            return rebuild_span(self._span, attributes=attributes)
        return rebuild_span(
            self._span, attributes=attributes, name=_name(draft, rule), kind=_kind(self._span.kind, rule)
        )

    def record(self, runs: tuple[tuple[int, str | None], ...]) -> OperationRecord:
        """Return what it is of, as far as content and price need it; only values that are of their kind."""
        draft = self._draft
        attributes: dict[str, Any] = {}
        for name in {*draft.given, *draft.said}:
            read = reading.count if name in _COUNTS else reading.text if name in _TEXTS else None
            value = None if read is None else read(draft.get(name))
            if value is not None:
                attributes[name] = value
        if self._rule is not None:
            attributes[semconv.OPERATION_NAME] = _operation(draft)
        kind = "Operation" if self._rule is None else self._rule.record
        size = weight(draft.content) if draft.content else 0
        if not (self.is_model_call and self.has_usage):
            runs = ()
        return OperationRecord(kind, attributes, draft.content, _NO_TIMING, {}, content_size=size, runs=runs)


def _operation(draft: Draft) -> str:
    operation = draft.get(semconv.OPERATION_NAME)
    return operation if isinstance(operation, str) else ""


def _name(draft: Draft, rule: _Rule) -> str:
    """Return the name that the convention fixes; one that says of whom nothing else is known stays."""
    operation = _operation(draft)
    subject = None if rule.subject is None else reading.text(draft.get(rule.subject))
    if subject is None and draft.span_name.startswith(f"{operation} "):
        return draft.span_name
    return f"{operation} {subject}" if subject else operation


def _kind(kind: SpanKind, rule: _Rule) -> SpanKind:
    """Return the kind that the convention fixes; who speaks for a server knows better, as does who calls an agent's."""
    if rule.subject == semconv.AGENT_NAME or kind not in (SpanKind.INTERNAL, SpanKind.CLIENT):
        return kind
    return rule.kind


def _complete(draft: Draft, span: ReadableSpan) -> None:
    """Say what the conventions want of each operation, and have the parts of usage be parts of the whole."""
    whole = reading.count(draft.get(semconv.USAGE_INPUT_TOKENS))
    cached = sum(reading.count(draft.get(name)) or 0 for name in _CACHED)
    if whole is not None and cached > whole:
        # Anthropic counts what was cached beside the rest.
        draft.replace(semconv.USAGE_INPUT_TOKENS, whole + cached)
    if span.status.status_code is StatusCode.ERROR:
        draft.put(semconv.ERROR_TYPE, _error_type(span))


def _error_type(span: ReadableSpan) -> str:
    for event in span.events:
        told = (event.attributes or {}).get(semconv.EXCEPTION_TYPE)
        if isinstance(told, str) and told:
            return told
    return "_OTHER"
