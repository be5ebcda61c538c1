"""Content that others wrote under the conventions' names, taken out while content is not wanted.

The standard variable governs these names, whoever writes them; libraries that trace themselves do not all read it.
Names of other vocabularies are left to the switches of those who write them.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Event

from obs_run.core import content, semconv
from obs_run.pipeline.rebuilt_span import rebuild_span

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan


def span(original: ReadableSpan) -> ReadableSpan:
    """Return a span without content, unless content is wanted."""
    if content.wanted():
        return original
    has_content = _has(original.attributes) or any(_has(event.attributes) for event in original.events)
    if not has_content:
        return original
    events = [_event(event) for event in original.events]
    return rebuild_span(original, attributes=_without(original.attributes), events=events)


def record(original: ReadableLogRecord) -> ReadableLogRecord:
    """Return a log record or event of others without content, unless content is wanted."""
    if content.wanted() or not _has(original.log_record.attributes):
        return original
    # The record is the agent's own, and other processors have it too.
    changed = copy.copy(original.log_record)
    changed.attributes = _without(changed.attributes)
    return replace(original, log_record=changed)


def _has(attributes: Any) -> bool:
    return bool(attributes) and not semconv.CONTENT.isdisjoint(attributes)


def _event(event: Any) -> Any:
    return Event(event.name, _without(event.attributes), event.timestamp) if _has(event.attributes) else event


def _without(attributes: Any) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if name not in semconv.CONTENT}
