"""Whether, where and how much content is kept; limits cut inside the parts, so that the JSON always parses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.base import guard
from obs_run.base.encodable import encodable

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Operation

    Scrub = Callable[[Any, str], Any]
    """Returns a value without what must not leave, given the value and its JSON; the same object if nothing was found.
    """

__all__ = ["wanted"]

_SETTING = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_DEEPEST = 16
# What a part *is* rather than what it says: the schemas need it whole.
_LABELS = frozenset({"type", "role", "id", "name", "modality", "mime_type", "finish_reason"})
_BLOB_LABELS = _LABELS | {"content"}
_INT64 = 2**63
_SCALARS = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = (dict, list, tuple)
_LONGEST_LABEL = 256
MARGIN = 8192
"""Characters behind a limit that are scrubbed too; private keys, the longest of secrets, fit into it."""
_MARK = "\uf8ff\ue000"  # what a cut leaves until the text has been scrubbed; nobody writes that
_mode: str | None = None
# Made once: json.dumps() makes one for each text.
_encoder = json.JSONEncoder(ensure_ascii=False, default=guard.shown, separators=(",", ":"))


def mode() -> str:
    """Return where content goes: "none", "span", "event" or "both"; read once in a process."""
    global _mode
    if _mode is None:
        _mode = settings.get(_SETTING)
    return _mode


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


class _Limits(NamedTuple):
    longest: int
    keep_binary: bool
    step: str = "only"
    """"first" leaves a margin behind the limit, "last" takes it away."""


def limited(value: Any, scrub: Scrub | None = None, longest: int | None = None) -> Any:
    """Return a copy of ``value`` with long texts cut, binary parts named by size, and oversized lists shortened.

    ``scrub`` is given each piece of the copy before it is cut for good: half of a secret cannot be recognised any more.
    """
    if longest is None:
        longest = settings.get("OBS_CONTENT_MAX_CHARS")
    limits = _Limits(longest, settings.get("OBS_CONTENT_BINARY"))
    if isinstance(value, (list, tuple)):
        return _newest(value, settings.get("OBS_CONTENT_MAX_MESSAGE_CHARS"), limits, scrub)
    return _cut(value, limits, _DEEPEST) if scrub is None else _scrubbed(value, limits, _DEEPEST, scrub)[0]


def plain_content(operation: Operation) -> dict[str, Any]:
    """Return an operation's content by attribute names, as it is at this moment; nothing unless content is wanted."""
    if not wanted():
        return {}
    return {name: _plain(value, _DEEPEST) for name, value in operation.content().items()}


def plain_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """Make the values of ``attributes``, which nobody else holds, plain as they are at this moment."""
    for name, value in attributes.items():
        if type(value) not in _SCALARS:
            # A known name keeps its place, so that this may be done amid going through them.
            attributes[name] = _plain(value, _DEEPEST)
    return attributes


def _plain(value: Any, depth: int) -> Any:
    """Return a copy of ``value`` that nobody else holds, made of texts, numbers, bools, None, lists and dicts."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if issubclass(kind, _CONTAINERS):
        return _plain_container(value, depth - 1) if depth else "[nested too deep]"
    if issubclass(kind, (bytes, bytearray)):
        return f"[{len(value)} bytes]"
    for number in (int, float):
        if issubclass(kind, number):
            return number(value)
    return guard.shown(value)


def _plain_container(value: Any, depth: int) -> Any:
    if not isinstance(value, dict):
        return [_plain(item, depth) for item in tuple(value)]
    plain = {}
    for key, item in value.copy().items():
        name = key if type(key) is str else guard.shown(key)
        plain[name] = item if type(item) is str else _plain(item, depth)
    return plain


def to_json(value: Any) -> str:
    """Return ``value`` as JSON text; what JSON cannot say is written as its ``str``."""
    return _encoder.encode(value)


def _scrubbed(value: Any, limits: _Limits, depth: int, scrub: Scrub) -> tuple[Any, int]:
    """Return the value within the limits, and how long it is as JSON."""
    # A text of any size must not be scrubbed whole; with the margin every secret that the limit cuts is seen whole.
    roomy = _cut(value, limits._replace(step="first"), depth)
    text = to_json(roomy)
    clean = scrub(roomy, text)
    if clean is not roomy:
        text = to_json(clean)
    # Most texts are far from the limit, which their JSON tells.
    if len(text) > limits.longest or _MARK in text:
        clean = _cut(clean, limits._replace(keep_binary=True, step="last"), depth)
        text = to_json(clean)
    return clean, len(text)


def _cut(value: Any, limits: _Limits, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # Longer ones Python refuses to write, and OTLP has no place for them.
        return value if -_INT64 <= value < _INT64 else f"[integer of {value.bit_length()} bits]"
    if isinstance(value, float):
        # NaN and the infinities have no JSON form.
        return value if value - value == 0 else str(value)
    if isinstance(value, (dict, list, tuple)):
        return _cut_inside(value, limits, depth - 1) if depth else "[nested too deep]"
    text = f"[{len(value)} bytes]" if isinstance(value, (bytes, bytearray)) else encodable(guard.shown(value))
    if limits.step == "only" and len(text) <= limits.longest:
        return text
    return _cut_text(text, limits)


def _cut_text(text: str, limits: _Limits) -> str:
    longest, missing = limits.longest, 0
    if limits.step == "first":
        longest += MARGIN
    elif limits.step == "last" and text.endswith(_MARK):
        # At its end may stand the beginning of a secret that was not recognised.
        text, _, number = text[: -len(_MARK)].rpartition(_MARK)
        longest = min(longest, max(0, len(text) - MARGIN))
        missing = int(number) if number.isdecimal() else 0
    if len(text) <= longest:
        return text
    missing += len(text) - longest
    note = f"{_MARK}{missing}{_MARK}" if limits.step == "first" else f"[{missing} characters cut]"
    return text[:longest] + note


def _cut_inside(value: Any, limits: _Limits, depth: int) -> Any:
    if not isinstance(value, dict):
        return [_cut(item, limits, depth) for item in value]
    whole = _LABELS
    if value.get("type") == "blob" and isinstance(value.get("content"), str):
        if not limits.keep_binary:
            value = _without_payload(value)
        whole = _BLOB_LABELS
    return {
        encodable(guard.shown(key)): encodable(item)
        if isinstance(item, str) and key in whole and (len(item) <= _LONGEST_LABEL or key == "content")
        else _cut(item, limits, depth)
        for key, item in value.items()
    }


def _without_payload(blob: dict[str, Any]) -> dict[str, Any]:
    encoded: str = blob["content"]
    return {
        "type": "omitted_blob",
        "modality": blob.get("modality"),
        "mime_type": blob.get("mime_type"),
        "size": len(encoded) * 3 // 4 - encoded[-2:].count("="),
    }


def _newest(items: Any, most: int, limits: _Limits, scrub: Scrub | None) -> list[Any]:
    """Return the newest items that fit into ``most`` characters, within the limits; the last is always kept."""
    room = most
    kept: list[Any] = []
    depth = _DEEPEST - 1
    for item in reversed(items):
        if scrub is None:
            bounded = _cut(item, limits, depth)
            size = len(to_json(bounded))
        else:
            bounded, size = _scrubbed(item, limits, depth, scrub)
        room -= size
        if room < 0 and kept:
            break
        kept.append(bounded)
    kept.reverse()
    missing = len(items) - len(kept)
    if missing and kept and isinstance(kept[0], dict) and "role" in kept[0]:
        note = {"type": "text", "content": f"[{missing} earlier messages left out]"}
        kept.insert(0, {**kept[0], "parts": [note]})
    return kept
