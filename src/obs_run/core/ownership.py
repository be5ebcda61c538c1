"""Which library reports an operation when several could: the one furthest out, ours or one of another package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

from obs_run.core import nesting
from obs_run.core.open_recordings import open_recordings

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.nesting import NestedInvocation
    from obs_run.core.ongoing import OwnRecording
    from obs_run.core.operations import AgentRun, Operation

_OWNER = api_context.create_key("obs-run-recording")
# The API's own key: its function would copy the context twice more.
(_SPAN,) = set_span_in_context(INVALID_SPAN, Context())
# How the agent, or a package that it uses, says that nothing is to be recorded; OpenLLMetry has one for models alone.
_NOTHING = api_context._SUPPRESS_INSTRUMENTATION_KEY  # noqa: SLF001 (as contrib has it)
_NOTHING_OLDER = "suppress_instrumentation"
_NO_MODEL_CALLS = "suppress_language_model_instrumentation"
_TRACEPARENT_FIELDS = 4
_WORKFLOW = "invoke_workflow"
_INTERRUPTED = "interrupted"
_recorded_spans: list[type] = []
"""The class of the spans that libraries hold which trace themselves, once there is one."""


def with_owner(recording: OwnRecording, context: Context) -> Context:
    """Return ``context`` with ``recording`` as the one that reports what happens in it, and its span as current."""
    return nesting.with_shared_slot(recording, Context({**context, _SPAN: recording.span, _OWNER: recording}))


def no_span(context: Context | None = None) -> Context:
    """Return ``context`` without its span and recording, for what may belong to those of another process."""
    return Context({key: value for key, value in (context or {}).items() if key not in (_OWNER, _SPAN)})


def with_nested_owner(invocation: NestedInvocation, context: Context) -> Context:
    """Return ``context`` with an invocation inside of another package's call as the one that reports."""
    return api_context.set_value(_OWNER, invocation, context)


def current_recording() -> OwnRecording | None:
    """Return the recording that reports what happens now."""
    return recording_in(api_context.get_current())


def recording_in(context: Context) -> OwnRecording | None:
    """Return the innermost recording of ``context`` that goes on; tasks that outlive one keep it in their context."""
    recording: Any = context.get(_OWNER)
    if _recorded_spans:
        span: Any = context.get(_SPAN)
        # A library that makes its span current by the API's functions does not set the owner.
        if type(span) in _recorded_spans:
            recording = span.recording
    while recording is not None and recording.is_ended:
        recording = getattr(recording, "outer", None)
    return recording.recording if type(recording) is Expected else recording


def open_context(context: Context) -> Context | None:
    """Return ``context``, or the one around it that goes on where the part of a framework's run has ended.

    None where the run itself is over because it waits for somebody: what is answered in its place is no part of it.
    """
    owner: Any = context.get(_OWNER)
    recording = owner
    while recording is not None and recording.is_ended:
        operation = getattr(recording, "operation", None)
        if getattr(operation, "IS_RUN", False):
            return None if getattr(operation, "outcome", None) == _INTERRUPTED else context
        recording = getattr(recording, "outer", None)
    if recording is None or recording is owner or type(recording) is Expected:
        return context
    return recording.context  # type: ignore[no-any-return]


def outer_while(is_left: Callable[[Any], bool], context: Context) -> Context:
    """Return ``context``, or the one around it as long as ``is_left`` says so of the recording that is current."""
    recording: Any = context.get(_OWNER)
    while recording is not None and is_left(recording):
        context = recording.around
        recording = context.get(_OWNER)
    return context


def workflow_with(traceparent: str | None) -> OwnRecording | None:
    """Return the workflow of this process in which a message with this ``traceparent`` was sent.

    None where there is none, or where it is what reports already: a runtime that was started before the workflow knows
    nothing of what was current where a message was sent.
    """
    ids = (traceparent or "").split("-")
    if len(ids) != _TRACEPARENT_FIELDS:
        return None
    recording: Any = open_recordings.find(int(ids[2], 16))
    # Spans of the agent's own are open too.
    while recording is not None and _name_of(recording) != _WORKFLOW:
        recording = getattr(recording, "outer", None)
    return None if recording is current_recording() else recording


def _name_of(recording: Any) -> str | None:
    return getattr(getattr(recording, "operation", None), "name", None)


def recognise_spans(kind: type) -> None:
    """Have spans of ``kind``, which know their ``recording``, stand for it wherever they are current."""
    if kind not in _recorded_spans:
        _recorded_spans.append(kind)


def with_recorded_span(span: Any, context: Context) -> Context:
    """Return ``context`` with such a span as the current one, and its recording as the one that reports."""
    inside = with_owner(span.recording, context)
    return Context({**inside, _SPAN: span})


def beside_answers(operation: Operation, context: Context) -> Context:
    """Return the context in which ``operation`` happens, where a framework still has its model call's span current.

    What a model asks for is no part of its answer.
    """
    recording: Any = getattr(context.get(_SPAN), "recording", None)
    while not operation.IS_MODEL_CALL and getattr(recording, "is_frameworks", False):
        context = recording.around
        recording = getattr(context.get(_SPAN), "recording", None)
    return context


class Expected:
    """The place of a recording that a framework begins later, where it cannot be made current then.

    It is there in the context around the framework's code; the framework's callback fills it.
    """

    __slots__ = ("outer", "recording")

    def __init__(self, outer: OwnRecording | None) -> None:
        self.outer = outer
        self.recording: OwnRecording | None = None

    @property
    def is_ended(self) -> bool:
        """Whether what happens now belongs to the recording around it."""
        return self.recording is None or self.recording.is_ended


def with_expected(expected: Expected, context: Context) -> Context:
    """Return ``context`` with the place of a recording that is to come."""
    return api_context.set_value(_OWNER, expected, context)


def fill_expected(recording: OwnRecording) -> None:
    """Have ``recording`` take the place that was kept for it, if there is one here."""
    expected = api_context.get_current().get(_OWNER)
    if isinstance(expected, Expected) and expected.recording is None:
        expected.recording = recording


def agent_around(recording: OwnRecording | None) -> AgentRun | None:
    """Return the agent's run that ``recording`` is, or that it happens inside of."""
    while recording is not None:
        operation: Any = recording.operation
        if operation.IS_RUN and operation.IS_AGENT:
            return operation  # type: ignore[no-any-return]
        recording = getattr(recording, "outer", None)
    return None


def wants_no_model_calls(context: Context) -> bool:
    """Whether whoever called wants no model calls reported, or nothing at all."""
    return bool(context.get(_NOTHING) or context.get(_NOTHING_OLDER) or context.get(_NO_MODEL_CALLS))


def is_suppressed(operation: Operation, context: Context) -> bool:
    """Whether ``operation`` is not ours to record: whoever called the library reports it, or wants nothing reported."""
    if context.get(_NOTHING) or context.get(_NOTHING_OLDER):
        return True
    if operation.IS_MODEL_CALL and context.get(_NO_MODEL_CALLS):
        return True
    recording = recording_in(context)
    if recording is None:
        return False
    outer = recording.operation
    if operation.IS_STORE_CALL:
        return outer.IS_STORE_CALL and _is_same_system(operation, outer)
    if getattr(recording, "is_frameworks", False):
        return False
    return operation.IS_MODEL_CALL and outer.IS_MODEL_CALL


def _is_same_system(operation: Operation, outer: Operation) -> bool:
    system = getattr(operation, "system", None)
    return system is not None and system == getattr(outer, "system", None)
