"""From operations to telemetry: one recording for each operation, finished exactly once."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from obs_run.base import guard
from obs_run.base.payload import error_name
from obs_run.coexistence import util_genai
from obs_run.core import ownership, semconv
from obs_run.pipeline.items import CallItem, LogItem
from obs_run.pipeline.measurements import Timing
from obs_run.pipeline.queue import queue
from obs_run.sdk import providers, spans

if TYPE_CHECKING:
    from typing_extensions import Self

    from obs_run.coexistence.util_genai import Guest
    from obs_run.core.operations import Operation

__all__ = ["Recording", "start"]

_WARN = 13
_KINDS = {"CLIENT": SpanKind.CLIENT, "INTERNAL": SpanKind.INTERNAL, "SERVER": SpanKind.SERVER}


def ended(operation: Operation, timing: Timing) -> dict[str, Any]:
    """Return the attributes of an operation that is over."""
    attributes = operation.attributes()
    if timing.first_chunk is not None and hasattr(operation, "stream"):
        attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK] = timing.first_chunk
    return attributes


class Recording:
    """An operation that is going on, with its span."""

    __slots__ = (
        "_begun",
        "_chunks",
        "_first_chunk",
        "_last_chunk",
        "_token",
        "_told",
        "done",
        "learned",
        "operation",
        "span",
    )

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.done = False
        self.learned: Any = None
        """What a package on util-genai told of the call, from inside of it."""
        self._first_chunk = self._last_chunk = self._chunks = 0
        self._token: Any = None
        known = providers.set_up()
        tracer = known.tracer()
        # Where nobody but our export thread reads spans, it asks the operation itself, in the end.
        self._told = {} if known.alone() else operation.attributes()
        # Given, because the tracer and the sampler would each look for it again.
        context = api_context.get_current()
        self.span = tracer.start_span(operation.span_name(), context, _KINDS[operation.KIND], self._told)
        if known.queues_spans and self.span.is_recording():
            spans.finished_by(self.span.get_span_context().span_id, self.finish)
        self._begun = time.perf_counter_ns()

    def __enter__(self) -> Self:
        """Make the span current, for as long as the library works on the call."""
        self._token = guard.call("context", self._attach)
        return self

    def __exit__(self, *_: object) -> None:
        """Make the span before current again; the recording goes on until it is finished."""
        if self._token is not None:
            guard.call("context", api_context.detach, self._token)

    def _attach(self) -> Any:
        return api_context.attach(ownership.claimed(self, set_span_in_context(self.span)))

    def chunk(self) -> None:
        """Note that a chunk of a stream has come in."""
        now = time.perf_counter_ns()
        if not self._chunks:
            self._first_chunk = now
        self._last_chunk = now
        self._chunks += 1

    def finish(self, error: BaseException | None = None) -> None:
        """End the operation, with the library's error if there was one; a second call does nothing."""
        if self.done:
            return
        self.done = True
        timing = self._timing()
        if self.learned is not None:
            guard.call("shared call", util_genai.learn, self.operation, self.learned)
        # The span ends whatever happens: an open one would be kept until the process ends.
        guard.call("finish", self._complete, timing, error)
        self._hand_over(timing)

    def _complete(self, timing: Timing, error: BaseException | None) -> None:
        operation = self.operation
        if error is not None and operation.error_type is None:
            operation.error_type = error_name(error)
        if timing.first_chunk is not None and getattr(operation, "stream", False) is None:
            # Not every library has the agent say beforehand that it wants a stream.
            operation.stream = True  # type: ignore[attr-defined]
        if self.span.is_recording() and not providers.set_up().alone():
            told = self._told
            learned = {name: value for name, value in ended(operation, timing).items() if told.get(name) != value}
            self.span.set_attributes(learned)
        if operation.error_type is not None:
            self._record_error(error)

    def _timing(self) -> Timing:
        duration = (time.perf_counter_ns() - self._begun) / 1e9
        if not self._chunks:
            return Timing(duration)
        gap = (self._last_chunk - self._first_chunk) / (self._chunks - 1) / 1e9 if self._chunks > 1 else None
        return Timing(duration, (self._first_chunk - self._begun) / 1e9, gap)

    def _record_error(self, error: BaseException | None) -> None:
        why = guard.shown(error) if error is not None else self.operation.error_type
        self.span.set_status(Status(StatusCode.ERROR, why))
        if error is None:
            return
        context = self.span.get_span_context()
        stack = traceback.format_exception(type(error), error, error.__traceback__)
        queue().put(
            LogItem(
                time_ns=time.time_ns(),
                severity=_WARN,
                severity_text="WARN",
                body=None,
                attributes={
                    semconv.EXCEPTION_TYPE: error_name(error),
                    **({semconv.EXCEPTION_MESSAGE: why} if why else {}),
                    semconv.EXCEPTION_STACKTRACE: "".join(stack),
                },
                trace=(context.trace_id, context.span_id, int(context.trace_flags)),
                scope="obs_run",
                event_name=semconv.EVENT_EXCEPTION,
            )
        )

    def _hand_over(self, timing: Timing) -> None:
        """End the span; the operation goes along with it, or alone where the span is not kept."""
        context = self.span.get_span_context()
        known = providers.set_up()
        if not known.queues_spans:
            self._hand_to_others(known, timing)
            return
        told = self.span.is_recording() and context.trace_flags.sampled
        if told:
            spans.tells_of(context.span_id, self.operation, timing)
        self.span.end()
        # Not sampled, or of a provider that takes no processor of ours: measured all the same.
        if not told or spans.untold(context.span_id):
            queue().put(CallItem(known.measure_unseen, self.operation, timing))

    def _hand_to_others(self, known: providers.Providers, timing: Timing) -> None:
        """End a span that goes where a configuration file says, and so not by our export thread."""
        cost = guard.call("measurement", known.measure, self.operation, timing)
        if self.span.is_recording():
            from obs_run.pipeline import redact, span_builder

            told = {
                **span_builder.content_attributes(self.operation, redact.shared()),
                **span_builder.cost_attributes(cost),
            }
            guard.call("finish", self.span.set_attributes, told)
        self.span.end()


def start(operation: Operation) -> Recording | Guest | None:
    """Begin to record an operation; None where a library further out already records it."""
    return None if ownership.taken(operation) else util_genai.guest(operation) or Recording(operation)
