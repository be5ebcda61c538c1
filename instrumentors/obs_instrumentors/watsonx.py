"""IBM watsonx.ai: chats in OpenAI's format, prompts and their continuation, embeddings and reranking.

Streams are generators that ask nothing of the service before they are read. A stream of plain texts hides usage and
reason from the agent; the method that cuts the text out of each event sees them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import append_text, finish
from obs_instrumentors.wire.openai import chat
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import content, messages, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, Inference, Rerank, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import ModelCall, Operation
    from obs_run.core.outcomes import Call

    Asked = Callable[[Call, dict[str, Any]], ModelCall]

_FINISH_REASONS = {
    "eos_token": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "token_limit": "length",
    "time_limit": "length",
}
_UNFINISHED = "not_finished"
_RANKED = 2
"""Where the parameters stand behind a query and what is ranked by it."""


class Continuation(Inference):
    """A prompt's continuation."""


def begin(asked: Asked, reader: Reader, call: Call) -> tuple[ModelCall, Reader]:
    """Return the operation that a call means; parameters that it leaves out are those of the model's object."""
    position = _RANKED if asked is _rerank else 1
    given = payload.coalesce(call.argument(position, "params"), payload.get(call.instance, "params"))
    parameters = given if isinstance(given, dict) else payload.as_dict_or_self(given) or {}
    operation = asked(call, {str(name): value for name, value in parameters.items() if value is not None})
    if reader.lazy:
        operation.stream = True  # type: ignore[attr-defined] # only inferences are streams
    operation.provider = "ibm.watsonx.ai"
    operation.request_model = payload.as_text(
        payload.coalesce(payload.get(call.instance, "model_id"), payload.get(call.instance, "deployment_id"))
    )
    read_server_address(operation, str(payload.get(call.instance, "_client", "credentials", "url") or ""))
    return operation, reader


def note_event(operation: Operation, call: Call) -> None:
    """Read an event of a stream whose text alone the agent gets."""
    if isinstance(operation, Continuation):
        _read_header(operation, call.argument(0, "single_response"))


def _chat(call: Call, parameters: dict[str, Any]) -> ModelCall:
    body = {**parameters, "messages": call.argument(0, "messages"), "tools": call.argument(2, "tools")}
    operation: Any = chat.COMPATIBLE.begin(body)
    return operation  # type: ignore[no-any-return] # an endpoint says no more


def _prompt(call: Call, parameters: dict[str, Any]) -> ModelCall:
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
    operation.input_count = len(prompts) if len(prompts) > 1 else None
    if content.wanted():
        operation.input_messages = [messages.message("user", messages.text(str(each))) for each in prompts] or None
    return operation


def _embedding(call: Call, _parameters: dict[str, Any]) -> ModelCall:
    return Embedding("embeddings", input_count=len(payload.as_list(call.argument(0, "inputs"))))


def _rerank(call: Call, parameters: dict[str, Any]) -> ModelCall:
    given = payload.as_list(call.argument(1, "inputs"))
    returned = payload.get(parameters.get("return_options"), "top_n")
    operation = Rerank(top_k=payload.as_int(returned), input_count=len(given))
    if content.wanted():
        operation.query_text = payload.as_text(call.argument(0, "query"))
        operation.given = [payload.coalesce(payload.get(each, "text"), each) for each in given]
    return operation


def _answer(operation: chat.Chat, response: Any) -> None:
    chat.COMPATIBLE.result(operation, _with_model(response))


def _answer_piece(operation: chat.Chat, event: Any) -> None:
    _CHAT_CHUNK(operation, _with_model(event))


def _with_model(response: Any) -> Any:
    """Return a response under OpenAI's names; the service calls the model otherwise too."""
    known = payload.coalesce(payload.get(response, "model"), payload.get(response, "model_id"))
    return {**response, "model": known} if isinstance(response, dict) else response


def _continued(operation: Continuation, response: Any) -> None:
    responses = response if isinstance(response, list) else [response]
    for each in responses:
        _read_header(operation, each)
        _read_text(operation, each)
    results = [one for each in responses for one in payload.get_list(each, "results")]
    operation.usage = _usage(results)


def _continued_piece(operation: Continuation, event: Any) -> None:
    if isinstance(event, str):
        append_text(operation, event)
        return
    _read_header(operation, event)
    _read_text(operation, event)


def _one_of_several(operation: Continuation, response: Any) -> None:
    """Read one of several answers, which come as they are ready."""
    before, operation.usage = operation.usage, None
    _read_header(operation, response)
    _read_text(operation, response)
    told = operation.usage
    if told is not None and before is not None:
        told.input_tokens = (told.input_tokens or 0) + (before.input_tokens or 0)
        told.output_tokens = (told.output_tokens or 0) + (before.output_tokens or 0)
    operation.usage = told or before


def _read_header(operation: Continuation, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model_id") or operation.response_model
    results = payload.get_list(response, "results")
    told = _usage(results)
    before = operation.usage
    if told is not None and before is not None:
        # Events of a stream count the output so far, and tell the input once.
        told.input_tokens = _most(before.input_tokens, told.input_tokens)
        told.output_tokens = _most(before.output_tokens, told.output_tokens)
    operation.usage = told or before
    for each in results:
        reason = payload.get_text(each, "stop_reason")
        if reason is not None and reason.lower() != _UNFINISHED:
            operation.finish_reasons = [_FINISH_REASONS.get(reason.lower(), reason.lower())]


def _read_text(operation: Continuation, response: Any) -> None:
    for each in payload.get_list(response, "results"):
        append_text(operation, payload.get_text(each, "generated_text") or "")


def _whole(operation: Continuation, response: Any) -> None:
    _continued(operation, response)
    if not isinstance(response, list):
        finish(operation)


def _usage(results: list[Any]) -> Usage | None:
    counts = []
    for name in ("input_token_count", "generated_token_count"):
        told = [count for each in results if (count := payload.get_int(each, name)) is not None]
        counts.append(sum(told) if told else None)
    return None if counts == [None, None] else Usage(*counts)


def _most(*counts: int | None) -> int | None:
    return max((count for count in counts if count is not None), default=None)


def _embedded(operation: ModelCall, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model_id")
    count = payload.get_int(response, "input_token_count")
    operation.usage = None if count is None else Usage(input_tokens=count)


def _reranked(operation: Rerank, response: Any) -> None:
    _embedded(operation, response)
    found = payload.get_list(response, "results")
    operation.ranked([(each["index"], payload.as_float(each.get("score"))) for each in found])


def _failure(operation: Operation, error: BaseException) -> None:
    told = messages.parsed(payload.get_text(error, "response", "text"))
    first = next(iter(payload.get_list(told, "errors")), None)
    operation.error_type = payload.get_text(first, "code") or operation.error_type


_CHAT_CHUNK: Any = chat.COMPATIBLE.chunk
_CHAT = Reader(_answer, failure=_failure)
_CHAT_STREAM = Reader(_answer, chunk=_answer_piece, end=chat.COMPATIBLE.end, failure=_failure, lazy=True)
_PROMPT = Reader(_whole, chunk=_one_of_several, end=finish, failure=_failure, whole=True)
_PROMPT_STREAM = Reader(_whole, chunk=_continued_piece, end=finish, failure=_failure, lazy=True)
_VECTORS = Reader(_embedded, failure=_failure)
_RANKING = Reader(_reranked, failure=_failure)

_MODELS = "ibm_watsonx_ai.foundation_models"
_INFERENCE = f"{_MODELS}.inference.model_inference"
_EMBEDDINGS = f"{_MODELS}.embeddings.embeddings"
_METHODS: tuple[tuple[str, str, Asked, Reader, Callable[..., Any]], ...] = (
    (_INFERENCE, "ModelInference.chat", _chat, _CHAT, streams.call),
    (_INFERENCE, "ModelInference.achat", _chat, _CHAT, streams.async_call),
    (_INFERENCE, "ModelInference.chat_stream", _chat, _CHAT_STREAM, streams.call),
    (_INFERENCE, "ModelInference.achat_stream", _chat, _CHAT_STREAM, streams.async_call),
    (_INFERENCE, "ModelInference.generate", _prompt, _PROMPT, streams.call),
    (_INFERENCE, "ModelInference.agenerate", _prompt, _PROMPT, streams.async_call),
    (_INFERENCE, "ModelInference.generate_text_stream", _prompt, _PROMPT_STREAM, streams.call),
    (_INFERENCE, "ModelInference.agenerate_stream", _prompt, _PROMPT_STREAM, streams.async_call),
    (_EMBEDDINGS, "Embeddings.generate", _embedding, _VECTORS, streams.call),
    (_EMBEDDINGS, "Embeddings.agenerate", _embedding, _VECTORS, streams.async_call),
    (f"{_MODELS}.rerank.rerank", "Rerank.generate", _rerank, _RANKING, streams.call),
)

INSTRUMENTORS = (
    Instrumentor(
        "ibm-watsonx-ai",
        "ibm-watsonx-ai",
        ">=1.3.42,<2",
        (
            *(
                Target(module, name, call(partial(begin, asked, reader)), optional=True)
                for module, name, asked, reader, call in _METHODS
            ),
            Target(
                f"{_MODELS}.inference.base_model_inference",
                "BaseModelInference._return_guardrails_stats",
                streams.observed(note_event),
            ),
        ),
        ("chat", "text_completion", "embeddings", "rerank"),
    ),
)
