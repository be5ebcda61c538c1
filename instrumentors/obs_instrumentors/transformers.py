"""Pipelines of transformers, which run a model inside of the process: text generation and features of texts.

Nobody counts tokens here but the tensors: those of the prompt that are no padding, and those made up to the end token.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, Inference, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.messages import Message
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_PROVIDER = "transformers"


@dataclass
class Answer(Inference):
    """What a model wrote; ``prompts`` are cut from its front where the pipeline gives them back."""

    prompts: list[str] = field(default_factory=list)


def begin(call: Call) -> tuple[Inference, Reader]:
    """Return the operation of one prompt or conversation, or of many."""
    asked, pipeline = call.argument(0, "text_inputs"), call.instance
    many = asked if isinstance(asked, (list, tuple)) else [asked]
    talk = _is_talk(many) or (bool(many) and all(isinstance(each, (list, tuple)) and _is_talk(each) for each in many))
    given = {**payload.get(pipeline, "_forward_params"), **call.kwargs}
    count = payload.as_int(given.get("num_return_sequences"))
    operation = Answer(
        "chat" if talk else "text_completion",
        _PROVIDER,
        request_model=_model(pipeline),
        # Of a generator or a data set, the answers are made one by one.
        stream=None if isinstance(asked, (str, dict, list, tuple)) else True,
        input_count=len(many) if len(many) > 1 and not _is_talk(many) else None,
        temperature=payload.as_float(given.get("temperature")),
        top_p=payload.as_float(given.get("top_p")),
        top_k=payload.as_int(given.get("top_k")),
        max_tokens=payload.as_int(given.get("max_new_tokens")),
        choice_count=count if count is not None and count > 1 else None,
    )
    if content.wanted():
        talks = [many] if _is_talk(many) else many
        operation.prompts = [each for each in many if isinstance(each, str)]
        operation.input_messages = [said for each in talks for said in _messages(each)] or None
    return operation, Reader(_answered, later=_lazy, chunk=_piece)


def begin_features(call: Call) -> tuple[Embedding, Reader]:
    """Return the operation of the features of one text or of many."""
    asked = call.args[0] if call.args else None
    count = len(asked) if isinstance(asked, (list, tuple)) else 1
    operation = Embedding("embeddings", _PROVIDER, request_model=_model(call.instance), input_count=count)
    return operation, Reader(_features, later=_lazy)


def read_prompt(operation: Operation, call: Call) -> None:
    """Count the tokens of what goes into the model, of one prompt or a batch of them."""
    if payload.get(operation, "provider") == _PROVIDER:
        given = call.argument(0, "model_inputs")
        tokens = payload.coalesce(given.get("attention_mask"), given.get("input_ids"))
        mask = given.get("attention_mask") is not None
        _count(operation, "input_tokens", int(tokens.sum()) if mask else int(tokens.numel()))


def read_answer(operation: Operation, call: Call) -> None:
    """Count the tokens that the model made, each answer up to its end token."""
    made = call.argument(0, "model_outputs")
    if not isinstance(operation, Answer) or not isinstance(made, dict):
        return
    ends = payload.get(call.instance, "model", "generation_config", "eos_token_id")
    ends = set(ends if isinstance(ends, (list, tuple)) else [ends])
    prompt = payload.coalesce(payload.get(made.get("input_ids"), "shape"), (0,))[-1]
    for answer in made["generated_sequence"].flatten(0, -2).tolist():
        tokens = answer[prompt:]
        stop = next((place for place, token in enumerate(tokens) if token in ends), None)
        _count(operation, "output_tokens", len(tokens) if stop is None else stop + 1)
        operation.finish_reasons = [*(operation.finish_reasons or []), "length" if stop is None else "stop"]


def _count(operation: Any, name: str, tokens: int) -> None:
    operation.usage = operation.usage or Usage()
    setattr(operation.usage, name, (getattr(operation.usage, name) or 0) + tokens)


def _features(operation: Embedding, returned: Any) -> None:
    """Note the features' size, which is the last of their dimensions."""
    while isinstance(returned, list) and returned and isinstance(returned[0], list):
        returned = returned[0]
    operation.dimensions = len(returned) if isinstance(returned, list) else None


def _lazy(returned: Any) -> Any:
    """Return the iterator that is given for a generator or data set of prompts, None for what is there at once."""
    return None if isinstance(returned, (list, dict)) or hasattr(returned, "shape") else returned


def _answered(operation: Answer, returned: Any) -> None:
    if not content.wanted():
        return
    reasons = iter(operation.finish_reasons or [])
    answers = [one for each in payload.as_list(returned) for one in (each if isinstance(each, list) else [each])]
    operation.output_messages = [_said(each, operation.prompts, next(reasons, None)) for each in answers]


def _piece(operation: Answer, item: Any) -> None:
    if content.wanted():
        said = [_said(each, operation.prompts, None) for each in payload.as_list(item)]
        operation.output_messages = [*(operation.output_messages or []), *said]


def _said(answer: Any, prompts: list[str], reason: str | None) -> Message:
    text = payload.get(answer, "generated_text")
    if isinstance(text, list):
        text = payload.get(text[-1], "content") if text else None
    text = text if isinstance(text, str) else ""
    prompt = next((each for each in prompts if text.startswith(each)), "")
    return messages.message("assistant", messages.text(text[len(prompt) :]), finish_reason=reason)


def _messages(asked: Any) -> list[Message]:
    if isinstance(asked, str):
        return [messages.message("user", messages.text(asked))]
    said = payload.as_list(asked)
    return [
        messages.message(str(each.get("role")), messages.text(_text(each))) for each in said if isinstance(each, dict)
    ]


def _text(raw: dict[str, Any]) -> str:
    told = raw.get("content")
    if isinstance(told, str):
        return told
    return "".join(str(part.get("text", "")) for part in payload.as_list(told) if isinstance(part, dict))


def _is_talk(asked: Any) -> bool:
    return bool(asked) and all(isinstance(each, dict) and "role" in each for each in asked)


def _model(pipeline: Any) -> str | None:
    return payload.get_text(pipeline, "model", "name_or_path")


def _itself(iterator: Any) -> Any:
    return iterator


_GENERATION = "transformers.pipelines.text_generation"
_FEATURES = "transformers.pipelines.feature_extraction"

INSTRUMENTORS = (
    Instrumentor(
        "transformers",
        "transformers",
        ">=4.48,<6",
        (
            Target(_GENERATION, "TextGenerationPipeline.__call__", streams.call(begin)),
            Target(_GENERATION, "TextGenerationPipeline._forward", streams.observed(read_prompt)),
            Target(_GENERATION, "TextGenerationPipeline.postprocess", streams.observed(read_answer)),
            Target(_FEATURES, "FeatureExtractionPipeline.__call__", streams.call(begin_features)),
            Target(_FEATURES, "FeatureExtractionPipeline._forward", streams.observed(read_prompt)),
            Target("transformers.pipelines.pt_utils", "PipelineIterator.__next__", streams.step(_itself)),
        ),
        ("text_completion", "chat", "embeddings"),
    ),
)
