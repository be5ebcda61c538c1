"""Requests that lines tell of: each begins a trace, linked to what it was received in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.context import current_context
from obs_run.core import ownership, recorder, request_links

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from obs_run.core.nesting import NestedInvocation
    from obs_run.core.operations import LoggedWork
    from obs_run.core.recorder import Recording


def begin(operation: LoggedWork, around: Context | None, *, is_certain: bool) -> Recording | NestedInvocation | None:
    """Begin to record a request that was received in the context ``around``, None for here.

    One that is not certain stays in the trace of a span that is current there, unless that is the run's own.
    """
    context = current_context.current() if around is None else around
    recording = recorder.start(operation, ownership.no_span(context) if is_certain else context)
    if isinstance(recording, recorder.Recording):
        request_links.link_to_receiver(recording.span, context)
    return recording
