"""The client's own spans, which would tell of the same calls a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from obs_run.base import guard, payload
from obs_run.core import ownership
from obs_run.core.operations import ModelCall

if TYPE_CHECKING:
    from collections.abc import Callable


def without_span(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the request without a span of the client's where the call is recorded already."""
    if guard.call("inside of a call", _is_told_already, kwargs, default=False):
        return kwargs["request"], None
    return wrapped(*args, **kwargs)


def _is_told_already(kwargs: dict[str, Any]) -> bool:
    """Whether the call is recorded, and the client's span would go where its recording goes.

    What the user lets the client send elsewhere, such as to Mistral itself, has a provider and a resource of its own.
    """
    recording = ownership.owner()
    if recording is None or not isinstance(recording.operation, ModelCall):
        return False
    resource = payload.get(kwargs["tracer"], "resource")
    return "request" in kwargs and resource is payload.get(trace.get_tracer_provider(), "resource")
