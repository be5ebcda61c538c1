"""Agents and knowledge bases that Bedrock hosts, and its guardrails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import join_texts
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import ModelCall, RemoteAgentRun, Rerank, Retrieval, Usage

from . import answer
from .answer import Answer, add

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Operation

    Made = tuple[Operation, Callable[[Any, Any], None] | None, Callable[[Any, Any], None] | None, str | None]

_TRACES = ("preProcessingTrace", "orchestrationTrace", "postProcessingTrace", "routingClassifierTrace")


def _retrieve(params: dict[str, Any]) -> Made:
    search = payload.get(params.get("retrievalConfiguration"), "vectorSearchConfiguration")
    base = payload.as_text(params.get("knowledgeBaseId"))
    operation = Retrieval(
        data_source=base,
        top_k=payload.get_int(search, "numberOfResults"),
        extra=_knowledge_base(base),
    )
    if content.wanted():
        operation.query_text = payload.get_text(params.get("retrievalQuery"), "text")
    return operation, _retrieved, None, None


def _retrieved(operation: Retrieval, response: Any) -> None:
    found = payload.as_list(response.get("retrievalResults"))
    scores = [payload.get_float(each, "score") for each in found]
    operation.scores = [score for score in scores if score is not None] or None
    if content.wanted():
        operation.documents = [
            {"id": _place(each) or str(at), "score": score, "content": payload.get(each, "content", "text")}
            for at, (each, score) in enumerate(zip(found, scores, strict=True))
        ]


def _rerank(params: dict[str, Any]) -> Made:
    settings = payload.get(params.get("rerankingConfiguration"), "bedrockRerankingConfiguration")
    sources = payload.as_list(params.get("sources"))
    operation = Rerank(
        request_model=payload.get_text(settings, "modelConfiguration", "modelArn"),
        top_k=payload.get_int(settings, "numberOfResults"),
        input_count=len(sources),
    )
    if content.wanted():
        asked = next(iter(payload.as_list(params.get("queries"))), None)
        operation.query_text = payload.get_text(asked, "textQuery", "text")
        inline = [payload.get(each, "inlineDocumentSource") for each in sources]
        operation.given = [
            payload.coalesce(payload.get(each, "textDocument", "text"), payload.get(each, "jsonDocument"))
            for each in inline
        ]
    return operation, _reranked, None, None


def _reranked(operation: Rerank, response: Any) -> None:
    found = payload.as_list(response.get("results"))
    operation.ranked([(each["index"], payload.as_float(each.get("relevanceScore"))) for each in found])


def _generate(params: dict[str, Any]) -> Made:
    settings = params.get("retrieveAndGenerateConfiguration")
    base = payload.get(settings, "knowledgeBaseConfiguration")
    model = payload.coalesce(
        payload.get(base, "modelArn"), payload.get(settings, "externalSourcesConfiguration", "modelArn")
    )
    operation = Answer(
        "chat",
        request_model=payload.as_text(model),
        conversation_id=payload.as_text(params.get("sessionId")),
        extra=_knowledge_base(payload.get_text(base, "knowledgeBaseId")),
    )
    if content.wanted():
        said = payload.get_text(params.get("input"), "text") or ""
        operation.input_messages = [messages.message("user", messages.text(said))]
    return operation, _generated, None, None


def _generate_stream(params: dict[str, Any]) -> Made:
    operation, *_ = _generate(params)
    operation.stream = True  # type: ignore[attr-defined] # made two lines above
    return operation, None, _generated_event, "stream"


def _generated(operation: Answer, response: Any) -> None:
    operation.conversation_id = payload.as_text(response.get("sessionId")) or operation.conversation_id
    _generated_event(operation, response)
    answer.end(operation)


def _generated_event(operation: Answer, event: Any) -> None:
    add(operation.block(0), payload.get(event, "output", "text"))
    acted = payload.coalesce(payload.get(event, "guardrail", "action"), payload.get(event, "guardrailAction"))
    if acted == "INTERVENED":
        operation.finish_reasons = ["content_filter"]


def _agent(params: dict[str, Any]) -> Made:
    operation = RemoteAgentRun(
        stream=True,
        agent_id=payload.as_text(params.get("agentId")),
        agent_name=payload.as_text(params.get("agentName")),
        agent_version=payload.as_text(params.get("agentAliasId")),
        request_model=payload.as_text(params.get("foundationModel")),
        conversation_id=payload.as_text(params.get("sessionId")),
    )
    said = payload.as_text(params.get("inputText"))
    if content.wanted() and said is not None:
        operation.input_messages = [messages.message("user", messages.text(said))]
    return operation, None, _agent_event, "completion"


def _agent_event(operation: RemoteAgentRun, event: Any) -> None:
    said = payload.get(event, "chunk", "bytes")
    if said is not None and content.wanted():
        operation.output_messages = operation.output_messages or [messages.message("assistant")]
        operation.output_messages[0]["parts"].append(messages.text(said.decode("utf-8", "replace")))
    for wish in payload.get_list(event, "returnControl", "invocationInputs"):
        name = payload.coalesce(
            payload.get(wish, "functionInvocationInput", "function"),
            payload.get(wish, "apiInvocationInput", "apiPath"),
        )
        operation.tool_calls = [*(operation.tool_calls or []), str(name)]
    told = payload.get(event, "trace", "trace")
    for kind in _TRACES if told is not None else ():
        used = payload.get(told, kind, "modelInvocationOutput", "metadata", "usage")
        if used is not None:
            _add_usage(operation, used)


def _add_usage(operation: ModelCall, used: Any) -> None:
    """Add the tokens of one step of the agent; steps are told only where the caller asked for traces."""
    usage = operation.usage = operation.usage or Usage()
    usage.input_tokens = (usage.input_tokens or 0) + (payload.get_int(used, "inputTokens") or 0)
    usage.output_tokens = (usage.output_tokens or 0) + (payload.get_int(used, "outputTokens") or 0)


def _guardrail(params: dict[str, Any]) -> Made:
    operation = ModelCall("moderation")
    operation.extra[semconv.AWS_BEDROCK_GUARDRAIL_ID] = str(params.get("guardrailIdentifier"))
    return operation, _guarded, None, None


def _guarded(_operation: ModelCall, _response: Any) -> None:
    """Usage is counted in units of text here, not in tokens."""


def end(operation: Operation) -> None:
    """Put together what has streamed."""
    if isinstance(operation, Answer):
        answer.end(operation)
    elif isinstance(operation, RemoteAgentRun):
        join_texts(operation)
        for message in operation.output_messages or []:
            message["finish_reason"] = "stop"


def _place(found: Any) -> str | None:
    """Return where a document lies; each kind of source has a field of its own."""
    location = payload.get(found, "location")
    kinds = [value for value in location.values() if isinstance(value, dict)] if isinstance(location, dict) else []
    places = [payload.coalesce(payload.get(each, "uri"), payload.get(each, "url")) for each in kinds]
    return payload.as_text(payload.coalesce(*places))


def _knowledge_base(base: str | None) -> dict[str, Any]:
    return {} if base is None else {semconv.AWS_BEDROCK_KNOWLEDGE_BASE_ID: base}


CALLS: dict[str, Callable[[dict[str, Any]], Made]] = {
    "Retrieve": _retrieve,
    "Rerank": _rerank,
    "RetrieveAndGenerate": _generate,
    "RetrieveAndGenerateStream": _generate_stream,
    "InvokeAgent": _agent,
    "InvokeInlineAgent": _agent,
    "ApplyGuardrail": _guardrail,
}
