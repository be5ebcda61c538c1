"""Which library reports an operation when several could: the one furthest out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from opentelemetry import context as api_context

from obs_run.core.operations import DatabaseCall, ModelCall, Retrieval

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from obs_run.core.operations import Operation
    from obs_run.core.recorder import Recording

_OWNER = api_context.create_key("obs-run-recording")


def claimed(recording: Recording, context: Context) -> Context:
    """Return ``context`` with ``recording`` as the one that reports what happens in it."""
    return api_context.set_value(_OWNER, recording, context)


def owner() -> Recording | None:
    """Return the recording that reports what happens now; tasks that outlive it keep it in their context."""
    recording = cast("Recording | None", api_context.get_value(_OWNER))
    return None if recording is None or recording.done else recording


def taken(operation: Operation) -> bool:
    """Whether a model call, or a call of the same store, is already being reported by whoever called this library."""
    recording = owner()
    if recording is None:
        return False
    if isinstance(operation, (Retrieval, DatabaseCall)):
        return _in_store(operation, recording.operation)
    return isinstance(operation, ModelCall) and isinstance(recording.operation, ModelCall)


def _in_store(operation: Retrieval | DatabaseCall, outer: Operation) -> bool:
    """Whether a call of a store is a part of another call of it."""
    same = isinstance(outer, (Retrieval, DatabaseCall)) and outer.system == operation.system
    return same and operation.system is not None
