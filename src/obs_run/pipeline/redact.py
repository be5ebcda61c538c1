"""Scrubbing of what leaves the process: attributes, texts and values, within limits of size and with a short memory.

What is not touched is returned as the same object, so that whoever asks need not build anything anew.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard, held_values
from obs_run.base.json_text import to_json
from obs_run.core import semconv
from obs_run.pipeline import content_limits, redact_commands
from obs_run.pipeline.items import weight

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from obs_run.pipeline.content_limits import Limits
    from obs_run.pipeline.scrubber import Scrubber

_SHORT = 64
_MOST_CACHED = 8192
_FEW = 16
_NUMBERS = frozenset({int, float, bool, type(None)})
_OWN_NAMES = frozenset(value for value in vars(semconv).values() if isinstance(value, str))
_NOTHING: frozenset[str] = frozenset()
# New with each call, which makes them the dearest of all; no key or token begins like these.
_IDS = frozenset({semconv.RESPONSE_ID, semconv.REQUEST_PREVIOUS_RESPONSE_ID, semconv.TOOL_CALL_ID})
_PROVIDERS_ID = re.compile(r"(?:chatcmpl|cmpl|resp|msg|call|toolu|embd)[-_][A-Za-z0-9]{1,60}").fullmatch
_SPECIAL: dict[str, Callable[[Any, Scrubber], Any]] = {
    semconv.PROCESS_COMMAND_ARGS: redact_commands.arguments,
    semconv.PROCESS_COMMAND_LINE: redact_commands.line,
    semconv.DB_QUERY_TEXT: redact_commands.query,
    semconv.DB_STATEMENT: redact_commands.query,
}


class Redaction:
    """Scrubs with one scrubber; from any thread. What its methods raise must not let the value through."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._most: int = settings.get("OBS_CONTENT_MAX_MESSAGE_CHARS")
        self.limits = content_limits.read_limits()
        """How much is kept of content that others may hold, too."""
        self.own_limits = content_limits.read_limits(is_own=True)
        # Names and values repeat from span to span, messages from call to call, and log lines all the time.
        self._clean: set[tuple[str | None, Any]] = set()
        self._clean_digests: set[bytes] = set()
        """Of what is not short."""
        self._held = held_values.changes()
        scrubber.renew()

    def renew(self) -> None:
        """Look for secrets that the process did not hold before, as of a ``.env`` file; once for each batch."""
        self._scrubber.renew()
        if held_values.changes() != self._held:
            self._forget()

    def _forget(self) -> None:
        """Forget what was clean before the process held another secret."""
        self._held = held_values.changes()
        self._clean.clear()
        self._clean_digests.clear()

    def attributes(self, attributes: Any, done: Collection[str] = _NOTHING) -> Any:
        """Return ``attributes`` or a dict in its place; the names in ``done`` are clean already."""
        if not attributes:
            return attributes
        if held_values.changes() != self._held:
            self._forget()
        # The SDK's mapping answers a copy at once, and item by item only slowly.
        items = attributes.copy() if hasattr(attributes, "copy") else dict(attributes)
        replacements: dict[str, Mapping[str, Any]] = {}
        clean = self._clean
        for name, value in items.items():
            # Each attribute of each span passes here.
            kind = type(value)
            if (kind is str and (name, value) in clean) or (kind in _NUMBERS and name in _OWN_NAMES) or name in done:
                continue
            instead = self._instead(name, value)
            if instead is not None:
                replacements[name] = instead
        if not replacements:
            return attributes
        result: dict[str, Any] = {}
        for name, value in items.items():
            result.update(replacements.get(name, {name: value}))
        return result

    def text(self, text: Any) -> Any:
        """Return a name or description; what is no text is returned as it is."""
        if held_values.changes() != self._held:
            self._forget()
        if not text or not isinstance(text, str) or self._is_cached(None, text):
            return text
        scrubbed = self._scrubber.text(self._within(text))
        if scrubbed is text:
            self._remember(None, text)
        return scrubbed

    def value(self, name: str | None, value: Any) -> Any:
        """Return a value of any kind, such as a log record's body."""
        if held_values.changes() != self._held:
            self._forget()
        if type(value) in _NUMBERS or self._is_cached(name, value):
            return value
        if isinstance(value, (bytes, bytearray)):
            return self._of_bytes(name, value)
        scrubbed = self._scrubber.value(name, self._within(value))
        if scrubbed is value:
            self._remember(name, value)
        return scrubbed

    def content(self, name: str, value: Any, limits: Limits) -> Any:
        """Return content within the limits; scrubbed as objects, before it is cut."""
        if held_values.changes() != self._held:
            self._forget()
        return content_limits.limited(value, limits, lambda piece, text: self._piece(name, piece, text))

    def _piece(self, name: str, piece: Any, text: str) -> Any:
        """Return a message or another piece of content; most were in the call before, too."""
        digest = _digest(name, text)
        if digest in self._clean_digests:
            return piece
        scrubbed = self._scrubber.value(name, piece)
        if scrubbed is piece:
            self._keep(self._clean_digests, digest)
        return scrubbed

    def _instead(self, name: str, value: Any) -> Mapping[str, Any] | None:
        """Return what takes the attribute's place, None if it may stay."""
        if self._is_cached(name, value) or (name in _IDS and type(value) is str and _PROVIDERS_ID(value)):
            return None
        special = _SPECIAL.get(name)
        candidate = value if special is None else special(value, self._scrubber)
        if isinstance(candidate, (bytes, bytearray)):
            one = {name: self._of_bytes(name, candidate)}
        else:
            one = {name: self._within(candidate)}
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
            return content_limits.limited(value, self._large_limits(), self._deep)
        return value

    def _large_limits(self) -> Limits:
        return self.limits._replace(longest=self._most)

    def _deep(self, piece: Any, _: str) -> Any:
        return self._scrubber.value(None, piece)

    def _cut(self, text: str) -> str:
        if text[:1] in ("{", "["):
            try:
                parsed = json.loads(text)
            except (ValueError, RecursionError):
                pass
            else:
                return to_json(content_limits.limited(parsed, self.limits, self._deep))
        cut: str = content_limits.limited(text, self._large_limits(), self._deep)
        return cut

    def _is_cached(self, name: str | None, value: Any) -> bool:
        if type(value) is str and len(value) > _SHORT:
            return _digest(name, value) in self._clean_digests
        try:
            return (name, value) in self._clean
        except TypeError:  # a list or a dict, inside of a tuple as well
            return False

    def _remember(self, name: str | None, value: Any) -> None:
        if type(value) is str and len(value) > _SHORT:
            self._keep(self._clean_digests, _digest(name, value))
        elif (name is None or len(name) <= _SHORT) and _is_short(value):
            self._keep(self._clean, (name, value))

    @staticmethod
    def _keep(cache: set[Any], one: Any) -> None:
        if len(cache) >= _MOST_CACHED:
            cache.clear()
        cache.add(one)


def _is_short(value: Any) -> bool:
    if type(value) is tuple:
        return len(value) <= _FEW and all(type(each) is str and len(each) <= _SHORT for each in value)
    return type(value) is str


def _digest(name: str | None, text: str) -> bytes:
    return blake2b(f"{name or ''}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def is_figure(name: str, value: Any) -> bool:
    """Whether an attribute is a number that the conventions know, and so nothing to be scrubbed."""
    return type(value) in _NUMBERS and name in _OWN_NAMES


class _Broken:
    """Stands for a scrubber that could not be made: nothing may leave that it would have looked at."""

    active = True

    def text(self, *_: Any) -> Any:
        raise RuntimeError("there is no scrubber")

    value = attributes = text

    def renew(self) -> None:
        """Hold nothing: all is withheld."""


_shared: Redaction | None = None
_is_loaded = False


def shared() -> Redaction | None:
    """Return the process's redaction, made at the first call; None where nothing is to be scrubbed."""
    global _shared, _is_loaded
    if not _is_loaded:
        scrubber = _scrubber()
        _shared = None if scrubber is None else Redaction(scrubber)
        _is_loaded = True
    return _shared


def limited(name: str, value: Any) -> Any:
    """Return content within the limits, scrubbed if anything is."""
    redaction = shared()
    if redaction is None:
        return content_limits.limited(value, content_limits.read_limits())
    return redaction.content(name, value, redaction.limits)


def forget() -> None:
    """Make the redaction again at the next call."""
    global _shared, _is_loaded
    _shared, _is_loaded = None, False


def _scrubber() -> Scrubber | None:
    if not settings.asks_for_scrubbing():
        return None
    try:
        from obs_run.privacy import scrubber

        loaded: Scrubber = scrubber()
    except Exception as error:  # noqa: BLE001 (whatever it was, nothing may leave that was not looked at)
        why = f"{type(error).__name__}: {guard.shown(error)}"
        guard.warn_once(f"OBS_PRIVACY: the rules cannot be loaded ({why}): telemetry leaves without its texts")
        return _Broken()
    return loaded if loaded.active else None
