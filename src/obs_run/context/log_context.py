"""The log context: fields that belong to every record of what is going on now.

It is one value in OpenTelemetry's Context, and so goes wherever traces go: into tasks, threads and executors. The
correlation id is also W3C baggage, which takes it into other services.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from obs_run.context.current_context import Entry

CORRELATION_ID = "correlation_id"
"""The field's name, and the key of the baggage."""

_IDS = (CORRELATION_ID, "request_id", "session_id", "user_id")
_KEY = "obs-run-log-context"
_DEPTH = "obs-run-log-context-depth"
_LONGEST_BAGGAGE = 1024
_NOTHING: dict[str, Any] = {}


def fields() -> Mapping[str, Any]:
    """Return the fields of the current log context; nobody may change the mapping."""
    # Looked up, not imported: whoever has no context has not loaded OpenTelemetry for it either.
    get_current = getattr(sys.modules.get("opentelemetry.context"), "get_current", None)
    if get_current is None:
        return _NOTHING
    current_fields: Mapping[str, Any] = get_current().get(_KEY, _NOTHING)
    return current_fields


def all_fields() -> Mapping[str, Any]:
    """Return the fields and, where they have none of their own, the correlation id that came as baggage."""
    get_current = getattr(sys.modules.get("opentelemetry.context"), "get_current", None)
    current = _NOTHING if get_current is None else get_current()
    own: Mapping[str, Any] = current.get(_KEY, _NOTHING)
    if not current or CORRELATION_ID in own:
        return own
    carried = _baggage_correlation_id(current)
    return own if carried is None else {CORRELATION_ID: carried, **own}


def ids(context: Context | None) -> Mapping[str, Any]:
    """Return the fields of a context (None: the current one) by which people look for a request or its user."""
    current: Any = fields() if context is None else context.get(_KEY, _NOTHING)
    if not current:
        return _NOTHING
    return {name: current[name] for name in _IDS if current.get(name) is not None}


def depth() -> int:
    """Return how many log contexts are around the caller."""
    get_current = getattr(sys.modules.get("opentelemetry.context"), "get_current", None)
    around: int = 0 if get_current is None else get_current().get(_DEPTH, 0)
    return around


def correlation_id() -> str | None:
    """Return the correlation id: the log context's own, else the one that came as baggage."""
    own = fields().get(CORRELATION_ID)
    if own is not None:
        return own if type(own) is str else guard.shown(own)
    return _baggage_correlation_id(None)


def _baggage_correlation_id(context: Any) -> str | None:
    get_baggage = getattr(sys.modules.get("opentelemetry.baggage"), "get_baggage", None)
    carried = None if get_baggage is None else get_baggage(CORRELATION_ID, context)
    return None if carried is None else guard.shown(carried)


def attached(**fields: Any) -> LogFieldsScope:
    """Return a context manager in which ``fields`` are added to the log context; those that are None are left out."""
    return LogFieldsScope(fields)


class LogFieldsScope:
    """Fields that are in the log context from entering to leaving; each block is entered and left on its own."""

    __slots__ = ("_entries", "_fields")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self._entries: list[Entry] = []

    def __enter__(self) -> Mapping[str, Any]:
        """Add the fields, and return all that hold now."""
        # Loaded now: whoever has no context has not loaded OpenTelemetry for it either.
        from obs_run.context.current_context import enter

        enter(self, self._with_fields, self._entries)
        return fields()

    def __exit__(self, *_: object) -> None:
        """Take them out again."""
        from obs_run.context.current_context import leave

        leave(self, self._entries)

    def _with_fields(self, before: Context) -> Context:
        from opentelemetry import baggage
        from opentelemetry.context import Context

        added = {name: value for name, value in self._fields.items() if value is not None}
        current: Any = before.get(_KEY, _NOTHING)
        depth_before: Any = before.get(_DEPTH, 0)
        changed = Context({**before, _KEY: {**current, **added}, _DEPTH: depth_before + 1})
        if CORRELATION_ID in added:
            text = guard.shown(added[CORRELATION_ID])
            if len(text) <= _LONGEST_BAGGAGE:
                changed = baggage.set_baggage(CORRELATION_ID, text, changed)
        return changed
