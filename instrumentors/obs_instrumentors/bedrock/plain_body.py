"""Bodies that are a prompt and its continuation: of Titan, Llama, Mistral, Cohere, DeepSeek; and images."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire.failures import read_error
from obs_instrumentors.wire.token_counts import merge_usage, sum_counts
from obs_run.base import payload
from obs_run.core import content, messages

from .answer import Answer, append_text, read_finish_reason, usage_of

# What the makers of models call the same things; a body has one of each.
_TEXT_FIELDS = ("outputText", "generation", "text", "completion")
_REASON_FIELDS = ("completionReason", "stop_reason", "finish_reason", "finishReason")
_RESULT_FIELDS = ("results", "outputs", "generations", "choices", "completions")
_MAX_TOKENS_FIELDS = ("max_tokens", "max_gen_len", "maxTokenCount", "maxTokens", "max_tokens_to_sample")


def parse_request(body: dict[str, Any]) -> Answer:
    """Return the operation that a request means."""
    # Titan has the parameters in an object, the others beside the prompt.
    params = payload.coalesce(body.get("textGenerationConfig"), body)
    operation = Answer(
        "chat" if "message" in body else "text_completion",
        temperature=payload.get_float(params, "temperature"),
        top_p=payload.as_float(_first_of(params, "top_p", "topP", "p")),
        top_k=payload.as_int(_first_of(params, "top_k", "topK", "k")),
        max_tokens=payload.as_int(_first_of(params, *_MAX_TOKENS_FIELDS)),
        stop_sequences=payload.as_list(_first_of(params, "stop", "stop_sequences", "stopSequences")) or None,
    )
    if content.wanted():
        history = [_history_message(raw) for raw in payload.as_list(body.get("chat_history"))]
        prompt = payload.as_text(_first_of(body, "prompt", "inputText", "message")) or ""
        operation.input_messages = [*history, messages.message("user", messages.text(prompt))]
    return operation


def parse_image_request(body: dict[str, Any]) -> Answer:
    """Return the operation that a wish for an image means."""
    operation = Answer("image_generation", output_type="image")
    if content.wanted():
        prompt = _image_prompt(body)
        if prompt is not None:
            operation.input_messages = [messages.message("user", messages.text(prompt))]
    return operation


def _image_prompt(body: dict[str, Any]) -> str | None:
    """Return Amazon's prompt, or the first of Stability's weighted ones."""
    text = payload.get(body.get("textToImageParams"), "text")
    if text is not None:
        return payload.as_text(text)
    prompts = payload.as_list(body.get("text_prompts"))
    return payload.get_text(prompts[0], "text") if prompts else None


def read_response(operation: Answer, body: dict[str, Any]) -> None:
    """Read a whole answer or a piece of one."""
    results = payload.as_list(_first_of(body, *_RESULT_FIELDS))
    # Without a list of results the body itself is the only one.
    for index, result in enumerate(results or [body]):
        # AI21 has the text in an object around it, and the reason too.
        text = payload.coalesce(_first_of(result, *_TEXT_FIELDS), payload.get(result, "data", "text"))
        append_text(operation.block(index), text)
        reason = _first_of(result, *_REASON_FIELDS)
        read_finish_reason(operation, payload.coalesce(payload.get(reason, "reason"), reason))
    output_tokens = payload.coalesce(
        body.get("totalOutputTextTokenCount"),
        sum_counts(payload.get_int(result, "tokenCount") for result in results),
        body.get("generation_token_count"),
        sum_counts(len(payload.get_list(result, "data", "tokens")) or None for result in results),
    )
    # AI21 lists the tokens themselves.
    prompt_tokens = len(payload.get_list(body, "prompt", "tokens")) or None
    input_tokens = payload.coalesce(_first_of(body, "inputTextTokenCount", "prompt_token_count"), prompt_tokens)
    operation.usage = merge_usage(operation.usage, usage_of(input_tokens, output_tokens))
    read_error(operation, body)
    response_id = _first_of(body, "response_id", "id")
    operation.response_id = payload.as_text(response_id) or operation.response_id


def read_images(operation: Answer, body: dict[str, Any]) -> None:
    """Read images."""
    if not content.wanted():
        return
    parts: list[messages.Part] = []
    for image in payload.as_list(_first_of(body, "images", "artifacts")):
        # Amazon's are texts, Stability's are objects around them.
        data = payload.coalesce(payload.get(image, "base64"), image)
        parts.append(messages.blob("image", None, str(data)))
    operation.output_messages = [messages.message("assistant", *parts)]


def _history_message(raw: Any) -> messages.Message:
    role = "assistant" if str(payload.get(raw, "role")).upper() == "CHATBOT" else "user"
    return messages.message(role, messages.text(str(payload.get(raw, "message"))))


def _first_of(value: Any, *names: str) -> Any:
    """Return the first of several fields that is there."""
    for name in names:
        field = payload.get(value, name)
        if field is not None:
            return field
    return None
