"""What was recorded as JSON that a page can show: every text stays a text."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obs_run.telemetry.records import LogLine

_LARGEST_SAFE = 2**53 - 1


def shown(value: Any) -> Any:
    """Return an attribute's value as JSON; what JavaScript's numbers cannot hold, as text."""
    if isinstance(value, dict):
        return {str(key): shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes: {b64encode(value).decode('ascii')}"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST_SAFE:
        return str(value)
    return value


def parsed(value: Any) -> Any:
    """Return what the JSON in an attribute says, else the attribute as it is: cut off, or no JSON."""
    if not isinstance(value, str):
        return shown(value)
    try:
        return shown(json.loads(value))
    except (ValueError, RecursionError):
        return value


def body_text(line: LogLine) -> str:
    """Return what a log line says; an exception's type and message where it says nothing."""
    if isinstance(line.body, str) and line.body:
        return line.body
    if line.body:
        return json.dumps(shown(line.body), ensure_ascii=False)
    told = (line.attributes.get("exception.type"), line.attributes.get("exception.message"))
    return ": ".join(str(part) for part in told if part) or line.event_name or ""


def shortened(text: str, length: int) -> str:
    """Return the beginning of ``text``."""
    return text if len(text) <= length else text[: length - 1] + "…"
