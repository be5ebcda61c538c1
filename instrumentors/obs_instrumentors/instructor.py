"""Instructor: answers in the form of a response model, with all that was asked again until one was valid.

Chosen: patch, for its hooks are each client's own and tell of no result. Every call of every client passes
``retry_sync_v2`` or ``retry_async_v2``; the model calls inside are told by the provider's client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import semconv
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Step
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing
from obs_run.core.sparse_dataclasses import sparse_dataclass
from obs_run.core.streams import wrap_async_call, wrap_call, wrap_inner_call

if TYPE_CHECKING:
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call


@sparse_dataclass
class StructuredAnswer(Step):
    """An answer in the form of a response model, with all attempts to get one that is valid."""

    attempts: int = 0


def start_create(call: Call) -> tuple[StructuredAnswer, Reader[Any]] | None:
    """Read the call of ``retry_sync_v2``, which asks until the answer is valid, or once without a model for it."""
    response_model = call.argument(1, "response_model")
    if response_model is None:
        return None
    name = payload.get_text(response_model, "__name__")
    return StructuredAnswer(step_name=name, step_type="response_model"), Reader(read_nothing, failure=_read_failure)


def _read_failure(operation: StructuredAnswer, error: BaseException) -> None:
    """Read an ``InstructorRetryException``, which knows how often was asked."""
    _note_attempts(operation, payload.get_int(error, "n_attempts") or 0)


def note_answer(operation: Operation, _call: Call) -> None:
    """Read the call of ``update_total_usage``, which each answer passes before it is checked."""
    if isinstance(operation, StructuredAnswer):
        operation.attempts += 1
        _note_attempts(operation, operation.attempts)


def _note_attempts(operation: StructuredAnswer, attempts: int) -> None:
    if attempts > 1:
        operation.extra[semconv.OBS_REQUEST_RETRIES] = attempts - 1


_PATCH = "instructor.v2.core.patch"
_RETRY = "instructor.v2.core.retry"

INSTRUMENTORS = (
    Instrumentor(
        "instructor",
        "instructor",
        ">=1.15.4,<2",
        (
            Target(_PATCH, "retry_sync_v2", wrap_call(start_create)),
            Target(_PATCH, "retry_async_v2", wrap_async_call(start_create)),
            Target(_RETRY, "update_total_usage", wrap_inner_call(note_answer)),
        ),
        ("step",),
        has_common_name=True,
    ),
)
