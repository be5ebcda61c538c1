"""Whether and where content is kept, and how an operation's content is taken at the moment at which it is complete."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.base.json_text import to_json

if TYPE_CHECKING:
    from obs_run.core.operations import Operation

__all__ = ["to_json", "wanted"]

_SETTING = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_DEEPEST = 16
_SCALARS = frozenset({str, int, float, bool, type(None)})
_NUMBERS = frozenset({int, float, bool, type(None)})
_INT64 = 2**63
_ITEM_SIZE = 50
_mode: str | None = None


def mode() -> str:
    """Return where content goes: "none", "span", "event" or "both"; read once in a process."""
    global _mode
    if _mode is None:
        _mode = _read_mode()
    return _mode


def _read_mode() -> str:
    chosen: str = settings.get(_SETTING)
    if settings.get("OTEL_CONFIG_FILE"):
        return chosen
    # To make it costs the agent time, even where it goes nowhere.
    if settings.get("OTEL_TRACES_EXPORTER") == ("none",):
        chosen = {"span": "none", "both": "event"}.get(chosen, chosen)
    if settings.get("OTEL_LOGS_EXPORTER") == ("none",):
        chosen = {"event": "none", "both": "span"}.get(chosen, chosen)
    return chosen


def wanted() -> bool:
    """Whether prompts, answers, tool arguments and results are to be recorded at all."""
    return mode() != "none"


def on_spans() -> bool:
    """Whether content goes on spans."""
    return mode() in ("span", "both")


def on_events() -> bool:
    """Whether content goes on events."""
    return mode() in ("event", "both")


def forget() -> None:
    """Read the setting again at the next question."""
    global _mode
    _mode = None


def plain_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """Make the values of ``attributes``, which nobody else holds, plain as they are at this moment."""
    copy: PlainCopy | None = None
    for name, value in attributes.items():
        if type(value) not in _SCALARS:
            copy = copy or PlainCopy()
            # A known name keeps its place, so that this may be done amid going through them.
            attributes[name] = copy.of(value)
    return attributes


def plain_content(operation: Operation) -> tuple[dict[str, Any], int]:
    """Return an operation's content by attribute names, as it is at this moment, and roughly how many bytes it has.

    There is none unless content is wanted.
    """
    if not wanted():
        return {}, 0
    copy = PlainCopy()
    return {name: copy.of(value) for name, value in operation.content().items()}, copy.size


class PlainCopy:
    """Copies values that nobody else holds, made of texts, numbers, bools, None, lists and dicts."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0
        """Roughly how many bytes of memory the copies hold."""

    def of(self, value: Any, depth: int = _DEEPEST) -> Any:
        """Return a copy of ``value``."""
        kind = type(value)
        if kind is str:
            self.size += len(value)
            return value
        if kind is dict or issubclass(kind, dict):
            return self._of_dict(value, depth - 1) if depth else "[nested too deep]"
        if issubclass(kind, (list, tuple)):
            return self._of_list(value, depth - 1) if depth else "[nested too deep]"
        return _as_number(value) if kind in _NUMBERS else self._of_other(value, kind)

    def _of_list(self, values: Any, depth: int) -> list[Any]:
        # At once, where no other thread can come between.
        items = list(values)
        self.size += _ITEM_SIZE * len(items)
        plain: list[Any] = []
        for item in items:
            # Most are messages and their parts; a call costs more than the question.
            if type(item) is dict and depth:
                plain.append(self._of_dict(item, depth - 1))
            else:
                plain.append(self.of(item, depth))
        return plain

    def _of_dict(self, values: Any, depth: int) -> dict[str, Any]:
        copied: dict[Any, Any] = dict.copy(values)
        self.size += _ITEM_SIZE * len(copied)
        plain: dict[str, Any] = {}
        for key, item in copied.items():
            name = key if type(key) is str else guard.shown(key)
            if type(item) is str:
                # Most are; a call costs more than the copy.
                self.size += len(item)
                plain[name] = item
            else:
                plain[name] = self.of(item, depth)
        return plain

    def _of_other(self, value: Any, kind: type) -> Any:
        if issubclass(kind, (bytes, bytearray)):
            return f"[{len(value)} bytes]"
        for number in (int, float):
            if issubclass(kind, number):
                return _as_number(number(value))
        # As JSON has it: an enumeration's text, not its name.
        text = str.__str__(value) if issubclass(kind, str) else guard.shown(value)
        self.size += len(text)
        return text


def _as_number(value: Any) -> Any:
    """Return a number, bool or None that JSON and OTLP have a form for, else a text."""
    kind = type(value)
    if kind is int and not -_INT64 <= value < _INT64:
        return f"[integer of {value.bit_length()} bits]"
    if kind is float and not isfinite(value):
        return str(value)
    return value
