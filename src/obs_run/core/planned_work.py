"""Work that is planned in one place and done in another, later and perhaps often: each time in a trace of its own.

It is linked to where it was planned, and has the baggage from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from obs_run.base.steps import Step
from obs_run.context import current_context
from obs_run.core import ownership, recorder, request_links
from obs_run.core.peer_calls import context_of

if TYPE_CHECKING:
    from obs_run.core.operations import MessageOperation

__all__ = ["SubmitStep", "carrier", "start"]


def carrier() -> dict[str, str]:
    """Return what carries the trace and the baggage of here to where the work is done."""
    from opentelemetry import propagate

    fields: dict[str, str] = {}
    propagate.inject(fields)
    return fields


class SubmitStep(Step):
    """The handing over of work to whoever does it, in the context of where it was planned; else in this one."""

    __slots__ = ()

    def __init__(self, planned_in: dict[str, str] | None) -> None:
        context = context_of(planned_in)
        super().__init__(None if context is None else current_context.ContextScope(context))


def start(operation: MessageOperation, planned_in: list[dict[str, str]]) -> Any:
    """Begin to record work that is done now; where it was planned is what is current, where nothing carries it."""
    told = [context_of(each) for each in planned_in if each]
    planned = [context for context in told if context is not None] or [current_context.current()]
    recording = recorder.start(operation, ownership.no_span(planned[0]))
    if recording is not None and get_current_span(planned[0]).get_span_context().is_valid:
        request_links.link_to_senders(recording.span, planned, None)
    return recording
