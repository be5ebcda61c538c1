"""Where the spans of ``obs_run.tracing`` are kept for the program itself, beside being exported."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from obs_run.base.noop_awaitable import NOOP_AWAITABLE
from obs_run.process import fork
from obs_run.tracing.span import PackedSpan, unpacked

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from obs_run.tracing.span import Span

MOST_SPANS = 10_000
_MOST_BYTES = 32 * 1024 * 1024


class SpanRecorder(ABC):
    """Takes each span that has ended; an own ``record_span`` may be a coroutine function."""

    outlives_process = True
    """Whether spans that are open when the process ends are to be recorded, too."""

    @abstractmethod
    def record_span(self, span: Span) -> Awaitable[Any] | None:
        """Take one span; what is returned may be awaited, or not."""


class InMemorySpanRecorder(SpanRecorder):
    """Keeps the newest ``max_spans`` spans, and less where they carry megabytes."""

    outlives_process = False

    def __init__(self, max_spans: int = MOST_SPANS) -> None:
        self.max_spans = max_spans
        # As plain tuples: ten thousand objects more make each run of the garbage collector dearer.
        self._packed: deque[tuple[Any, ...]] = deque(maxlen=max(0, max_spans))
        self._weight = 0
        # A signal handler of the agent may end a span amid the end of another.
        self._lock = threading.RLock()
        _in_memory.add(self)

    def record_span(self, span: Span) -> Awaitable[Any]:
        """Keep one span."""
        if span.weight or self._weight:
            with self._lock:
                self._weigh(span.weight)
        self._packed.append(span.packed())
        return NOOP_AWAITABLE

    def _weigh(self, weight: int) -> None:
        packed = self._packed
        if len(packed) == packed.maxlen and packed:
            self._weight -= _weight_of(packed[0])
        self._weight += weight
        while packed and self._weight > _MOST_BYTES:
            self._weight -= _weight_of(packed.popleft())

    def get_spans(self, trace_id: str | None = None) -> list[Span]:
        """Return the spans, or those of one trace, in the order of their ends."""
        spans = [unpacked(packed) for packed in self._copied()]
        return spans if trace_id is None else [span for span in spans if span.context.trace_id == trace_id]

    def _copied(self) -> list[tuple[Any, ...]]:
        while True:
            try:
                return list(self._packed)
            except RuntimeError:  # noqa: PERF203 (a span ended in another thread meanwhile)
                continue

    def clear(self) -> None:
        """Forget all spans."""
        with self._lock:
            self._packed.clear()
            self._weight = 0

    def after_fork(self) -> None:
        """In a child process: what is kept is the parent's."""
        self._lock = threading.RLock()
        self.clear()


def _weight_of(values: tuple[Any, ...]) -> int:
    return PackedSpan._make(values).weight


_in_memory: WeakSet[InMemorySpanRecorder] = WeakSet()


def _after_fork_in_child() -> None:
    for recorder in tuple(_in_memory):
        recorder.after_fork()


fork.register(fork.USER_API, "spans in memory", in_child=_after_fork_in_child)
