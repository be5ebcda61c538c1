"""Content that others wrote under the conventions' names, taken out while content is not wanted.

The standard variable governs these names, whoever writes them; libraries that trace themselves do not all read it. It
also governs what such a library writes in words of its own where nobody asked it to. Other vocabularies are left to the
switches of those who write them.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Event

from obs_run.core import content, semconv
from obs_run.pipeline.rebuilt_span import SpanDraft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

_AROUND_A_MESSAGE = frozenset({"role", "id", "index", "finish_reason", "event.name", semconv.SYSTEM})
"""What such an event has beside its content."""
_OF_LIBRARIES = frozenset(
    {
        # google-adk
        "gcp.vertex.agent.llm_request",
        "gcp.vertex.agent.llm_response",
        "gcp.vertex.agent.tool_call_args",
        "gcp.vertex.agent.tool_response",
        "gcp.vertex.agent.data",
    }
)
"""What libraries that trace themselves write in words of their own, without being asked."""
_NAMES = semconv.CONTENT | _OF_LIBRARIES


def span(original: ReadableSpan) -> ReadableSpan:
    """Return a span without content, unless content is wanted."""
    if content.wanted():
        return original
    return remove(SpanDraft(original)).finished()


def remove(draft: SpanDraft) -> SpanDraft:
    """Return a span, with its content taken out unless content is wanted."""
    if content.wanted():
        return draft
    fields = draft.fields
    if _has(fields["attributes"]):
        fields["attributes"] = _without(fields["attributes"])
    if any(map(_has_event_content, fields["events"])):
        fields["events"] = [_event(event) for event in fields["events"]]
    return draft


def record(original: ReadableLogRecord) -> ReadableLogRecord:
    """Return a log record or event of others without content, unless content is wanted."""
    if content.wanted():
        return original
    is_message = _is_message(original.log_record)
    if not is_message and not _has(original.log_record.attributes):
        return original
    # The record is the agent's own, and other processors have it too.
    changed = copy.copy(original.log_record)
    changed.attributes = _without(changed.attributes)
    if is_message:
        body = changed.body
        changed.body = _around_message(body) if isinstance(body, dict) else None
    return replace(original, log_record=changed)


def _is_message(record: Any) -> bool:
    name = getattr(record, "event_name", None) or (record.attributes or {}).get("event.name")
    return name in semconv.OLD_MESSAGE_EVENTS


def _has(attributes: Any) -> bool:
    return bool(attributes) and not _NAMES.isdisjoint(attributes)


def _has_event_content(event: Any) -> bool:
    return event.name in semconv.OLD_MESSAGE_EVENTS or _has(event.attributes)


def _event(event: Any) -> Any:
    if event.name in semconv.OLD_MESSAGE_EVENTS:
        return Event(event.name, _around_message(event.attributes), event.timestamp)
    return Event(event.name, _without(event.attributes), event.timestamp) if _has(event.attributes) else event


def _without(attributes: Any) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if name not in _NAMES}


def _around_message(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (fields or {}).items() if name in _AROUND_A_MESSAGE}
