"""What the client traces by itself from 1.14 on, and how far that stays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import native_spans, semconv
from obs_run.core.hooks import Target
from obs_run.core.operations import ModelCall

from .tools import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_PROPAGATION = "ANTHROPIC_OPEN_TELEMETRY_PROPAGATION"


def _covers(name: str, attributes: Mapping[str, Any], operation: Operation | None) -> bool:
    """Whether we record what the client's span of this name tells of."""
    if isinstance(operation, ModelCall):
        return True
    if "tool_use" in name:
        # Tools of sessions, which run on Anthropic's side, are not ours.
        return semconv.ANTHROPIC_SESSION_ID not in attributes
    return isinstance(operation, Run) and name.endswith(".tool_runner")


def _provider(call: Call) -> Any:
    return payload.get(call.argument(0, "options"), "tracer_provider")


def _without_propagation(options: dict[str, Any], call: Call) -> dict[str, Any]:
    """Keep the trace context from the vendor, unless the agent or its user says otherwise."""
    option = call.argument(0, "option")
    if option is None:
        choice: Any = os.environ.get(_PROPAGATION)
    else:
        choice = payload.get(option, "propagation")
    if choice is not None:
        return options
    return {**options, "propagation": False}


TARGETS = (
    Target("anthropic._base_client", "get_tracer", native_spans.wrap_get_tracer(_covers, _provider), optional=True),
    Target(
        "anthropic._base_client",
        "resolve_open_telemetry",
        native_spans.wrap_result(_without_propagation),
        optional=True,
    ),
)
