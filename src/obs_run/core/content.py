"""Whether, where and how much content is kept; limits cut inside the parts, so that the JSON always parses."""

from __future__ import annotations

import json
from typing import Any

from obs_run import settings
from obs_run.core import guard

_SETTING = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_DEEPEST = 16
# What a part *is* rather than what it says: the schemas need it whole.
_LABELS = frozenset({"type", "role", "id", "name", "modality", "mime_type", "finish_reason"})
_BLOB_LABELS = _LABELS | {"content"}
_INT64 = 2**63
_LONGEST_LABEL = 256
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


def limited(value: Any) -> Any:
    """Return a copy of ``value`` with long texts cut, binary parts named by size, and oversized lists shortened."""
    longest: int = settings.get("OBS_CONTENT_MAX_CHARS")
    cut = _cut(value, longest, _DEEPEST, keep_binary=settings.get("OBS_CONTENT_BINARY"))
    return _shortened(cut, settings.get("OBS_CONTENT_MAX_MESSAGE_CHARS")) if isinstance(cut, list) else cut


def to_json(value: Any) -> str:
    """Return ``value`` as JSON text; what JSON cannot say is written as its ``str``."""
    return _encoder.encode(value)


def _cut(value: Any, longest: int, depth: int, *, keep_binary: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # Longer ones Python refuses to write, and OTLP has no place for them.
        return value if -_INT64 <= value < _INT64 else f"[integer of {value.bit_length()} bits]"
    if isinstance(value, float):
        # NaN and the infinities have no JSON form.
        return value if value - value == 0 else str(value)
    if isinstance(value, (dict, list, tuple)):
        return _cut_inside(value, longest, depth - 1, keep_binary=keep_binary) if depth else "[nested too deep]"
    text = f"[{len(value)} bytes]" if isinstance(value, (bytes, bytearray)) else encodable(guard.shown(value))
    return text if len(text) <= longest else f"{text[:longest]}[{len(text) - longest} characters cut]"


def encodable(text: str) -> str:
    """Return ``text`` with what UTF-8 cannot say, such as half of a surrogate pair, as question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _cut_inside(value: Any, longest: int, depth: int, *, keep_binary: bool) -> Any:
    if not isinstance(value, dict):
        return [_cut(item, longest, depth, keep_binary=keep_binary) for item in value]
    whole = _LABELS
    if value.get("type") == "blob" and isinstance(value.get("content"), str):
        if not keep_binary:
            value = _without_payload(value)
        whole = _BLOB_LABELS
    return {
        encodable(guard.shown(key)): encodable(item)
        if isinstance(item, str) and key in whole and (len(item) <= _LONGEST_LABEL or key == "content")
        else _cut(item, longest, depth, keep_binary=keep_binary)
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


def _shortened(items: list[Any], most: int) -> list[Any]:
    """Drop the oldest items until the rest fits into ``most`` characters; the newest is always kept."""
    room = most
    kept: list[Any] = []
    for item in reversed(items):
        room -= len(to_json(item))
        if room < 0 and kept:
            break
        kept.append(item)
    kept.reverse()
    missing = len(items) - len(kept)
    if missing and kept and isinstance(kept[0], dict) and "role" in kept[0]:
        note = {"type": "text", "content": f"[{missing} earlier messages left out]"}
        kept.insert(0, {**kept[0], "parts": [note]})
    return kept
