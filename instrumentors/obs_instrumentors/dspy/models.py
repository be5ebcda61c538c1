"""Model calls as the library tells of them, by whatever engine they go out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import litellm_providers
from obs_instrumentors.wire.openai import common_fields
from obs_instrumentors.wire.openai.chat_messages import chat_message
from obs_instrumentors.wire.server_address import read_server_address
from obs_instrumentors.wire.token_counts import counted
from obs_run.base import payload
from obs_run.core import content, semconv
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def start_chat(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of a ``BaseLM``."""
    lm = call.instance
    body = {**payload.as_dict(payload.get(lm, "kwargs")), **call.kwargs}
    operation = FrameworkInference("text_completion" if payload.get(lm, "model_type") == "text" else "chat")
    common_fields.read_sampling(operation, body)
    _read_model(operation, payload.get_text(lm, "model"))
    address = payload.as_text(payload.coalesce(body.get("api_base"), body.get("base_url")))
    if address is not None:
        read_server_address(operation, address)
    if import_module("dspy.dsp.utils.settings").settings.send_stream is not None:
        operation.stream = True
    if content.wanted():
        prompt, said = call.argument(0, "prompt"), payload.as_list(call.argument(1, "messages"))
        asked = said or [{"role": "user", "content": prompt}] if isinstance(prompt, str) or said else []
        operation.input_messages = [chat_message(each) for each in asked] or None
    return operation, Reader(_read_outputs)


def _read_model(operation: FrameworkInference, model: str | None) -> None:
    """Read the library's name of a model, which has the provider before it."""
    head, _, rest = (model or "").partition("/")
    operation.request_model = rest or model
    if rest:
        operation.provider = litellm_providers.provider(head)


def read_response(operation: Any, call: Call) -> None:
    """Read the arguments of ``_process_lm_response``, of which the first is an answer in OpenAI's form."""
    response = call.argument(0, "response")
    _read_answer(operation, response, payload.get(response, "usage"), payload.get_text(response, "model"))


def read_result(operation: Any, call: Call) -> None:
    """Read the arguments of ``finalize``, of which the last is a ``CallResult``."""
    result = call.argument(2, "result")
    response = payload.coalesce(payload.get(result, "raw"), *payload.get_list(result, "responses"))
    is_cached = payload.get(result, "cache_hit") is True
    model = payload.get_text(result, "response_model")
    _read_answer(operation, response, payload.get(result, "usage"), model, is_cached=is_cached)


def _read_answer(operation: Any, response: Any, usage: Any, model: str | None, *, is_cached: bool = False) -> None:
    """Read an answer, unless the provider's client told of the call; what comes from a cache has cost nothing."""
    if not isinstance(operation, FrameworkInference):
        return
    _, _, rest = (model or "").partition("/")
    operation.response_model = rest if rest == operation.request_model else model
    operation.response_id = payload.get_text(response, "id")
    if is_cached or payload.get(response, "cache_hit") is True:
        operation.extra[semconv.OBS_RESPONSE_CACHED] = True
    else:
        operation.usage = counted(common_fields.usage(usage))
    endings = [payload.get(each, "finish_reason") for each in payload.get_list(response, "choices") or [response]]
    operation.finish_reasons = [str(each) for each in endings if each] or None


def _read_outputs(operation: Any, outputs: Any) -> None:
    """Read the texts of an answer, or dicts that have besides the tools that the model asks for."""
    if not isinstance(operation, FrameworkInference):
        return
    answers = [{"content": each} if isinstance(each, str) else _answer(each) for each in payload.as_list(outputs)]
    calls = [call for each in answers for call in payload.get_list(each, "tool_calls")]
    operation.tool_calls = [str(payload.get(call, "function", "name")) for call in calls] or None
    if operation.finish_reasons is None:
        operation.finish_reasons = ["tool_call" if calls else "stop"]
    if content.wanted():
        operation.output_messages = [chat_message(each, operation.finish_reasons[0]) for each in answers]


def _answer(output: Any) -> dict[str, Any]:
    fields = payload.as_dict(output)
    return {**fields, "content": fields.get("text")}
