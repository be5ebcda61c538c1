"""The limits of content: they cut inside the parts, so that the JSON always parses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.base import guard
from obs_run.base.encodable import encodable
from obs_run.base.json_text import to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    Scrub = Callable[[Any, str], Any]
    """Returns a value without what must not leave, given the value and its JSON; the same object if nothing was found.
    """

_DEEPEST = 16
# What a part *is* rather than what it says: the schemas need it whole.
_LABELS = frozenset({"type", "role", "id", "name", "modality", "mime_type", "finish_reason"})
_BLOB_LABELS = _LABELS | {"content"}
_MOST_BITS = 2048
_INSTRUCTING = frozenset({"system", "developer"})
_LONGEST_LABEL = 256
MARGIN = 8192
"""Characters behind a limit that are scrubbed too; private keys, the longest of secrets, fit into it."""
_MARK = "\uf8ff\ue000"  # what a cut leaves until the text has been scrubbed; nobody writes that
_BLOB = '"type":"blob"'


class Limits(NamedTuple):
    """How much is kept, and of what."""

    longest: int
    """Characters of one text."""
    longest_list: int
    """Characters of a list of messages as JSON."""
    keep_binary: bool
    is_own: bool
    """Whether the content is plain and nobody else's, so that what is within the limits need not be copied."""
    step: str = "only"
    """"first" leaves a margin behind the limit, "last" takes it away."""


def read_limits(*, is_own: bool = False) -> Limits:
    """Return what the settings say."""
    return Limits(
        settings.get("OBS_CONTENT_MAX_CHARS"),
        settings.get("OBS_CONTENT_MAX_MESSAGE_CHARS"),
        settings.get("OBS_CONTENT_BINARY"),
        is_own,
    )


def limited(value: Any, limits: Limits, scrub: Scrub | None = None) -> Any:
    """Return a copy of ``value`` with long texts cut, binary parts named by size, and oversized lists shortened.

    ``scrub`` is given each piece of the copy before it is cut for good: half of a secret cannot be recognised any more.
    """
    if isinstance(value, (list, tuple)):
        return _newest(value, limits, scrub)
    return _bounded(value, limits, _DEEPEST, scrub)[0]


def _bounded(value: Any, limits: Limits, depth: int, scrub: Scrub | None) -> tuple[Any, int]:
    """Return the value within the limits, and how long it is as JSON."""
    text = to_json(value) if limits.is_own else ""
    if text and _is_within(text, limits):
        clean = value if scrub is None else scrub(value, text)
        if clean is value:
            return value, len(text)
    if scrub is None:
        cut = _cut(value, limits, depth)
        return cut, len(to_json(cut))
    return _scrubbed(value, limits, depth, scrub)


def _is_within(text: str, limits: Limits) -> bool:
    """Whether a value with this JSON is as short, as flat and as plain as it has to be."""
    if len(text) > limits.longest or text.count("[") + text.count("{") >= _DEEPEST:
        return False
    return _BLOB not in text and encodable(text) == text


def _scrubbed(value: Any, limits: Limits, depth: int, scrub: Scrub) -> tuple[Any, int]:
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


def _cut(value: Any, limits: Limits, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # Of longer ones Python may refuse to write the digits.
        return value if value.bit_length() <= _MOST_BITS else f"{value:#x}"
    if isinstance(value, float):
        # NaN and the infinities have no JSON form.
        return value if value - value == 0 else str(value)
    if isinstance(value, (dict, list, tuple)):
        return _cut_inside(value, limits, depth - 1) if depth else _cut_text(_json_of_deep(value), limits)
    text = f"[{len(value)} bytes]" if isinstance(value, (bytes, bytearray)) else encodable(guard.shown(value))
    if limits.step == "only" and len(text) <= limits.longest:
        return text
    return _cut_text(text, limits)


def _json_of_deep(value: Any) -> str:
    try:
        return encodable(to_json(value))
    except (RecursionError, TypeError, ValueError):
        return "[nested too deep]"


def _cut_text(text: str, limits: Limits) -> str:
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


def _cut_inside(value: Any, limits: Limits, depth: int) -> Any:
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


def _newest(items: Any, limits: Limits, scrub: Scrub | None) -> list[Any]:
    """Return the items that fit into the limits: the instructions at the beginning and the newest; the last always."""
    room = limits.longest_list
    depth = _DEEPEST - 1
    first: list[Any] = []
    # At most half of the room, and not the last one, which is kept in any case.
    for item in items[:-1]:
        if not isinstance(item, dict) or item.get("role") not in _INSTRUCTING:
            break
        bounded, size = _bounded(item, limits, depth, scrub)
        if room - size - 1 < limits.longest_list // 2:
            break
        room -= size + 1
        first.append(bounded)
    kept: list[Any] = []
    for item in reversed(items[len(first) :]):
        bounded, size = _bounded(item, limits, depth, scrub)
        room -= size + 1  # and a comma
        if room < 0 and kept:
            break
        kept.append(bounded)
    kept.reverse()
    missing = len(items) - len(first) - len(kept)
    if missing and kept and isinstance(kept[0], dict) and "role" in kept[0]:
        note = {"type": "text", "content": f"[{missing} earlier messages left out]"}
        kept.insert(0, {**kept[0], "role": "system", "parts": [note]})
    return [*first, *kept]
