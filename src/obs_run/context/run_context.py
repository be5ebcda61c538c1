"""The run as a context: the default parent of everything that a script does.

The run span exists as ids from the start, and as a span only when something was recorded. A run that lasts is cut
into several spans, each in a trace of its own and linked to the one before, so that no trace grows without end.
Needs the API only: a library that asks for the current span must not load the SDK.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, get_current_span, set_span_in_context

from obs_run import settings
from obs_run.process import run

if TYPE_CHECKING:
    from obs_run.process.run import Identity

_NOTHING = Context()
_context: Context | None = None
_identity: Identity | None = None
_before: Identity | None = None
_cut_at = float("inf")
_cutting = threading.Lock()


def current() -> Context:
    """Return the context of code that has none of its own: inside the run, or empty where there is no run span."""
    global _context, _identity, _cut_at
    context, identity = _context, _identity
    if context is not None and identity is not None and identity is run.known():
        # One thread cuts; the others, and what it does meanwhile itself, belong to the part before.
        if time.monotonic() < _cut_at or not run.owned() or not _cutting.acquire(blocking=False):
            return context
        try:
            _cut(identity)
        finally:
            _cutting.release()
    if not run.has_parent_for_all():
        return _NOTHING
    identity = run.identity()
    lifetime: float = settings.get("OBS_RUN_SPAN_SECONDS")
    context = set_span_in_context(NonRecordingSpan(span_context(identity)), Context())
    _cut_at = time.monotonic() + lifetime if lifetime else float("inf")
    _context, _identity = context, identity
    return context


def _cut(ended: Identity) -> None:
    """Begin the next part of the run; the span of the part before is made by the export thread, which has the SDK."""
    global _before, _cut_at
    if ended is not run.known():
        return
    _cut_at = float("inf")
    before, _before = _before, ended
    times = run.started_ns, time.time_ns()
    run.begin_next_trace()
    from obs_run.pipeline import queue

    if queue.in_use():
        from obs_run.pipeline.items import CallItem

        queue.queue().put(CallItem(_export_part, ended, before, times))


def _export_part(ended: Identity, before: Identity | None, times: tuple[int, int]) -> None:
    from obs_run.sdk import run_span

    run_span.cut(ended, before, times)


def before() -> Identity | None:
    """Return the identity of the run's part before this one, None in the first."""
    return _before


def is_run(context: Context | None) -> bool:
    """Whether the current span of ``context`` is the run span itself."""
    # Asked first: it is this that gives the run its identity.
    span_id = get_current_span(context).get_span_context().span_id
    return _identity is not None and span_id == _identity.span_id


def span_context(identity: Identity) -> SpanContext:
    """Return the run span's context in OpenTelemetry's terms."""
    flags = TraceFlags(TraceFlags.SAMPLED if identity.sampled else TraceFlags.DEFAULT)
    return SpanContext(identity.trace_id, identity.span_id, is_remote=False, trace_flags=flags)
