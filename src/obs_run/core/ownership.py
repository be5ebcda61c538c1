"""Which library reports an operation when several could: the one furthest out, ours or one of another package."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from opentelemetry import context as api_context

from obs_run.core import nesting
from obs_run.core.operations import AgentRun, DatabaseCall, ModelCall, Retrieval

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from obs_run.core.nesting import NestedInvocation
    from obs_run.core.ongoing import OwnRecording
    from obs_run.core.operations import Operation

_OWNER = api_context.create_key("obs-run-recording")
# How the agent, or a package that it uses, says that nothing is to be recorded; OpenLLMetry has one for models alone.
_NOTHING = (api_context._SUPPRESS_INSTRUMENTATION_KEY, "suppress_instrumentation")  # noqa: SLF001 (as contrib has it)
_NO_MODEL_CALLS = "suppress_language_model_instrumentation"


def with_owner(recording: OwnRecording, context: Context) -> Context:
    """Return ``context`` with ``recording`` as the one that reports what happens in it."""
    return nesting.with_shared_slot(recording, api_context.set_value(_OWNER, recording, context))


def with_nested_owner(invocation: NestedInvocation, context: Context) -> Context:
    """Return ``context`` with an invocation inside of another package's call as the one that reports."""
    return api_context.set_value(_OWNER, invocation, context)


def current_recording() -> OwnRecording | None:
    """Return the recording that reports what happens now."""
    return recording_in(api_context.get_current())


def recording_in(context: Context) -> OwnRecording | None:
    """Return the innermost recording of ``context`` that goes on; tasks that outlive one keep it in their context."""
    recording = cast("OwnRecording | None", context.get(_OWNER))
    while recording is not None and recording.is_ended:
        recording = getattr(recording, "outer", None)
    return recording


def is_suppressed(operation: Operation, context: Context) -> bool:
    """Whether ``operation`` is not ours to record: whoever called the library reports it, or wants nothing reported."""
    if any(context.get(key) for key in _NOTHING):
        return True
    is_model_call = isinstance(operation, ModelCall)
    if is_model_call and context.get(_NO_MODEL_CALLS):
        return True
    recording = recording_in(context)
    if recording is None:
        return False
    if isinstance(operation, (Retrieval, DatabaseCall)):
        return _is_in_store(operation, recording.operation)
    return is_model_call and isinstance(recording.operation, ModelCall)


def add_usage(recording: OwnRecording) -> None:
    """Add what a model call used to the agents in whose runs it was made."""
    operation = recording.operation
    if not isinstance(operation, ModelCall) or operation.usage is None:
        return
    outer = recording.outer
    while outer is not None:
        if isinstance(outer.operation, AgentRun) and not outer.is_ended:
            outer.operation.add_usage(operation.usage)
        outer = getattr(outer, "outer", None)


def _is_in_store(operation: Retrieval | DatabaseCall, outer: Operation) -> bool:
    """Whether a call of a store is a part of another call of it."""
    if not isinstance(outer, (Retrieval, DatabaseCall)):
        return False
    return outer.system == operation.system and operation.system is not None
