"""Pipelines of transformers, which run a model inside of the process: text generation and features of texts.

Nobody counts tokens here but the tensors: those of the prompt that are no padding, and those made up to the end token.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients.stream_objects import itself
from obs_run.base import payload
from obs_run.core import content, messages, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, Inference, Usage
from obs_run.core.outcomes import Reader
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from obs_run.core.messages import Message
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_PROVIDER = "transformers"


@sparse_dataclass
class Answer(Inference):
    """What a model wrote; ``prompts`` are cut from its front where the pipeline gives them back."""

    prompts: list[str] = field(default_factory=list)


def start_generation(call: Call) -> tuple[Inference, Reader]:
    """Return the operation of one prompt or conversation, or of many."""
    text_inputs, pipeline = call.argument(0, "text_inputs"), call.instance
    inputs = text_inputs if isinstance(text_inputs, (list, tuple)) else [text_inputs]
    is_one_conversation = _is_conversation(inputs)
    options = {**payload.get(pipeline, "_forward_params"), **call.kwargs}
    operation = Answer(
        "chat" if is_one_conversation or _are_conversations(inputs) else "text_completion",
        _PROVIDER,
        request_model=_model_name(pipeline),
        temperature=payload.as_float(options.get("temperature")),
        top_p=payload.as_float(options.get("top_p")),
        top_k=payload.as_int(options.get("top_k")),
        max_tokens=payload.as_int(options.get("max_new_tokens")),
    )
    if not isinstance(text_inputs, (str, dict, list, tuple)):
        # Of a generator or a data set, the answers are made one by one.
        operation.stream = True
    if len(inputs) > 1 and not is_one_conversation:
        operation.input_count = len(inputs)
    count = payload.as_int(options.get("num_return_sequences"))
    if count is not None and count > 1:
        operation.choice_count = count
    if content.wanted():
        operation.prompts = [prompt for prompt in inputs if isinstance(prompt, str)]
        operation.input_messages = _input_messages([inputs] if is_one_conversation else inputs) or None
    return operation, Reader(_read_answers, deferred=_iterator_or_none, chunk=_read_item)


def start_features(call: Call) -> tuple[Embedding, Reader]:
    """Return the operation of the features of one text or of many."""
    texts = call.args[0] if call.args else None
    count = len(texts) if isinstance(texts, (list, tuple)) else 1
    operation = Embedding("embeddings", _PROVIDER, request_model=_model_name(call.instance), input_count=count)
    return operation, Reader(_read_features, deferred=_iterator_or_none)


def read_prompt(operation: Operation, call: Call) -> None:
    """Count the tokens of what goes into the model, of one prompt or a batch of them."""
    if payload.get(operation, "provider") != _PROVIDER:
        return
    model_inputs = call.argument(0, "model_inputs")
    mask = model_inputs.get("attention_mask")
    if mask is not None:
        # It has a one for each token that is no padding.
        _add_tokens(operation, "input_tokens", int(mask.sum()))
        return
    _add_tokens(operation, "input_tokens", int(model_inputs.get("input_ids").numel()))


def read_answer(operation: Operation, call: Call) -> None:
    """Count the tokens that the model made, each answer up to its end token."""
    outputs = call.argument(0, "model_outputs")
    if not isinstance(operation, Answer) or not isinstance(outputs, dict):
        return
    end_tokens = payload.get(call.instance, "model", "generation_config", "eos_token_id")
    ends = set(end_tokens if isinstance(end_tokens, (list, tuple)) else [end_tokens])
    # The sequences begin with the prompt, padded to one length.
    shape = payload.coalesce(payload.get(outputs.get("input_ids"), "shape"), (0,))
    prompt_length = shape[-1]
    reasons = operation.finish_reasons or []
    for sequence in outputs["generated_sequence"].flatten(0, -2).tolist():
        tokens = sequence[prompt_length:]
        stop = _first_position(tokens, ends)
        _add_tokens(operation, "output_tokens", len(tokens) if stop is None else stop + 1)
        reasons.append("length" if stop is None else "stop")
    operation.finish_reasons = reasons or None


def _first_position(tokens: list[int], ends: set[Any]) -> int | None:
    for position, token in enumerate(tokens):
        if token in ends:
            return position
    return None


def _add_tokens(operation: Any, name: str, tokens: int) -> None:
    operation.usage = operation.usage or Usage()
    before = getattr(operation.usage, name) or 0
    setattr(operation.usage, name, before + tokens)


def _read_features(operation: Embedding, returned: Any) -> None:
    """Note the features' size, which is the last of their dimensions."""
    while isinstance(returned, list) and returned and isinstance(returned[0], list):
        returned = returned[0]
    operation.dimensions = len(returned) if isinstance(returned, list) else None


def _iterator_or_none(returned: Any) -> Any:
    """Return the iterator that is given for a generator or data set of prompts, None for what is there at once."""
    if isinstance(returned, (list, dict)) or hasattr(returned, "shape"):
        return None
    return returned


def _read_answers(operation: Answer, returned: Any) -> None:
    """Read what the pipeline returned: a list of answers, or of such lists for several prompts."""
    if not content.wanted():
        return
    answers: list[Any] = []
    for item in payload.as_list(returned):
        answers += item if isinstance(item, list) else [item]
    reasons = iter(operation.finish_reasons or [])
    operation.output_messages = [_output_message(answer, operation.prompts, next(reasons, None)) for answer in answers]


def _read_item(operation: Answer, item: Any) -> None:
    """Read the answers to the next prompt of an iterator."""
    if content.wanted():
        output = [_output_message(answer, operation.prompts, None) for answer in payload.as_list(item)]
        operation.output_messages = [*(operation.output_messages or []), *output]


def _output_message(answer: Any, prompts: list[str], reason: str | None) -> Message:
    text = payload.get(answer, "generated_text")
    if isinstance(text, list):
        # A conversation comes back whole, the answer last.
        text = payload.get(text[-1], "content") if text else None
    if not isinstance(text, str):
        text = ""
    for prompt in prompts:
        if text.startswith(prompt):
            text = text.removeprefix(prompt)
            break
    return messages.message("assistant", messages.text(text), finish_reason=reason)


def _input_messages(inputs: Any) -> list[Message]:
    result: list[Message] = []
    for item in inputs:
        if isinstance(item, str):
            result.append(messages.message("user", messages.text(item)))
            continue
        conversation = [raw for raw in payload.as_list(item) if isinstance(raw, dict)]
        result += [messages.message(str(raw.get("role")), messages.text(_text(raw))) for raw in conversation]
    return result


def _text(raw: dict[str, Any]) -> str:
    """Return the text of a message, whose content is a text or a list of parts."""
    raw_content = raw.get("content")
    if isinstance(raw_content, str):
        return raw_content
    texts = [str(part.get("text", "")) for part in payload.as_list(raw_content) if isinstance(part, dict)]
    return "".join(texts)


def _is_conversation(value: Any) -> bool:
    return bool(value) and all(isinstance(message, dict) and "role" in message for message in value)


def _are_conversations(inputs: Any) -> bool:
    return bool(inputs) and all(isinstance(item, (list, tuple)) and _is_conversation(item) for item in inputs)


def _model_name(pipeline: Any) -> str | None:
    return payload.get_text(pipeline, "model", "name_or_path")


_GENERATION = "transformers.pipelines.text_generation"
_FEATURES = "transformers.pipelines.feature_extraction"

INSTRUMENTORS = (
    Instrumentor(
        "transformers",
        "transformers",
        ">=4.48,<6",
        (
            Target(_GENERATION, "TextGenerationPipeline.__call__", streams.wrap_call(start_generation)),
            Target(_GENERATION, "TextGenerationPipeline._forward", streams.wrap_inner_call(read_prompt)),
            Target(_GENERATION, "TextGenerationPipeline.postprocess", streams.wrap_inner_call(read_answer)),
            Target(_FEATURES, "FeatureExtractionPipeline.__call__", streams.wrap_call(start_features)),
            Target(_FEATURES, "FeatureExtractionPipeline._forward", streams.wrap_inner_call(read_prompt)),
            Target("transformers.pipelines.pt_utils", "PipelineIterator.__next__", streams.wrap_next(itself)),
        ),
        ("text_completion", "chat", "embeddings"),
    ),
)
