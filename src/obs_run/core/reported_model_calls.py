"""Model calls that somebody else tells of: a recording or a span around them, or whoever the user chose for a client.

It is asked by those who see a client's requests, and cannot tell whose they are.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry.trace import get_current_span

from obs_run.core import hooks, ownership, semconv

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["is_model_call_reported"]

_MODEL_CALLS = ("chat", "generate_content", "text_completion", "embeddings", "rerank")
_MARKS = (
    ("openinference.span.kind", ("LLM", "EMBEDDING", "RERANKER")),
    ("llm.request.type", ("chat", "completion", "embedding", "rerank")),
    ("langfuse.observation.type", ("generation", "embedding")),
)
"""How spans of others say that they are of a model call, where they have no name of an operation."""
_DEEPEST = 40
"""How far from the HTTP library its caller is looked for: there may be retries and middleware between."""


def is_model_call_reported() -> bool:
    """Whether a model call that is made now by HTTP is told of by others, or by a recording of ours further out."""
    context = api_context.get_current()
    if ownership.wants_no_model_calls(context):
        return True
    recording = ownership.recording_in(context)
    if recording is not None and recording.operation.IS_MODEL_CALL:
        return not getattr(recording, "is_frameworks", False)
    return _is_model_call(context) or _is_callers_left_out()


def _is_model_call(context: Context) -> bool:
    """Whether the current span, which is none of ours, says that it is a model's call."""
    span: Any = get_current_span(context)
    attributes = getattr(span, "attributes", None)
    if not attributes or not span.is_recording():
        return False
    operation = attributes.get(semconv.OPERATION_NAME)
    if operation is not None:
        return operation in _MODEL_CALLS
    if any(attributes.get(name) in values for name, values in _MARKS):
        return True
    return semconv.REQUEST_MODEL in attributes


def _is_callers_left_out() -> bool:
    """Whether the request is a client's whose calls are not ours to record, by the user's word."""
    left_out = hooks.modules_left_out()
    if not left_out:
        return False
    frame = sys._getframe(1)  # noqa: SLF001 (inspect.currentframe is the same)
    for _ in range(_DEEPEST):
        if frame.f_globals.get("__name__") in left_out:
            return True
        if frame.f_back is None:
            break
        frame = frame.f_back
    return False
