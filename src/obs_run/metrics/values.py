"""What a measurement is: its kind, its value and its labels, whatever the agent passes for them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Mapping

    Label = str | bool | int | float

_INT64 = 2**63
_MOST_CHARS = 1024


class MetricType(Enum):
    """The kinds of metrics; SET is kept for old code and used by nothing."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    TIMER = "timer"
    SET = "set"


@dataclass
class MetricValue:
    """One value of a metric, its labels and when it was measured (seconds since 1970)."""

    name: str
    value: Any
    metric_type: MetricType
    timestamp: float = field(default_factory=time.time)
    tags: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return ``name``, ``value``, ``type``, ``timestamp`` and ``tags``."""
        return {
            "name": self.name,
            "value": self.value,
            "type": self.metric_type.value,
            "timestamp": self.timestamp,
            "tags": self.tags,
        }


def text_of(value: Any) -> str:
    """Return any value as a text that every exporter can encode, of at most 1,024 characters."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        text = str.__str__(value)
    elif isinstance(value, (bytes, bytearray)):
        text = bytes(value[:_MOST_CHARS]).decode("utf-8", "replace")
    else:
        text = guard.shown(value)
    text = text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def number(value: Any) -> float | None:
    """Return what can be taken for a finite number as a float (also texts, decimals, scalars of numpy), else None."""
    try:
        taken = float(value.value if isinstance(value, Enum) else value)
    except Exception as error:  # noqa: BLE001 (objects of the agent may raise anything)
        guard.pass_on_thrown_in(error)
        return None
    return taken if math.isfinite(taken) else None


def labels(tags: Mapping[Any, Any]) -> dict[str, Label]:
    """Return ``tags`` as labels: names are texts, values texts, truths or finite numbers; None means no label."""
    return {text_of(name) or "_": _label(value) for name, value in tags.items() if value is not None}


def _label(value: Any) -> Label:
    if isinstance(value, Enum):
        value = value.value
    if type(value) is bool:
        return value
    if type(value) is int and -_INT64 <= value < _INT64:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    return text_of(value)
