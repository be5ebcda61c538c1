"""Scrubbing of what leaves the process: attributes, texts and values, within limits of size and with a short memory.

What is not touched is returned as the same object, so that whoever asks need not build anything anew.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from obs_run import settings
from obs_run.core import content, guard, semconv
from obs_run.pipeline import redact_commands
from obs_run.pipeline.items import weight

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_SHORT = 64
_MOST_KNOWN = 8192
_FEW = 16
_NUMBERS = frozenset({int, float, bool, type(None)})
_OWN_NAMES = frozenset(value for value in vars(semconv).values() if isinstance(value, str))
_NOTHING: frozenset[str] = frozenset()
_SPECIAL: dict[str, Callable[[Any, Scrubber], Any]] = {
    semconv.PROCESS_COMMAND_ARGS: redact_commands.arguments,
    semconv.PROCESS_COMMAND_LINE: redact_commands.line,
    semconv.DB_QUERY_TEXT: redact_commands.query,
    semconv.DB_STATEMENT: redact_commands.query,
}


class Scrubber(Protocol):
    """What ``obs_run.privacy.scrubber()`` returns: each method answers with the same object where nothing was found."""

    active: bool

    def text(self, text: str) -> str:
        """Return a text without what must not leave."""

    def value(self, name: str | None, value: Any) -> Any:
        """Return a value of any depth without it; ``name`` is the field that holds the value."""

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return attributes without it."""


class Redaction:
    """Scrubs with one scrubber; from any thread. What its methods raise must not let the value through."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._most: int = settings.get("OBS_CONTENT_MAX_MESSAGE_CHARS")
        # Names and values repeat from span to span, and from one collection of metrics to the next.
        self._clean: set[tuple[str | None, Any]] = set()

    def attributes(self, given: Any, done: Collection[str] = _NOTHING) -> Any:
        """Return ``given`` or a dict in its place; the names in ``done`` are clean already."""
        if not given:
            return given
        # The SDK's mapping answers a copy at once, and item by item only slowly.
        items = given.copy() if hasattr(given, "copy") else dict(given)
        found: dict[str, Mapping[str, Any]] = {}
        for name, value in items.items():
            if name in done or is_figure(name, value):
                continue
            instead = self._instead(name, value)
            if instead is not None:
                found[name] = instead
        if not found:
            return given
        told: dict[str, Any] = {}
        for name, value in items.items():
            told.update(found.get(name, {name: value}))
        return told

    def text(self, text: Any) -> Any:
        """Return a name or description; what is no text is returned as it is."""
        if not text or not isinstance(text, str) or self._knows(None, text):
            return text
        scrubbed = self._scrubber.text(self._within(text))
        if scrubbed is text:
            self._remember(None, text)
        return scrubbed

    def value(self, name: str | None, value: Any) -> Any:
        """Return a value of any kind, such as a log record's body."""
        if type(value) in _NUMBERS or self._knows(name, value):
            return value
        if isinstance(value, (bytes, bytearray)):
            return self._of_bytes(name, value)
        scrubbed = self._scrubber.value(name, self._within(value))
        if scrubbed is value:
            self._remember(name, value)
        return scrubbed

    def content(self, name: str, value: Any) -> Any:
        """Return content within the limits; scrubbed as objects, before it is cut."""
        return content.limited(value, lambda piece: self._scrubber.value(name, piece))

    def _instead(self, name: str, value: Any) -> Mapping[str, Any] | None:
        """Return what takes the attribute's place, None if it may stay."""
        if self._knows(name, value):
            return None
        special = _SPECIAL.get(name)
        told = value if special is None else special(value, self._scrubber)
        one = {name: self._of_bytes(name, told) if isinstance(told, (bytes, bytearray)) else self._within(told)}
        scrubbed = self._scrubber.attributes(one)
        if scrubbed is one and one[name] is value:
            self._remember(name, value)
            return None
        return scrubbed

    def _of_bytes(self, name: str | None, value: bytes | bytearray) -> bytes | bytearray:
        try:
            text, coding = value.decode(), "utf-8"
        except UnicodeDecodeError:
            # Each byte is a character there, and all that is looked for is within ASCII.
            text, coding = value.decode("latin-1"), "latin-1"
        scrubbed = self._scrubber.value(name, self._within(text))
        return value if scrubbed is text else guard.shown(scrubbed).encode(coding, "replace")

    def _within(self, value: Any) -> Any:
        """Return ``value`` if it is of a size that can be scrubbed, else what the limits of content leave of it."""
        if isinstance(value, str):
            return value if len(value) <= self._most else self._cut(value)
        if isinstance(value, (dict, list, tuple)) and weight(value) > self._most:
            return content.limited(value, lambda piece: self._scrubber.value(None, piece), self._most)
        return value

    def _cut(self, text: str) -> str:
        if text[:1] in ("{", "["):
            try:
                parsed = json.loads(text)
            except (ValueError, RecursionError):
                pass
            else:
                return content.to_json(content.limited(parsed, lambda piece: self._scrubber.value(None, piece)))
        cut: str = content.limited(text, self._scrubber.text, self._most)
        return cut

    def _knows(self, name: str | None, value: Any) -> bool:
        try:
            return (name, value) in self._clean
        except TypeError:  # a list or a dict, inside of a tuple as well
            return False

    def _remember(self, name: str | None, value: Any) -> None:
        short = (type(value) is str and len(value) <= _SHORT) or (
            type(value) is tuple
            and len(value) <= _FEW
            and all(type(each) is str and len(each) <= _SHORT for each in value)
        )
        if short and (name is None or len(name) <= _SHORT):
            if len(self._clean) >= _MOST_KNOWN:
                self._clean.clear()
            self._clean.add((name, value))


def is_figure(name: str, value: Any) -> bool:
    """Whether an attribute is a number that the conventions know, and so nothing to be scrubbed."""
    return type(value) in _NUMBERS and name in _OWN_NAMES


class _Broken:
    """Stands for a scrubber that could not be made: nothing may leave that it would have looked at."""

    active = True

    def text(self, *_: Any) -> Any:
        raise RuntimeError("there is no scrubber")

    value = attributes = text


_shared: Redaction | None = None
_made = False


def shared() -> Redaction | None:
    """Return the process's redaction, made at the first call; None where nothing is to be scrubbed."""
    global _shared, _made
    if not _made:
        scrubber = _scrubber()
        _shared = None if scrubber is None else Redaction(scrubber)
        _made = True
    return _shared


def forget() -> None:
    """Make the redaction again at the next call."""
    global _shared, _made
    _shared, _made = None, False


def wanted() -> bool:
    """Whether the settings ask for anything to be scrubbed; loads nothing."""
    return settings.get("OBS_PRIVACY") != ("none",) or bool(settings.get("OBS_PRIVACY_RULES"))


def _scrubber() -> Scrubber | None:
    if not wanted():
        return None
    made = guard.call("OBS_PRIVACY", _load, default=_Broken())
    return made if made.active else None


def _load() -> Scrubber:
    from obs_run.privacy import scrubber

    return scrubber()
