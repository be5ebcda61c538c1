"""Bodies that are a prompt and its continuation: of Titan, Llama, Mistral, Cohere, DeepSeek; and pictures."""

from __future__ import annotations

from typing import Any

from obs_run.base import payload
from obs_run.core import content, messages

from .answer import Answer, add, counted, note_reason

_TEXTS = ("outputText", "generation", "text", "completion")
_REASONS = ("completionReason", "stop_reason", "finish_reason")
_PARTS = ("results", "outputs", "generations", "choices")


def begin(body: dict[str, Any]) -> Answer:
    """Return the operation that a request means."""
    settings = payload.coalesce(body.get("textGenerationConfig"), body)

    def given(*names: str) -> Any:
        return _first(settings, *names)

    operation = Answer(
        "chat" if "message" in body else "text_completion",
        temperature=payload.as_float(given("temperature")),
        top_p=payload.as_float(given("top_p", "topP", "p")),
        top_k=payload.as_int(given("top_k", "topK", "k")),
        max_tokens=payload.as_int(
            given("max_tokens", "max_gen_len", "maxTokenCount", "maxTokens", "max_tokens_to_sample")
        ),
        stop_sequences=payload.as_list(given("stop", "stop_sequences", "stopSequences")) or None,
    )
    if content.wanted():
        earlier = [_earlier(each) for each in payload.as_list(body.get("chat_history"))]
        prompt = payload.as_text(_first(body, "prompt", "inputText", "message")) or ""
        operation.input_messages = [*earlier, messages.message("user", messages.text(prompt))]
    return operation


def picture(body: dict[str, Any]) -> Answer:
    """Return the operation that a wish for a picture means."""
    weighted = payload.get(next(iter(payload.as_list(body.get("text_prompts"))), None), "text")
    prompt = payload.as_text(payload.coalesce(payload.get(body.get("textToImageParams"), "text"), weighted))
    operation = Answer("image_generation", output_type="image")
    if content.wanted() and prompt is not None:
        operation.input_messages = [messages.message("user", messages.text(prompt))]
    return operation


def result(operation: Answer, body: dict[str, Any]) -> None:
    """Read a whole answer or a piece of one."""
    parts = payload.as_list(_first(body, *_PARTS))
    for index, said in enumerate(parts or [body]):
        add(operation.block(index), _first(said, *_TEXTS))
        note_reason(operation, _first(said, *_REASONS))
    tokens = [count for each in parts if (count := payload.get_int(each, "tokenCount")) is not None]
    outputs = payload.coalesce(
        body.get("totalOutputTextTokenCount"), sum(tokens) if tokens else None, body.get("generation_token_count")
    )
    operation.usage = counted(_first(body, "inputTextTokenCount", "prompt_token_count"), outputs) or operation.usage
    operation.response_id = payload.as_text(_first(body, "response_id", "id")) or operation.response_id


def pictures(operation: Answer, body: dict[str, Any]) -> None:
    """Read pictures."""
    if content.wanted():
        images = payload.as_list(_first(body, "images", "artifacts"))
        data = [str(payload.coalesce(payload.get(each, "base64"), each)) for each in images]
        operation.output_messages = [
            messages.message("assistant", *(messages.blob("image", None, one) for one in data))
        ]


def _earlier(raw: Any) -> messages.Message:
    role = "assistant" if str(payload.get(raw, "role")).upper() == "CHATBOT" else "user"
    return messages.message(role, messages.text(str(payload.get(raw, "message"))))


def _first(value: Any, *names: str) -> Any:
    return payload.coalesce(*(payload.get(value, name) for name in names))
