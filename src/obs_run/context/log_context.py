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

CORRELATION_ID = "correlation_id"
"""The field's name, and the key of the baggage."""

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
    found: Mapping[str, Any] = get_current().get(_KEY, _NOTHING)
    return found


def all_fields() -> Mapping[str, Any]:
    """Return the fields and, where they have none of their own, the correlation id that came as baggage."""
    get_current = getattr(sys.modules.get("opentelemetry.context"), "get_current", None)
    current = _NOTHING if get_current is None else get_current()
    found: Mapping[str, Any] = current.get(_KEY, _NOTHING)
    if not current or CORRELATION_ID in found:
        return found
    carried = _carried(current)
    return found if carried is None else {CORRELATION_ID: carried, **found}


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
    return _carried(None)


def _carried(context: Any) -> str | None:
    get_baggage = getattr(sys.modules.get("opentelemetry.baggage"), "get_baggage", None)
    carried = None if get_baggage is None else get_baggage(CORRELATION_ID, context)
    return None if carried is None else guard.shown(carried)


def attached(**fields: Any) -> Attached:
    """Return a context manager in which ``fields`` are added to the log context; those that are None are left out."""
    return Attached(fields)


class Attached:
    """Fields that are in the log context from entering to leaving, for code that runs in the same context."""

    __slots__ = ("_fields", "_token")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self._token: Any = None

    def __enter__(self) -> Mapping[str, Any]:
        """Add the fields, and return all that hold now."""
        self._token = guard.call("log context", self._attach)
        return fields()

    def __exit__(self, *_: object) -> None:
        """Take them out again."""
        self.leave()

    def leave(self) -> bool:
        """Take them out again; False where that is not for the caller, who runs in another context."""
        token = self._token
        if token is None or not guard.call("log context", _detach, token, default=True):
            return token is None
        self._token = None
        return True

    def _attach(self) -> Any:
        from opentelemetry import baggage, context

        added = {name: value for name, value in self._fields.items() if value is not None}
        changed = context.Context({**context.get_current(), _KEY: {**fields(), **added}, _DEPTH: depth() + 1})
        if CORRELATION_ID in added:
            text = guard.shown(added[CORRELATION_ID])
            if len(text) <= _LONGEST_BAGGAGE:
                changed = baggage.set_baggage(CORRELATION_ID, text, changed)
        return context.attach(changed)


def _detach(token: Any) -> bool:
    variable = getattr(token, "var", None)
    if variable is None:
        from opentelemetry import context

        context.detach(token)
        return True
    # A generator that is closed by another task leaves in that task's context, which has nothing to take out; the
    # API's detach() would log that as an error.
    try:
        variable.reset(token)
    except ValueError:
        return False
    return True
