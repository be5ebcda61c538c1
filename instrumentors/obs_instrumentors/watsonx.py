"""IBM watsonx.ai: chats in OpenAI's format, prompts and their continuation, embeddings and reranking.

Streams are generators that ask nothing of the service before they are read. A stream of plain texts hides usage and
reason from the agent; the method that cuts the text out of each event sees them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import continuation
from obs_instrumentors.wire.openai import compatible_chat
from obs_instrumentors.wire.server_address import read_server_address
from obs_instrumentors.wire.token_counts import sum_counts, usage_or_none
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import content, messages, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, Inference, Rerank, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_instrumentors.wire.openai import chat
    from obs_run.core.operations import ModelCall, Operation
    from obs_run.core.outcomes import Call

    Parse = Callable[[Call, dict[str, Any]], ModelCall]

_FINISH_REASONS = {
    "eos_token": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "token_limit": "length",
    "time_limit": "length",
}
_UNFINISHED = "not_finished"


class Continuation(Inference):
    """A prompt's continuation."""


def start_operation(parse: Parse, params_position: int, reader: Reader, call: Call) -> tuple[ModelCall, Reader]:
    """Return the operation that a call means; parameters that it leaves out are those of the model's object."""
    operation = parse(call, _parameters(params_position, call))
    if reader.lazy:
        operation.stream = True  # type: ignore[attr-defined] # only inferences are streams
    operation.provider = "ibm.watsonx.ai"
    model = payload.coalesce(payload.get(call.instance, "model_id"), payload.get(call.instance, "deployment_id"))
    operation.request_model = payload.as_text(model)
    read_server_address(operation, str(payload.get(call.instance, "_client", "credentials", "url") or ""))
    return operation, reader


def _parameters(position: int, call: Call) -> dict[str, Any]:
    """Return the parameters, which are a dict or an object of the library's schema."""
    params = payload.coalesce(call.argument(position, "params"), payload.get(call.instance, "params"))
    fields = params if isinstance(params, dict) else payload.as_dict_or_self(params) or {}
    # The keys may be members of an enumeration of texts.
    return {str(name): value for name, value in fields.items() if value is not None}


def note_event(operation: Operation, call: Call) -> None:
    """Read an event of a stream whose text alone the agent gets."""
    if isinstance(operation, Continuation):
        _read_header(operation, call.argument(0, "single_response"))


def _parse_chat(call: Call, parameters: dict[str, Any]) -> ModelCall:
    body = {
        **parameters,
        "messages": call.argument(0, "messages"),
        "tools": call.argument(2, "tools"),
        "tool_choice": payload.coalesce(call.argument(3, "tool_choice"), call.argument(4, "tool_choice_option")),
    }
    return compatible_chat.parse_request(body)


def _parse_prompt(call: Call, parameters: dict[str, Any]) -> ModelCall:
    operation = Continuation(
        "text_completion",
        seed=payload.as_int(parameters.get("random_seed")),
        temperature=payload.as_float(parameters.get("temperature")),
        top_p=payload.as_float(parameters.get("top_p")),
        top_k=payload.as_int(parameters.get("top_k")),
        max_tokens=payload.as_int(parameters.get("max_new_tokens")),
        stop_sequences=payload.as_list(parameters.get("stop_sequences")) or None,
    )
    prompt = call.argument(0, "prompt")
    prompts = [prompt] if isinstance(prompt, str) else payload.as_list(prompt)
    if len(prompts) > 1:
        operation.input_count = len(prompts)
    if content.wanted():
        operation.input_messages = [messages.message("user", messages.text(str(text))) for text in prompts] or None
    return operation


def _parse_embedding(call: Call, _parameters: dict[str, Any]) -> ModelCall:
    return Embedding("embeddings", input_count=len(payload.as_list(call.argument(0, "inputs"))))


def _parse_rerank(call: Call, parameters: dict[str, Any]) -> ModelCall:
    documents = payload.as_list(call.argument(1, "inputs"))
    operation = Rerank(
        top_k=payload.get_int(parameters.get("return_options"), "top_n"),
        input_count=len(documents),
    )
    if content.wanted():
        operation.query_text = payload.as_text(call.argument(0, "query"))
        operation.sent_documents = [payload.coalesce(payload.get(document, "text"), document) for document in documents]
    return operation


def _read_chat(operation: chat.Chat, response: Any) -> None:
    compatible_chat.read_response(operation, _with_model(response))


def _read_chat_chunk(operation: chat.Chat, chunk: Any) -> None:
    compatible_chat.read_chunk(operation, _with_model(chunk))


def _with_model(response: Any) -> Any:
    """Return a response under OpenAI's names; the service calls the model otherwise too."""
    if not isinstance(response, dict):
        return response
    return {**response, "model": payload.coalesce(response.get("model"), response.get("model_id"))}


def _read_generation(operation: Continuation, response: Any) -> None:
    """Read the answer to a prompt, or the list of those to several prompts, which are messages of their own."""
    is_batch = isinstance(response, list)
    responses = response if is_batch else [response]
    results: list[Any] = []
    for each in responses:
        _read_header(operation, each)
        _read_text(operation, each)
        results += payload.get_list(each, "results")
    operation.usage = _usage(results)
    if not is_batch:
        continuation.finish(operation)


def _read_generation_chunk(operation: Continuation, chunk: Any) -> None:
    """Read a piece of a stream: a text, or an event where the agent asked for those."""
    if isinstance(chunk, str):
        continuation.append_text(operation, chunk)
        return
    _read_header(operation, chunk)
    _read_text(operation, chunk)


def _read_one_of_several(operation: Continuation, response: Any) -> None:
    """Read one of several answers, which come as they are ready."""
    before, operation.usage = operation.usage, None
    _read_header(operation, response)
    _read_text(operation, response)
    usage = operation.usage
    if usage is not None and before is not None:
        usage.input_tokens = (usage.input_tokens or 0) + (before.input_tokens or 0)
        usage.output_tokens = (usage.output_tokens or 0) + (before.output_tokens or 0)
    operation.usage = usage or before


def _read_header(operation: Continuation, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model_id") or operation.response_model
    results = payload.get_list(response, "results")
    usage = _usage(results)
    before = operation.usage
    if usage is not None and before is not None:
        # Events of a stream count the output so far, and tell the input once.
        usage.input_tokens = _largest(before.input_tokens, usage.input_tokens)
        usage.output_tokens = _largest(before.output_tokens, usage.output_tokens)
    operation.usage = usage or before
    for result in results:
        reason = (payload.get_text(result, "stop_reason") or _UNFINISHED).lower()
        if reason != _UNFINISHED:
            operation.finish_reasons = [_FINISH_REASONS.get(reason, reason)]


def _read_text(operation: Continuation, response: Any) -> None:
    for result in payload.get_list(response, "results"):
        continuation.append_text(operation, payload.get_text(result, "generated_text") or "")


def _usage(results: list[Any]) -> Usage | None:
    usage = Usage(
        input_tokens=_sum(results, "input_token_count"),
        output_tokens=_sum(results, "generated_token_count"),
    )
    return usage_or_none(usage)


def _sum(results: list[Any], name: str) -> int | None:
    return sum_counts(payload.get_int(result, name) for result in results)


def _largest(*counts: int | None) -> int | None:
    return max((count for count in counts if count is not None), default=None)


def _read_embedding(operation: ModelCall, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model_id")
    count = payload.get_int(response, "input_token_count")
    operation.usage = None if count is None else Usage(input_tokens=count)


def _read_rerank(operation: Rerank, response: Any) -> None:
    _read_embedding(operation, response)
    results = payload.get_list(response, "results")
    operation.rank([(result["index"], payload.as_float(result.get("score"))) for result in results])


def _read_failure(operation: Operation, error: BaseException) -> None:
    """Read an ApiRequestFailure, whose response lists the errors."""
    body = from_json(payload.get_text(error, "response", "text"))
    errors = payload.get_list(body, "errors")
    if errors:
        operation.error_type = payload.get_text(errors[0], "code") or operation.error_type


_CHAT = Reader(_read_chat, failure=_read_failure)
_CHAT_STREAM = Reader(_read_chat, chunk=_read_chat_chunk, end=compatible_chat.finish, failure=_read_failure, lazy=True)
_GENERATION = Reader(
    _read_generation, chunk=_read_one_of_several, end=continuation.finish, failure=_read_failure, single_response=True
)
_GENERATION_STREAM = Reader(
    _read_generation, chunk=_read_generation_chunk, end=continuation.finish, failure=_read_failure, lazy=True
)
_EMBEDDING = Reader(_read_embedding, failure=_read_failure)
_RERANK = Reader(_read_rerank, failure=_read_failure)

_MODELS = "ibm_watsonx_ai.foundation_models"
_INFERENCE = f"{_MODELS}.inference.model_inference"
_EMBEDDINGS = f"{_MODELS}.embeddings.embeddings"
_RERANKING = f"{_MODELS}.rerank.rerank"
# Where the parameters stand: behind a prompt, or behind a query and what is ranked by it.
_SECOND, _THIRD = 1, 2
_METHODS: tuple[tuple[str, str, Parse, int, Reader, Callable[..., Any]], ...] = (
    (_INFERENCE, "ModelInference.chat", _parse_chat, _SECOND, _CHAT, streams.wrap_call),
    (_INFERENCE, "ModelInference.achat", _parse_chat, _SECOND, _CHAT, streams.wrap_async_call),
    (_INFERENCE, "ModelInference.chat_stream", _parse_chat, _SECOND, _CHAT_STREAM, streams.wrap_call),
    (_INFERENCE, "ModelInference.achat_stream", _parse_chat, _SECOND, _CHAT_STREAM, streams.wrap_async_call),
    (_INFERENCE, "ModelInference.generate", _parse_prompt, _SECOND, _GENERATION, streams.wrap_call),
    (_INFERENCE, "ModelInference.agenerate", _parse_prompt, _SECOND, _GENERATION, streams.wrap_async_call),
    (_INFERENCE, "ModelInference.generate_text_stream", _parse_prompt, _SECOND, _GENERATION_STREAM, streams.wrap_call),
    (
        _INFERENCE,
        "ModelInference.agenerate_stream",
        _parse_prompt,
        _SECOND,
        _GENERATION_STREAM,
        streams.wrap_async_call,
    ),
    (_EMBEDDINGS, "Embeddings.generate", _parse_embedding, _SECOND, _EMBEDDING, streams.wrap_call),
    (_EMBEDDINGS, "Embeddings.agenerate", _parse_embedding, _SECOND, _EMBEDDING, streams.wrap_async_call),
    (_RERANKING, "Rerank.generate", _parse_rerank, _THIRD, _RERANK, streams.wrap_call),
)


def _targets() -> Iterator[Target]:
    for module, name, parse, position, reader, wrap in _METHODS:
        yield Target(module, name, wrap(partial(start_operation, parse, position, reader)), optional=True)


INSTRUMENTORS = (
    Instrumentor(
        "ibm-watsonx-ai",
        "ibm-watsonx-ai",
        ">=1.3.42,<2",
        (
            *_targets(),
            Target(
                f"{_MODELS}.inference.base_model_inference",
                "BaseModelInference._return_guardrails_stats",
                streams.wrap_inner_call(note_event),
            ),
        ),
        ("chat", "text_completion", "embeddings", "rerank"),
    ),
)
