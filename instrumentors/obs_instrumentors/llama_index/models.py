"""What the library tells of calls of models, where the provider's client does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import note_tool_calls
from obs_instrumentors.wire.openai.chat_messages import tool_definition
from obs_instrumentors.wire.openai.common_fields import usage
from obs_instrumentors.wire.token_counts import counted
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.framework_calls import FrameworkEmbedding, FrameworkInference, FrameworkRerank

from . import messages

if TYPE_CHECKING:
    from obs_run.core.operations import Usage

_INTEGRATIONS = (["llms"], ["embeddings"])
_PROVIDERS = {
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "huggingface_api": "huggingface",
    "ibm": "ibm.watsonx.ai",
    "mistralai": "mistral_ai",
    "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""By the packages of the library's integrations."""
_UNKNOWN = "unknown"
_FINISH_REASONS = {"tool_calls": "tool_call", "tool_use": "tool_call", "end_turn": "stop"}


def inference(event: Any, model: Any) -> FrameworkInference:
    """Return the operation of an ``LLMChatStartEvent`` or ``LLMCompletionStartEvent``."""
    prompt, asked = payload.get(event, "prompt"), payload.get(event, "additional_kwargs")
    operation = FrameworkInference(
        "chat" if prompt is None else "text_completion",
        provider=_provider(model, event),
        request_model=_model_name(event, model),
        temperature=payload.get_float(model, "temperature"),
        max_tokens=payload.get_int(model, "max_tokens"),
    )
    if content.wanted():
        operation.tool_definitions = [tool_definition(each) for each in payload.get_list(asked, "tools")] or None
        said = [messages.of_message(each) for each in payload.get_list(event, "messages")]
        operation.input_messages = said if prompt is None else [messages.of_text("user", prompt)]
    return operation


def read_answer(operation: Any, event: Any, *, is_reported: bool) -> None:
    """Read what a model call gave; ``is_reported`` where the provider's client told it itself."""
    response = payload.get(event, "response")
    if is_reported or response is None:
        return
    raw, message = payload.get(response, "raw"), payload.get(response, "message")
    operation.usage = _usage(raw, response)
    operation.response_id = payload.get_text(raw, "id")
    operation.response_model = payload.get_text(raw, "model")
    calls = messages.calls_of(message)
    note_tool_calls(operation, [(call_id, name) for call_id, name, _ in calls])
    operation.finish_reasons = [_finish_reason(raw) or ("tool_call" if calls else "stop")]
    if content.wanted():
        reason = operation.finish_reasons[0]
        text = payload.get_text(response, "text") or ""
        told = messages.of_text("assistant", text, reason) if message is None else messages.of_message(message, reason)
        operation.output_messages = [told]


def _usage(raw: Any, response: Any) -> Usage | None:
    return counted(usage(payload.get(raw, "usage")) or usage(payload.get(response, "additional_kwargs")))


def _finish_reason(raw: Any) -> str | None:
    choice = next(iter(payload.get_list(raw, "choices")), None)
    reason = payload.get_text(choice, "finish_reason") or payload.get_text(raw, "stop_reason")
    return None if reason is None else _FINISH_REASONS.get(reason, reason)


def embedding(event: Any, model: Any) -> FrameworkEmbedding:
    """Return the operation of an ``EmbeddingStartEvent``."""
    return FrameworkEmbedding("embeddings", provider=_provider(model, event), request_model=_model_name(event, model))


def read_vectors(operation: Any, event: Any, *, is_reported: bool) -> None:
    """Read what was embedded, a batch of several; ``is_reported`` as above."""
    vectors = payload.get_list(event, "embeddings")
    if is_reported or not vectors:
        return
    count = len(payload.get_list(event, "chunks"))
    operation.input_count = (operation.input_count or 0) + count
    if isinstance(vectors[0], list):
        operation.dimensions = len(vectors[0])


def rerank(event: Any) -> FrameworkRerank:
    """Return the operation of a ``ReRankStartEvent``."""
    operation = FrameworkRerank(
        request_model=payload.get_text(event, "model_name"),
        top_k=payload.get_int(event, "top_n"),
        input_count=len(payload.get_list(event, "nodes")),
    )
    if content.wanted():
        query = payload.get(event, "query")
        operation.query_text = payload.get_text(query, "query_str") or payload.as_text(query)
    return operation


def read_ranking(operation: Any, event: Any, *, is_reported: bool) -> None:
    """Read the documents in their new order; ``is_reported`` as above."""
    if not is_reported:
        read_documents(operation, payload.get_list(event, "nodes"))


def read_documents(operation: Any, nodes: list[Any]) -> None:
    """Read nodes with their scores, of a search or of a new order."""
    scores = [score for each in nodes if (score := payload.get_float(each, "score")) is not None]
    operation.scores = scores or None
    if content.wanted():
        operation.documents = [_document(each) for each in nodes]


def _document(found: Any) -> dict[str, Any]:
    node = payload.get(found, "node")
    fields = {
        "id": payload.get_text(node, "node_id"),
        "score": payload.get_float(found, "score"),
        "content": payload.get_text(node, "text"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _model_name(event: Any, model: Any) -> str | None:
    told = payload.get(event, "model_dict")
    name = payload.get_text(told, "model") or payload.get_text(told, "model_name")
    name = name or payload.get_text(model, "metadata", "model_name")
    return None if name == _UNKNOWN else name


def _provider(model: Any, event: Any) -> str | None:
    """Return whose model it is: the library's integrations lie in packages of names, other classes name themselves."""
    for kind in type(model).__mro__:
        package, *names = kind.__module__.split(".")
        if package == "llama_index" and names[:1] in _INTEGRATIONS and names[1:]:
            return _PROVIDERS.get(names[1], names[1])
    return payload.get_text(event, "model_dict", "class_name")
