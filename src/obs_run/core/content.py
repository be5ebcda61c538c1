"""Whether and where content is kept, and how an operation's content is taken at the moment at which it is complete."""

from __future__ import annotations

from _thread import get_ident
from itertools import compress
from math import isfinite
from operator import not_
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.base import guard
from obs_run.base.json_text import to_json
from obs_run.core.call_patterns import identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from obs_run.core.operations import McpCall, Operation, ToolCall

    T = TypeVar("T")

__all__ = ["note_arguments", "to_json", "wanted"]

_SETTING = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_DEEPEST = 16
_SCALARS = frozenset({str, int, float, bool, type(None)})
_NUMBERS = frozenset({int, float, bool, type(None)})
_MOST_BITS = 2048
"""Of longer integers Python may refuse to write the digits."""
_ITEM_SIZE = 50
_mode: str | None = None
_threads_without: set[int] = set()
"""Those that read a call again, whose content could not be read."""


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
    if _threads_without and get_ident() in _threads_without:
        return False
    # As mode() says; each chunk of a stream asks.
    return (_mode or mode()) != "none"


def read(site: str, function: Callable[..., T], *args: Any) -> T | None:
    """Return ``function(*args)``; where it fails it is called again without content, so that only that is lost."""
    try:
        return function(*args)
    except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
        guard.failed(site, error)
    if not wanted():
        return None
    thread = get_ident()
    _threads_without.add(thread)
    try:
        return guard.call(site, function, *args)
    finally:
        _threads_without.discard(thread)


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
    are_scalars = map(_SCALARS.__contains__, map(type, attributes.values()))
    # Nearly all are, and each operation passes here: so they are gone through in C.
    others = list(compress(attributes, map(not_, are_scalars)))
    if others:
        copy = PlainCopy()
        for name in others:
            attributes[name] = copy.of(attributes[name])
    return attributes


def note_arguments(operation: ToolCall | McpCall, arguments: Any) -> None:
    """Take the arguments of a tool: to know identical calls by, and as content only where that is wanted."""
    operation.identity = identity(operation.tool_name or "", arguments)
    if wanted():
        operation.arguments = arguments


class Taken(NamedTuple):
    """A value of an operation's content, as it was when it was taken."""

    source: Any
    length: int
    """How many items the source had; what an instrumentor added since is to be taken too."""
    plain: Any
    size: int


def take(operation: Operation) -> dict[str, Taken] | None:
    """Return an operation's content by attribute names, as it is at this moment; None unless content is wanted."""
    if not wanted():
        return None
    return {name: taken for name, value in operation.content().items() if (taken := _take(value)) is not None}


def _take(value: Any) -> Taken | None:
    copy = PlainCopy()
    try:
        length = len(value) if isinstance(value, (list, dict)) else 0
        return Taken(value, length, copy.of(value), copy.size)
    except Exception as error:  # noqa: BLE001 (the rest of the call is kept)
        guard.failed("content", error)
        return None


def plain_content(operation: Operation, before: dict[str, Taken] | None) -> tuple[dict[str, Any], int]:
    """Return an operation's content by attribute names, and roughly how many bytes it has.

    It is as it is at this moment; what was taken ``before``, when the call was made, is as it was then.
    """
    if not wanted():
        return {}, 0
    plain: dict[str, Any] = {}
    size = 0
    for name, value in operation.content().items():
        taken = None if before is None else before.get(name)
        if taken is None or not _is_same(taken, value):
            taken = _take(value)
        if taken is not None:
            plain[name] = taken.plain
            size += taken.size
    return plain, size


def _is_same(taken: Taken, value: Any) -> bool:
    if taken.source is not value:
        return False
    return not isinstance(value, (list, dict)) or len(value) == taken.length


def copied(value: Any) -> Any:
    """Return a copy of a value that the agent holds too and may change before the operation ends."""
    return PlainCopy().of(value)


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
            return self._of_dict(value, depth - 1) if depth else self._as_text(value)
        if issubclass(kind, (list, tuple)):
            return self._of_list(value, depth - 1) if depth else self._as_text(value)
        return _as_number(value) if kind in _NUMBERS else self._of_other(value, kind)

    def _as_text(self, value: Any) -> str:
        """Return what is deeper than viewers and OTLP go as its JSON."""
        try:
            text = to_json(value)
        except (RecursionError, TypeError, ValueError):
            return "[nested too deep]"
        self.size += len(text)
        return text

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
    """Return a number, bool or None that JSON has a form for, else a text."""
    kind = type(value)
    if kind is int and value.bit_length() > _MOST_BITS:
        return f"{value:#x}"
    if kind is float and not isfinite(value):
        return str(value)
    return value
