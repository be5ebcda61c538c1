"""The run as a context: the default parent of everything that a script does.

The run span exists as ids from the start, and as a span only when something was recorded. A run that lasts is cut
into several spans, each in a trace of its own and linked to the one before, so that no trace grows without end.
Needs the API only: a library that asks for the current span must not load the SDK.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, get_current_span, set_span_in_context

from obs_run import settings
from obs_run.launch import run

if TYPE_CHECKING:
    from obs_run.launch.run import Identity

_NOTHING = Context()
_context: Context | None = None
_identity: Identity | None = None
_before: Identity | None = None
_cut_at = float("inf")


def current() -> Context:
    """Return the context of code that has none of its own: inside the run, or empty where there is no run span."""
    global _context, _identity, _before, _cut_at
    if _context is not None and _identity is not None and _identity is run.known():
        if time.monotonic() < _cut_at or not run.owned():
            return _context
        from obs_run.sdk import run_span

        ended = _identity
        run_span.cut(ended, _before)
        _before = ended
        run.begin_next_trace()
    if not run.has_parent_for_all():
        return _NOTHING
    _identity = run.identity()
    lifetime: float = settings.get("OBS_RUN_SPAN_SECONDS")
    _cut_at = time.monotonic() + lifetime if lifetime else float("inf")
    _context = set_span_in_context(NonRecordingSpan(span_context(_identity)), Context())
    return _context


def before() -> Identity | None:
    """Return the identity of the run's part before this one, None in the first."""
    return _before


def is_run(context: Context | None) -> bool:
    """Whether the current span of ``context`` is the run span itself."""
    return _identity is not None and get_current_span(context).get_span_context().span_id == _identity.span_id


def span_context(identity: Identity) -> SpanContext:
    """Return the run span's context in OpenTelemetry's terms."""
    flags = TraceFlags(TraceFlags.SAMPLED if identity.sampled else TraceFlags.DEFAULT)
    return SpanContext(identity.trace_id, identity.span_id, is_remote=False, trace_flags=flags)
