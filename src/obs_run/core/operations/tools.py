"""What requests carry of tools that the agent ran for the model."""

from __future__ import annotations

from typing import Any, NamedTuple

TOOL_ERROR = "tool_error"
"""The ``error.type`` of a tool whose result says that it failed, as the conventions call it."""


class ToolResult(NamedTuple):
    """What a request brings of a tool that the agent ran."""

    call_id: str | None
    name: str | None = None
    """Only where the wire format tells it."""
    is_error: bool = False
    result: Any = None
    """What the tool gave; content, and so None unless that is wanted."""
