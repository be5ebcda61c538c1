"""The client's own spans, which would tell of the same calls a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import native_spans, ownership
from obs_run.core.operations import ModelCall

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def _request_without_span(call: Call) -> tuple[Any, None] | None:
    """Return the request without a span of the client's; None where the client is to make one."""
    if "request" not in call.kwargs or not _is_recorded(call.kwargs["tracer"]):
        return None
    return call.kwargs["request"], None


def _is_recorded(tracer: Any) -> bool:
    """Whether the call is recorded, and the client's span would go where its recording goes.

    What the user lets the client send elsewhere, such as to Mistral itself, has a provider and a resource of its own.
    """
    recording = ownership.current_recording()
    if recording is None or not isinstance(recording.operation, ModelCall):
        return False
    return native_spans.has_global_provider(tracer)


REQUEST_WITHOUT_SPAN = native_spans.wrap_replaced(_request_without_span)
"""The wrapper of the client's ``get_traced_request_and_span``, which returns a request and its span."""
