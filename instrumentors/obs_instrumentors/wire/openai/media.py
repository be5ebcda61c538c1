"""Images and audio.

No operation of the conventions fits; ours are ``image_generation``, ``image_edit``, ``image_variation``, ``speech``,
``transcription`` and ``translation``. They are inferences otherwise, told apart by ``gen_ai.output.type`` too.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Inference

from .common_fields import read_sampling, usage


def _begin(name: str, output_type: str, prompt: str | None, body: dict[str, Any]) -> Inference:
    operation = Inference(name, output_type=output_type)
    read_sampling(operation, body)
    said = None if prompt is None else payload.as_text(body.get(prompt))
    if said is not None and content.wanted():
        operation.input_messages = [messages.message("user", messages.text(said))]
    return operation


def _images(operation: Inference, response: Any) -> None:
    operation.usage = usage(payload.get(response, "usage"))
    images = payload.get_list(response, "data")
    if content.wanted() and images:
        kind = _mime_type(response)
        operation.output_messages = [messages.message("assistant", *(_image(each, kind) for each in images))]


def _image_event(operation: Inference, event: Any) -> None:
    told = payload.get(event, "usage")
    if told is not None:
        operation.usage = usage(told)
        if content.wanted():
            operation.output_messages = [messages.message("assistant", _image(event, _mime_type(event)))]


def _image(raw: Any, mime_type: str | None) -> messages.Part:
    place = payload.get_text(raw, "url")
    if place is not None:
        return messages.uri("image", place, mime_type)
    return messages.blob("image", mime_type, payload.get_text(raw, "b64_json") or "")


def _mime_type(response: Any) -> str | None:
    form = payload.get_text(response, "output_format")
    return None if form is None else f"image/{form}"


def _no_answer(_operation: Inference, _response: Any) -> None:
    """Sound carries neither text nor usage."""


def _heard(operation: Inference, response: Any) -> None:
    told = payload.get(response, "usage")
    operation.usage = usage(told)
    seconds = payload.as_float(payload.coalesce(payload.get(told, "seconds"), payload.get(response, "duration")))
    if seconds is not None:
        operation.extra[semconv.OBS_USAGE_AUDIO_SECONDS] = seconds
    text = response if isinstance(response, str) else payload.get_text(response, "text")
    if text and content.wanted():
        operation.output_messages = [messages.message("assistant", messages.text(text))]


def _heard_event(operation: Inference, event: Any) -> None:
    if payload.get(event, "type") == "transcript.text.done":
        _heard(operation, event)


def _endpoint(name: str, output_type: str, prompt: str | None, result: Any, chunk: Any = None) -> Endpoint:
    return Endpoint(partial(_begin, name, output_type, prompt), result, chunk)


IMAGE_GENERATION = _endpoint("image_generation", "image", "prompt", _images, _image_event)
IMAGE_EDIT = _endpoint("image_edit", "image", "prompt", _images, _image_event)
IMAGE_VARIATION = _endpoint("image_variation", "image", None, _images)
SPEECH = _endpoint("speech", "speech", "input", _no_answer)
TRANSCRIPTION = _endpoint("transcription", "text", "prompt", _heard, _heard_event)
TRANSLATION = _endpoint("translation", "text", "prompt", _heard, _heard_event)
