"""What a provider sent and we have no words for: kept as it came, as texts, numbers, lists and dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages

if TYPE_CHECKING:
    from obs_run.core.messages import Part

_DEEPEST = 16


def plain(value: Any, depth: int = _DEEPEST) -> Any:
    """Return models as dicts, whole, without the fields that have no value."""
    if isinstance(value, (str, int, float)) or value is None:
        return value
    if not depth:
        # What copies it next has a way for what is deeper.
        return value
    if isinstance(value, (list, tuple)):
        return [plain(element, depth - 1) for element in value]
    fields = value if isinstance(value, dict) else payload.as_dict(value)
    if not fields:
        return value
    return {name: plain(field, depth - 1) for name, field in fields.items() if field is not None}


def text_or_json(value: Any) -> Part:
    """Return a part that is a text, or the JSON of what is none."""
    return messages.text(value if isinstance(value, str) else content.to_json(value))


def unknown_part(raw: Any, kind: str | None = None) -> Part:
    """Return a part whose type we do not know, with all that it says; ``kind`` names one that has no type."""
    fields = plain(raw)
    if not isinstance(fields, dict):
        return {"type": kind or "unknown", "content": fields}
    return {**fields, "type": kind or payload.get_text(fields, "type") or "unknown"}


def fields_besides(raw: Any, *names: str) -> dict[str, Any]:
    """Return all that a part says but for the fields that are read from it already."""
    fields = plain(raw)
    if not isinstance(fields, dict):
        return {}
    return {name: value for name, value in fields.items() if name not in names}
