"""The run as a context: the default parent of everything that a script does.

The run span exists as ids from the start, and as a span only when something was recorded. A run that lasts is cut
into several spans, each in a trace of its own and linked to the one before, so that no trace grows without end.
Needs the API only: a library that asks for the current span must not load the SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, get_current_span, set_span_in_context

from obs_run import settings
from obs_run.base import guard
from obs_run.process import run
from obs_run.process.unpatched import allocate_lock, time

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.process.identity import Identity

    OnCut = Callable[[Identity, "Identity | None", tuple[int, int]], object]

_EMPTY = Context()
_FOR_STARTER = "obs-run-for-starter"
_FOR_ITSELF = "obs-run-for-itself"


def _with_baggage(context: Context, baggage: str) -> Context:
    """Return ``context`` with what the parent handed over, as far as OTEL_PROPAGATORS wants it."""
    from opentelemetry.propagate import extract

    return extract({"baggage": baggage}, context)


class _RunContext:
    """The run's context, whose it is, and when its part ends."""

    def __init__(self) -> None:
        self.context: Context | None = None
        self.identity: Identity | None = None
        self.cut_at = float("inf")
        self.cutting = allocate_lock()
        self.on_cut: OnCut | None = None

    def begin(self, identity: Identity) -> Context:
        """Make the context of the run's part that has this identity."""
        lifetime: float = settings.get("OBS_RUN_SPAN_SECONDS")
        context = set_span_in_context(NonRecordingSpan(span_context(identity)), Context())
        if identity.baggage:
            context = guard.call("baggage", _with_baggage, context, identity.baggage, default=context)
        self.cut_at = time.monotonic() + lifetime if lifetime else float("inf")
        self.context, self.identity = context, identity
        return context

    def cut(self, ended: Identity) -> None:
        """Begin the next part of the run."""
        if ended is not run.identity_or_none():
            return
        self.cut_at = float("inf")
        previous = run.previous()
        times = run.started_ns(), run.now_ns()
        run.begin_next_trace()
        if self.on_cut is not None:
            guard.call("run span", self.on_cut, ended, previous, times)


_run = _RunContext()


def when_cut(callback: OnCut) -> None:
    """Have ``callback(identity, the one before it, (start, end))`` called with each part of the run that ended."""
    _run.on_cut = callback


def current() -> Context:
    """Return the context of code that has none of its own: inside the run, or empty where there is no run span."""
    context, identity = _run.context, _run.identity
    if context is not None and identity is not None and identity is run.identity_or_none():
        # One thread cuts; the others, and what it does meanwhile itself, belong to the part before.
        if time.monotonic() < _run.cut_at or not run.is_owned() or not _run.cutting.acquire(blocking=False):
            return context
        try:
            _run.cut(identity)
        finally:
            _run.cutting.release()
    if not run.has_parent_for_all():
        return _EMPTY
    return _run.begin(run.identity())


def is_run(context: Context | None) -> bool:
    """Whether the current span of ``context`` is the run span itself."""
    # Asked first: it is this that gives the run its identity.
    span_id = get_current_span(context).get_span_context().span_id
    return _run.identity is not None and span_id == _run.identity.span_id


def for_starter(context: Context) -> Context:
    """Return ``context`` for a request of whoever started this program, in whose trace it was started."""
    return Context({**context, _FOR_STARTER: True})


def for_itself(context: Context) -> Context:
    """Return ``context`` for a request that nobody sends: who asks for it does the work too, at once."""
    return Context({**context, _FOR_ITSELF: True})


def is_of_run(context: Context | None) -> bool:
    """Whether a request belongs to the run: its own, or one of who started it, and that has told of its trace."""
    if context is None:
        return False
    return _FOR_ITSELF in context or (_FOR_STARTER in context and run.identity().parent_span_id is not None)


def span_context(identity: Identity) -> SpanContext:
    """Return the run span's context in OpenTelemetry's terms."""
    flags = TraceFlags(TraceFlags.SAMPLED if identity.sampled else TraceFlags.DEFAULT)
    return SpanContext(identity.trace_id, identity.span_id, is_remote=False, trace_flags=flags)
