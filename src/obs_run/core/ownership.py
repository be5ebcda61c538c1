"""Which library reports an operation when several could: the one furthest out, ours or one of another package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

from obs_run.core import nesting

if TYPE_CHECKING:
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
    while recording is not None and recording.is_ended:
        recording = getattr(recording, "outer", None)
    return recording.recording if type(recording) is Expected else recording


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


def runs_around(recording: OwnRecording) -> tuple[int, ...]:
    """Return the span ids of the runs that ``recording`` happens inside of, and which sum up what calls cost."""
    found = []
    outer = recording.outer
    while outer is not None:
        if outer.operation.IS_RUN and not outer.is_ended:
            found.append(outer.span.get_span_context().span_id)
        outer = getattr(outer, "outer", None)
    return tuple(found)


def agent_around(recording: OwnRecording | None) -> AgentRun | None:
    """Return the agent's run that ``recording`` is, or that it happens inside of."""
    while recording is not None:
        operation: Any = recording.operation
        if operation.IS_RUN and operation.IS_AGENT:
            return operation  # type: ignore[no-any-return]
        recording = getattr(recording, "outer", None)
    return None


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


def add_usage(recording: OwnRecording) -> None:
    """Add what a model call used to the agents in whose runs it was made."""
    usage = getattr(recording.operation, "usage", None)
    if usage is None or not recording.operation.IS_MODEL_CALL:
        return
    outer = recording.outer
    while outer is not None:
        if not outer.is_ended:
            outer.operation.add_usage(usage)
        outer = getattr(outer, "outer", None)


def _is_same_system(operation: Operation, outer: Operation) -> bool:
    system = getattr(operation, "system", None)
    return system is not None and system == getattr(outer, "system", None)
