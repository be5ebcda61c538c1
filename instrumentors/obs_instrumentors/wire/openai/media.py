"""Images and audio.

No operation of the conventions fits; ours are ``image_generation``, ``image_edit``, ``image_variation``, ``speech``,
``transcription`` and ``translation``. They are inferences otherwise, told apart by ``gen_ai.output.type`` too.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from obs_instrumentors.wire import billing
from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import read_error
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Inference
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .common_fields import read_sampling, read_usage


@sparse_dataclass
class Speech(Inference):
    """A text that is spoken: some models are paid by its characters, which a request that failed does not cost."""

    def pricing(self) -> dict[str, Any]:
        """Return what only the price needs to know."""
        return super().pricing() if self.error_type is None else {}


def _parse_speech_request(body: dict[str, Any]) -> Inference:
    operation = Speech("speech")
    _read_request(operation, "speech", "input", body)
    text = body.get("input")
    if isinstance(text, str):
        billing.add_units(operation, "input_characters", len(text))
    return operation


def _parse_request(name: str, output_type: str, prompt_field: str | None, body: dict[str, Any]) -> Inference:
    operation = Inference(name)
    _read_request(operation, output_type, prompt_field, body)
    return operation


def _read_request(operation: Inference, output_type: str, prompt_field: str | None, body: dict[str, Any]) -> None:
    operation.output_type = output_type
    read_sampling(operation, body)
    if prompt_field is None or not content.wanted():
        return
    prompt = payload.as_text(body.get(prompt_field))
    if prompt is not None:
        operation.input_messages = [messages.message("user", messages.text(prompt))]


def _read_images(operation: Inference, response: Any) -> None:
    """Read an ImagesResponse."""
    read_error(operation, payload.as_dict(response))
    read_usage(operation, payload.get(response, "usage"))
    images = payload.get_list(response, "data")
    if content.wanted() and images:
        mime_type = _mime_type(response)
        parts = [_image(image, mime_type) for image in images]
        operation.output_messages = [messages.message("assistant", *parts)]


def _read_image_event(operation: Inference, event: Any) -> None:
    """Read the event that completes an image; those of partial images have no usage."""
    raw_usage = payload.get(event, "usage")
    if raw_usage is None:
        read_error(operation, payload.as_dict(event))
        return
    read_usage(operation, raw_usage)
    if content.wanted():
        operation.output_messages = [messages.message("assistant", _image(event, _mime_type(event)))]


def _image(raw: Any, mime_type: str | None) -> messages.Part:
    url = payload.get_text(raw, "url")
    if url is not None:
        return messages.uri("image", url, mime_type)
    return messages.blob("image", mime_type, payload.get_text(raw, "b64_json") or "")


def _mime_type(response: Any) -> str | None:
    output_format = payload.get_text(response, "output_format")
    if output_format is None:
        return None
    return f"image/{output_format}"


def _read_nothing(_operation: Inference, _response: Any) -> None:
    """Sound carries neither text nor usage."""


def _read_transcription(operation: Inference, response: Any) -> None:
    """Read a Transcription or Translation, which is a plain text where the agent asked for one."""
    raw_usage = payload.get(response, "usage")
    if not isinstance(response, str):
        read_error(operation, payload.as_dict(response))
    read_usage(operation, raw_usage)
    # The usage of models that are billed by time, or the verbose form of the answer.
    duration = payload.coalesce(payload.get(raw_usage, "seconds"), payload.get(response, "duration"))
    billing.add_seconds(operation, payload.as_float(duration))
    text = response if isinstance(response, str) else payload.get_text(response, "text")
    if text and content.wanted():
        operation.output_messages = [messages.message("assistant", messages.text(text))]


def _read_transcription_event(operation: Inference, event: Any) -> None:
    if payload.get(event, "type") == "transcript.text.done":
        _read_transcription(operation, event)
    else:
        read_error(operation, payload.as_dict(event))


def _endpoint(
    name: str, output_type: str, prompt_field: str | None, read_response: Any, read_chunk: Any = None
) -> Endpoint:
    return Endpoint(partial(_parse_request, name, output_type, prompt_field), read_response, read_chunk)


IMAGE_GENERATION = _endpoint("image_generation", "image", "prompt", _read_images, _read_image_event)
IMAGE_EDIT = _endpoint("image_edit", "image", "prompt", _read_images, _read_image_event)
IMAGE_VARIATION = _endpoint("image_variation", "image", None, _read_images)
SPEECH = Endpoint(_parse_speech_request, _read_nothing)
TRANSCRIPTION = _endpoint("transcription", "text", "prompt", _read_transcription, _read_transcription_event)
TRANSLATION = _endpoint("translation", "text", "prompt", _read_transcription, _read_transcription_event)
