"""Which model calls a span has told of, so that no other span of the same call counts its tokens again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_MOST = 1000


class ToldCalls:
    """The calls of late, by the spans around them and by the ids of their answers; used by the export thread alone.

    A span around a call ends after it; who tells of it elsewhere, from a queue of his own, does so later as well.
    """

    def __init__(self) -> None:
        self._around: dict[int, None] = {}
        self._answers: dict[str, None] = {}

    def note(self, span: ReadableSpan, answer: Any) -> None:
        """Take note that a span tells of a model call with its usage, and of the id of its ``answer``."""
        if span.parent is not None:
            _keep(self._around, span.parent.span_id)
        if isinstance(answer, str) and answer:
            _keep(self._answers, answer)

    def tells(self, span: ReadableSpan, answer: Any) -> bool:
        """Whether another span has told of the call that this one tells of."""
        is_around = span.context is not None and span.context.span_id in self._around
        return is_around or (isinstance(answer, str) and answer in self._answers)


def _keep(kept: dict[Any, None], one: Any) -> None:
    kept[one] = None
    if len(kept) > _MOST:
        del kept[next(iter(kept))]
