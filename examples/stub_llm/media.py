"""Images and audio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import answers
from .wire import CREATED, DONE, Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .wire import Json, Request

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_SPOKEN = "Welcome to the city of seven hills."
_SECONDS = 4.2
_AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac"}


def images(request: Request) -> Reply | Stream:
    """Answer with one pixel for each image asked for."""
    prompt = answers.count(request.body.get("prompt"))
    wanted = int(request.body.get("n") or 1)
    usage: Json = {
        "input_tokens": prompt,
        "input_tokens_details": {"text_tokens": prompt, "image_tokens": 0},
        "output_tokens": 272 * wanted,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 272 * wanted},
        "total_tokens": prompt + 272 * wanted,
    }
    if request.body.get("stream") in (True, "true"):
        family = "image_edit" if request.path.endswith("edits") else "image_generation"
        return Stream(_image_events(family, usage))
    as_url = request.body.get("response_format") == "url"
    image = {"url": "https://images.example/stub.png"} if as_url else {"b64_json": _PIXEL}
    body: Json = {"created": CREATED, "data": [image] * wanted}
    if "no-usage" not in request.switches and not as_url:
        body |= {"usage": usage, "size": "1024x1024", "quality": "low", "output_format": "png", "background": "opaque"}
    return Reply(body)


def _image_events(family: str, usage: Json) -> Iterator[bytes]:
    shape = {"b64_json": _PIXEL, "created_at": CREATED, "size": "1024x1024", "quality": "low"}
    shape |= {"background": "opaque", "output_format": "png"}
    kind = f"{family}.partial_image"
    yield event({"type": kind, "partial_image_index": 0} | shape, kind)
    kind = f"{family}.completed"
    yield event({"type": kind, "usage": usage} | shape, kind)


def speech(request: Request) -> Reply | Stream:
    """Answer with bytes that pass for audio, or as events."""
    audio = b"stub-audio:" + " ".join(answers.texts(request.body.get("input"))).encode()
    if request.body.get("stream_format") == "sse":
        return Stream(_speech_events(answers.count(request.body.get("input"))))
    kind = _AUDIO_TYPES.get(str(request.body.get("response_format")), "audio/mpeg")
    return Reply(audio, content_type=kind)


def _speech_events(prompt: int) -> Iterator[bytes]:
    yield event({"type": "speech.audio.delta", "audio": "c3R1Yg=="})
    usage = {"input_tokens": prompt, "output_tokens": 40, "total_tokens": prompt + 40}
    yield event({"type": "speech.audio.done", "usage": usage})


def _token_usage() -> Json:
    answer = answers.count(_SPOKEN)
    return {
        "type": "tokens",
        "input_tokens": 42,
        "input_token_details": {"audio_tokens": 40, "text_tokens": 2},
        "output_tokens": answer,
        "total_tokens": 42 + answer,
    }


def transcribe(request: Request) -> Reply | Stream:
    """Answer with the text of any recording: usage in seconds from whisper, in tokens from the others."""
    by_time = request.model.startswith("whisper") or "duration" in request.switches
    usage = {"type": "duration", "seconds": _SECONDS} if by_time else _token_usage()
    if request.body.get("stream") in (True, "true") and not by_time:
        return Stream(_transcript_events(usage))
    return _written(request, usage)


def translate(request: Request) -> Reply | Stream:
    """Answer with a translation, which carries no usage."""
    return _written(request, None)


def _written(request: Request, usage: Json | None) -> Reply:
    wanted = request.body.get("response_format") or "json"
    if wanted in {"text", "srt", "vtt"}:
        return Reply(f"{_SPOKEN}\n".encode(), content_type="text/plain; charset=utf-8")
    body: Json = {"text": _SPOKEN}
    if wanted == "verbose_json":
        body |= {"task": "transcribe", "language": "english", "duration": _SECONDS, "segments": []}
    if usage and "no-usage" not in request.switches:
        body["usage"] = usage
    return Reply(body)


def _transcript_events(usage: Json) -> Iterator[bytes]:
    for piece in answers.pieces(_SPOKEN):
        yield event({"type": "transcript.text.delta", "delta": piece})
    yield event({"type": "transcript.text.done", "text": _SPOKEN, "usage": usage})
    yield DONE
