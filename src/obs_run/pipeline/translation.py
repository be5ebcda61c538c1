"""Spans that others made in words of their own, said in the conventions' words; ours are never looked at.

A vocabulary is known by the first word of its names, so that a span which speaks none of them costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import content, semconv
from obs_run.pipeline.items import SpanItem
from obs_run.pipeline.told_calls import ToldCalls

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from obs_run.core.sink import OperationRecord

_WORDS = frozenset({"ai", "gen_ai", "langsmith", "llm", "logfire", "openinference", "pydantic_ai", "traceloop"})
_MODEL_CALLS = frozenset({"Inference", "Embedding", "Rerank"})


class Translation:
    """Translates the spans of others; used by the export thread alone."""

    def __init__(self) -> None:
        self._told = ToldCalls()

    def note_own(self, span: ReadableSpan, operation: OperationRecord) -> None:
        """Take note of a span of ours, whose call may be told by somebody else, too."""
        if operation.kind in _MODEL_CALLS:
            self._told.note(span, operation.attributes.get(semconv.RESPONSE_ID))

    def of(self, item: SpanItem) -> SpanItem | None:
        """Return a span of somebody else in the conventions' words, and the operation that it tells of.

        None where it says nothing of models, agents or tools.
        """
        span = item.span
        # The SDK's mapping answers a copy at once, and each key only slowly.
        attributes: Any = span.attributes or {}
        given = attributes.copy() if hasattr(attributes, "copy") else dict(attributes)
        words = _WORDS.intersection([name.partition(".")[0] for name in given])
        if not words:
            return None
        from obs_run.pipeline.translated_span import TranslatedSpan

        translated = TranslatedSpan(span, given, words, wants_content=content.on_spans())
        if not translated.is_known:
            return None
        if translated.is_model_call:
            if item.is_told or self._told.tells(span, translated.answer_id):
                translated.leave_usage()
            elif translated.has_usage:
                # Whoever is around it may tell of the same call. An answer's id says less where no span is ours.
                self._told.note(span, None)
        return SpanItem(translated.span(), translated.record(item.runs))
