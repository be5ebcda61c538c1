"""Requests for content and their answers, whole and in pieces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import billing
from obs_instrumentors.wire.failures import error_type
from obs_instrumentors.wire.token_counts import count_by_modality, merge_usage, sum_counts, usage_or_none
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Inference, Usage
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .contents import add_part, finish_reason, get, message, parts, tool_definitions

if TYPE_CHECKING:
    from obs_run.core.messages import Part


@dataclass
class Candidate:
    """One answer; its parts are kept only while content is wanted."""

    parts: list[Part] = field(default_factory=list)
    tool_calls: list[str] = field(default_factory=list)
    tool_call_ids: list[str | None] = field(default_factory=list)
    finish_reason: str | None = None
    search_queries: list[str] = field(default_factory=list)
    citations: list[Any] = field(default_factory=list)


@sparse_dataclass
class Answer(Inference):
    """Content that is generated, and what has come in of it so far."""

    candidates: dict[int, Candidate] = field(default_factory=dict)
    attempts: int = 0


_PAID_BY_ANSWER = ("gemini-1.", "gemini-2.")
_OUTPUT_TYPES = {
    "application/json": "json",
    "text/x.enum": "text",
    "text/plain": "text",
    "TEXT": "text",
    "IMAGE": "image",
    "AUDIO": "speech",
}


def read_request(operation: Answer, body: Any) -> None:
    """Read the body of a request for content, or for images."""
    # Gemini's models have the one, Imagen the other.
    config = payload.coalesce(get(body, "generationConfig"), get(body, "parameters"))
    operation.temperature = payload.as_float(get(config, "temperature"))
    operation.top_p = payload.as_float(get(config, "topP"))
    operation.top_k = payload.as_count(get(config, "topK"))
    operation.seed = payload.as_count(get(config, "seed"))
    operation.frequency_penalty = payload.as_float(get(config, "frequencyPenalty"))
    operation.presence_penalty = payload.as_float(get(config, "presencePenalty"))
    operation.max_tokens = payload.as_count(get(config, "maxOutputTokens"))
    operation.stop_sequences = payload.as_list(get(config, "stopSequences")) or None
    choice_count = payload.as_count(payload.coalesce(get(config, "candidateCount"), get(config, "sampleCount")))
    operation.choice_count = choice_count if choice_count != 1 else None
    level = payload.as_text(get(config, "thinkingConfig", "thinkingLevel"))
    if level is not None:
        operation.reasoning_level = level.lower()
    operation.output_type = operation.output_type or _output_type(config)
    if content.wanted():
        _read_texts(operation, body)


def _output_type(config: Any) -> str | None:
    mime_type = payload.as_text(get(config, "responseMimeType"))
    if mime_type is not None:
        return _OUTPUT_TYPES.get(mime_type)
    modalities = payload.as_list(get(config, "responseModalities"))
    if len(modalities) == 1:
        return _OUTPUT_TYPES.get(str(modalities[0]).upper())
    schema = payload.coalesce(get(config, "responseSchema"), get(config, "responseJsonSchema"))
    return None if schema is None else "json"


def _read_texts(operation: Answer, body: Any) -> None:
    operation.input_messages = [message(raw) for raw in payload.as_list(get(body, "contents"))]
    for instance in payload.as_list(get(body, "instances")):
        prompt = messages.text(payload.as_text(get(instance, "prompt")) or "")
        operation.input_messages.append(messages.message("user", prompt))
    instructions = parts(get(body, "systemInstruction"))
    operation.system_instructions = [part for part in instructions if part["type"] == "text"] or None
    operation.tool_definitions = tool_definitions(get(body, "tools")) or None


def read_response(operation: Answer, response: Any) -> None:
    """Read a GenerateContentResponse, whole or the next piece of one, or the predictions of an image model."""
    operation.response_id = payload.as_text(get(response, "responseId")) or operation.response_id
    operation.response_model = payload.as_text(get(response, "modelVersion")) or operation.response_model
    operation.usage = merge_usage(operation.usage, usage(response))
    error = get(response, "error")
    if error:
        operation.error_type = payload.get_text(error, "status") or error_type(error)
    for position, raw in enumerate(payload.as_list(get(response, "candidates"))):
        index = payload.as_count(get(raw, "index")) or position
        _read_candidate(operation.candidates.setdefault(index, Candidate()), raw)
    if get(response, "promptFeedback", "blockReason") not in (None, "BLOCK_REASON_UNSPECIFIED"):
        # The prompt was refused: there are no candidates that could tell.
        operation.finish_reasons = ["content_filter"]
    images = payload.as_list(get(response, "predictions"))
    if images and content.wanted():
        operation.output_messages = [messages.message("assistant", *(_image(image) for image in images))]


def _image(raw: Any) -> Part:
    data = payload.as_text(get(raw, "bytesBase64Encoded")) or ""
    return messages.blob("image", payload.as_text(get(raw, "mimeType")), data)


def _read_candidate(candidate: Candidate, raw: Any) -> None:
    candidate.finish_reason = finish_reason(get(raw, "finishReason")) or candidate.finish_reason
    grounding = get(raw, "groundingMetadata")
    for query in payload.as_list(get(grounding, "webSearchQueries")):
        if query and query not in candidate.search_queries:
            candidate.search_queries.append(query)
    wants_content = content.wanted()
    for part in payload.as_list(get(raw, "content", "parts")):
        name = payload.as_text(get(part, "functionCall", "name"))
        if name is not None:
            candidate.tool_calls.append(name)
            candidate.tool_call_ids.append(payload.as_text(get(part, "functionCall", "id")))
        if wants_content:
            add_part(candidate.parts, part)
    if wants_content:
        candidate.citations += payload.as_list(get(grounding, "groundingChunks"))
        candidate.citations += payload.as_list(get(raw, "citationMetadata", "citations"))


def usage(response: Any) -> Usage | None:
    """Return the tokens that an answer tells; its last piece tells those of all pieces."""
    metadata = get(response, "usageMetadata")
    if metadata is None:
        return None
    inputs = _by_modality(metadata, "promptTokensDetails", "toolUsePromptTokensDetails")
    outputs = _by_modality(metadata, "candidatesTokensDetails")
    result = Usage(
        # What tools and thoughts take is counted beside, and is billed as input and output.
        input_tokens=_sum(metadata, "promptTokenCount", "toolUsePromptTokenCount"),
        output_tokens=_sum(metadata, "candidatesTokenCount", "thoughtsTokenCount"),
        cache_read_tokens=payload.as_count(get(metadata, "cachedContentTokenCount")),
        reasoning_tokens=payload.as_count(get(metadata, "thoughtsTokenCount")),
        text_input_tokens=inputs.get("TEXT"),
        image_input_tokens=inputs.get("IMAGE"),
        audio_input_tokens=inputs.get("AUDIO"),
        text_output_tokens=outputs.get("TEXT"),
        image_output_tokens=outputs.get("IMAGE"),
        audio_output_tokens=outputs.get("AUDIO"),
        audio_cache_read_tokens=_by_modality(metadata, "cacheTokensDetails").get("AUDIO"),
    )
    return usage_or_none(result)


def _sum(metadata: Any, *names: str) -> int | None:
    return sum_counts(payload.as_count(get(metadata, name)) for name in names)


def _by_modality(metadata: Any, *names: str) -> dict[str, int]:
    counts: list[tuple[str, int | None]] = []
    for name in names:
        details = payload.as_list(get(metadata, name))
        counts += [(str(get(raw, "modality")), payload.as_count(get(raw, "tokenCount"))) for raw in details]
    return count_by_modality(counts)


def finish(operation: Answer) -> None:
    """Complete the operation from what has come in."""
    candidates = [candidate for _, candidate in sorted(operation.candidates.items())]
    operation.candidates = {}
    tool_calls: list[str] = []
    tool_call_ids: list[str | None] = []
    for candidate in candidates:
        tool_calls += candidate.tool_calls
        tool_call_ids += candidate.tool_call_ids
    if tool_calls:
        operation.tool_calls, operation.tool_call_ids = tool_calls, tool_call_ids
    _count_searches(operation, candidates)
    reasons = [_finish_reason(candidate) for candidate in candidates]
    operation.finish_reasons = [reason for reason in reasons if reason is not None] or operation.finish_reasons
    if candidates and content.wanted():
        operation.output_messages = [
            messages.message("assistant", *_cited(candidate), finish_reason=reason)
            for candidate, reason in zip(candidates, reasons, strict=True)
        ]


def _count_searches(operation: Answer, candidates: list[Candidate]) -> None:
    """Count the searches that are paid for: each of them, or with older models each answer that is grounded."""
    queries = sum(len(candidate.search_queries) for candidate in candidates)
    model = operation.response_model or operation.request_model or ""
    if queries and any(family in model for family in _PAID_BY_ANSWER):
        queries = 1
    billing.add_units(operation, "web_searches", queries)


def _cited(candidate: Candidate) -> list[Part]:
    """Return the parts of an answer, the last of its texts with what it refers to."""
    texts = [part for part in candidate.parts if part["type"] == "text"]
    if texts and candidate.citations:
        texts[-1]["citations"] = candidate.citations
    return candidate.parts


def _finish_reason(candidate: Candidate) -> str | None:
    """Return why an answer ended; that it asks for tools the API does not tell."""
    if candidate.tool_calls and candidate.finish_reason == "stop":
        return "tool_call"
    return candidate.finish_reason
