"""Moments that are noted on whatever span is current."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from obs_run.base import guard
from obs_run.core import content

if TYPE_CHECKING:
    from collections.abc import Mapping


def add_event(name: str, attributes: Mapping[str, Any]) -> None:
    """Note a moment on the span that is current here; outside of any there is nothing to note it on."""
    span = get_current_span()
    if span.is_recording():
        guard.call("event", span.add_event, name, content.plain_attributes(dict(attributes)))
