"""Which library reports an operation when several could: the one furthest out, ours or one of another package."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from opentelemetry import context as api_context

from obs_run.coexistence import util_genai
from obs_run.core.operations import DatabaseCall, ModelCall, Retrieval

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from obs_run.coexistence.util_genai import Guest
    from obs_run.core.operations import Operation
    from obs_run.core.recorder import Recording

_OWNER = api_context.create_key("obs-run-recording")
# How the agent, or a package that it uses, says that nothing is to be recorded; OpenLLMetry has one for models alone.
_NOTHING = (api_context._SUPPRESS_INSTRUMENTATION_KEY, "suppress_instrumentation")  # noqa: SLF001 (as contrib has it)
_NO_MODEL_CALLS = "suppress_language_model_instrumentation"


def claimed(recording: Recording | Guest, context: Context) -> Context:
    """Return ``context`` with ``recording`` as the one that reports what happens in it."""
    return util_genai.offered(recording, api_context.set_value(_OWNER, recording, context))


def owner() -> Recording | None:
    """Return the recording that reports what happens now; tasks that outlive it keep it in their context."""
    return _owner(api_context.get_current())


def taken(operation: Operation) -> bool:
    """Whether ``operation`` is not ours to record: whoever called the library reports it, or wants nothing reported."""
    context = api_context.get_current()
    if any(context.get(key) for key in _NOTHING):
        return True
    model_call = isinstance(operation, ModelCall)
    if model_call and context.get(_NO_MODEL_CALLS):
        return True
    recording = _owner(context)
    if recording is None:
        return False
    if isinstance(operation, (Retrieval, DatabaseCall)):
        return _in_store(operation, recording.operation)
    return model_call and isinstance(recording.operation, ModelCall)


def _owner(context: Context) -> Recording | None:
    recording = cast("Recording | None", context.get(_OWNER))
    return None if recording is None or recording.done else recording


def _in_store(operation: Retrieval | DatabaseCall, outer: Operation) -> bool:
    """Whether a call of a store is a part of another call of it."""
    same = isinstance(outer, (Retrieval, DatabaseCall)) and outer.system == operation.system
    return same and operation.system is not None
