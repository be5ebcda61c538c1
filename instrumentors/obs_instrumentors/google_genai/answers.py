"""Requests for content and their answers, whole and in pieces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Inference, Usage

from .contents import add, count, finish_reason, get, message, parts, tool_definitions

if TYPE_CHECKING:
    from obs_run.core.messages import Part


@dataclass
class Candidate:
    """One answer; its parts are kept only while content is wanted."""

    parts: list[Part] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    finish_reason: str | None = None


@dataclass
class Answer(Inference):
    """Content that is generated, and what has come in of it so far."""

    candidates: dict[int, Candidate] = field(default_factory=dict)
    attempts: int = 0


def read_request(operation: Answer, body: Any) -> None:
    """Read the body of a request for content, or for images."""
    wishes = payload.coalesce(get(body, "generationConfig"), get(body, "parameters"))
    operation.temperature = payload.as_float(get(wishes, "temperature"))
    operation.top_p = payload.as_float(get(wishes, "topP"))
    operation.top_k = count(get(wishes, "topK"))
    operation.seed = count(get(wishes, "seed"))
    operation.frequency_penalty = payload.as_float(get(wishes, "frequencyPenalty"))
    operation.presence_penalty = payload.as_float(get(wishes, "presencePenalty"))
    operation.max_tokens = count(get(wishes, "maxOutputTokens"))
    operation.stop_sequences = payload.as_list(get(wishes, "stopSequences")) or None
    answers = count(payload.coalesce(get(wishes, "candidateCount"), get(wishes, "sampleCount")))
    operation.choice_count = answers if answers != 1 else None
    level = payload.as_text(get(wishes, "thinkingConfig", "thinkingLevel"))
    operation.reasoning_level = None if level is None else level.lower()
    operation.output_type = operation.output_type or _output_type(wishes)
    if content.wanted():
        _read_texts(operation, body)


def _output_type(wishes: Any) -> str | None:
    kind = payload.as_text(get(wishes, "responseMimeType"))
    if kind is not None:
        return _OUTPUT_TYPES.get(kind)
    wanted = payload.as_list(get(wishes, "responseModalities"))
    if len(wanted) == 1:
        return _OUTPUT_TYPES.get(str(wanted[0]).upper())
    schema = payload.coalesce(get(wishes, "responseSchema"), get(wishes, "responseJsonSchema"))
    return None if schema is None else "json"


_OUTPUT_TYPES = {
    "application/json": "json",
    "text/x.enum": "text",
    "text/plain": "text",
    "TEXT": "text",
    "IMAGE": "image",
    "AUDIO": "speech",
}


def _read_texts(operation: Answer, body: Any) -> None:
    prompts = [payload.as_text(get(each, "prompt")) or "" for each in payload.as_list(get(body, "instances"))]
    operation.input_messages = [
        *(message(each) for each in payload.as_list(get(body, "contents"))),
        *(messages.message("user", messages.text(prompt)) for prompt in prompts),
    ]
    told = get(body, "systemInstruction")
    operation.system_instructions = [part for part in parts(told) if part["type"] == "text"] or None
    operation.tool_definitions = tool_definitions(get(body, "tools")) or None


def read(operation: Answer, response: Any) -> None:
    """Read an answer, or the next piece of one."""
    operation.response_id = payload.as_text(get(response, "responseId")) or operation.response_id
    operation.response_model = payload.as_text(get(response, "modelVersion")) or operation.response_model
    operation.usage = usage(response) or operation.usage
    for position, each in enumerate(payload.as_list(get(response, "candidates"))):
        _read_candidate(operation.candidates.setdefault(count(get(each, "index")) or position, Candidate()), each)
    if get(response, "promptFeedback", "blockReason") is not None:
        operation.finish_reasons = ["content_filter"]
    images = payload.as_list(get(response, "predictions"))
    if images and content.wanted():
        operation.output_messages = [messages.message("assistant", *(_image(each) for each in images))]


def _image(raw: Any) -> Part:
    return messages.blob(
        "image", payload.as_text(get(raw, "mimeType")), payload.as_text(get(raw, "bytesBase64Encoded")) or ""
    )


def _read_candidate(candidate: Candidate, raw: Any) -> None:
    candidate.finish_reason = finish_reason(get(raw, "finishReason")) or candidate.finish_reason
    wanted = content.wanted()
    for part in payload.as_list(get(raw, "content", "parts")):
        name = payload.as_text(get(part, "functionCall", "name"))
        if name is not None:
            candidate.calls.append(name)
        if wanted:
            add(candidate.parts, part)


def usage(response: Any) -> Usage | None:
    """Return the tokens that an answer tells; its last piece tells those of all pieces."""
    told = get(response, "usageMetadata")
    if told is None:
        return None
    inputs = _by_modality(told, "promptTokensDetails", "toolUsePromptTokensDetails")
    outputs = _by_modality(told, "candidatesTokensDetails")
    read = Usage(
        input_tokens=_sum(told, "promptTokenCount", "toolUsePromptTokenCount"),
        output_tokens=_sum(told, "candidatesTokenCount", "thoughtsTokenCount"),
        cache_read_tokens=count(get(told, "cachedContentTokenCount")),
        reasoning_tokens=count(get(told, "thoughtsTokenCount")),
        text_input_tokens=inputs.get("TEXT"),
        image_input_tokens=inputs.get("IMAGE"),
        audio_input_tokens=inputs.get("AUDIO"),
        text_output_tokens=outputs.get("TEXT"),
        image_output_tokens=outputs.get("IMAGE"),
        audio_output_tokens=outputs.get("AUDIO"),
        audio_cache_read_tokens=_by_modality(told, "cacheTokensDetails").get("AUDIO"),
    )
    return None if read == Usage() else read


def _sum(told: Any, *names: str) -> int | None:
    known = [number for name in names if (number := count(get(told, name))) is not None]
    return sum(known) if known else None


def _by_modality(told: Any, *names: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in (each for name in names for each in payload.as_list(get(told, name))):
        number = count(get(each, "tokenCount"))
        if number is not None:
            kind = str(get(each, "modality"))
            found[kind] = found.get(kind, 0) + number
    return found


def end(operation: Answer) -> None:
    """Complete the operation from what has come in."""
    made = [candidate for _, candidate in sorted(operation.candidates.items())]
    operation.candidates = {}
    operation.tool_calls = [name for each in made for name in each.calls] or None
    if any(each.finish_reason for each in made):
        operation.finish_reasons = [_reason(each) or "error" for each in made]
    if made and content.wanted():
        operation.output_messages = [
            messages.message("assistant", *each.parts, finish_reason=_reason(each)) for each in made
        ]


def _reason(candidate: Candidate) -> str | None:
    """Return why an answer ended; that it asks for tools the API does not tell."""
    return "tool_call" if candidate.calls and candidate.finish_reason == "stop" else candidate.finish_reason
