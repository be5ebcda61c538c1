"""Streams that are objects of a library's own class: what a recording is found by while the agent reads them."""

from __future__ import annotations

from typing import Any


def itself(instance: Any) -> Any:
    """Return the stream that a method belongs to: it is what the agent was given."""
    return instance


def stream_or_none(returned: Any) -> Any:
    """Return a stream, which the agent will read; None for what is there at once."""
    kind = type(returned)
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        return returned
    return None
