"""Agents and knowledge bases that Bedrock hosts, and its guardrails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import join_texts
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import ModelCall, RemoteAgentRun, Rerank, Retrieval, Usage

from . import answer
from .answer import Answer, append_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Operation


@dataclass(frozen=True)
class AgentCall:
    """A call: from its parameters to an operation, and from what comes back into it.

    Where the answer streams, ``stream_field`` is the field of the response that holds the stream.
    """

    parse_request: Callable[[dict[str, Any]], Operation]
    read: Callable[[Any, Any], None]
    stream_field: str | None = None


_STEP_TRACES = ("preProcessingTrace", "orchestrationTrace", "postProcessingTrace", "routingClassifierTrace")


def _parse_retrieve(params: dict[str, Any]) -> Retrieval:
    search = payload.get(params.get("retrievalConfiguration"), "vectorSearchConfiguration")
    knowledge_base = payload.as_text(params.get("knowledgeBaseId"))
    operation = Retrieval(
        data_source=knowledge_base,
        top_k=payload.get_int(search, "numberOfResults"),
        extra=_knowledge_base_attributes(knowledge_base),
    )
    if content.wanted():
        operation.query_text = payload.get_text(params.get("retrievalQuery"), "text")
    return operation


def _read_retrieval(operation: Retrieval, response: Any) -> None:
    results = payload.as_list(response.get("retrievalResults"))
    scores = [payload.get_float(result, "score") for result in results]
    operation.scores = [score for score in scores if score is not None] or None
    if not content.wanted():
        return
    operation.documents = []
    for position, (result, score) in enumerate(zip(results, scores, strict=True)):
        text = payload.get(result, "content", "text")
        operation.documents.append({"id": _uri(result) or str(position), "score": score, "content": text})


def _parse_rerank(params: dict[str, Any]) -> Rerank:
    config = payload.get(params.get("rerankingConfiguration"), "bedrockRerankingConfiguration")
    sources = payload.as_list(params.get("sources"))
    operation = Rerank(
        request_model=payload.get_text(config, "modelConfiguration", "modelArn"),
        top_k=payload.get_int(config, "numberOfResults"),
        input_count=len(sources),
    )
    if content.wanted():
        queries = payload.as_list(params.get("queries"))
        if queries:
            # The API takes a list of one.
            operation.query_text = payload.get_text(queries[0], "textQuery", "text")
        operation.sent_documents = [_document(source) for source in sources]
    return operation


def _document(source: Any) -> Any:
    document = payload.get(source, "inlineDocumentSource")
    return payload.coalesce(payload.get(document, "textDocument", "text"), payload.get(document, "jsonDocument"))


def _read_rerank(operation: Rerank, response: Any) -> None:
    results = payload.as_list(response.get("results"))
    operation.rank([(result["index"], payload.as_float(result.get("relevanceScore"))) for result in results])


def _parse_generate(params: dict[str, Any]) -> Answer:
    config = params.get("retrieveAndGenerateConfiguration")
    knowledge_base = payload.get(config, "knowledgeBaseConfiguration")
    model = payload.coalesce(
        payload.get(knowledge_base, "modelArn"),
        payload.get(config, "externalSourcesConfiguration", "modelArn"),
    )
    operation = Answer(
        "chat",
        request_model=payload.as_text(model),
        conversation_id=payload.as_text(params.get("sessionId")),
        extra=_knowledge_base_attributes(payload.get_text(knowledge_base, "knowledgeBaseId")),
    )
    if content.wanted():
        text = payload.get_text(params.get("input"), "text") or ""
        operation.input_messages = [messages.message("user", messages.text(text))]
    return operation


def _read_generated(operation: Answer, response: Any) -> None:
    operation.conversation_id = payload.as_text(response.get("sessionId")) or operation.conversation_id
    _read_generated_event(operation, response)
    answer.finish(operation)


def _read_generated_event(operation: Answer, event: Any) -> None:
    append_text(operation.block(0), payload.get(event, "output", "text"))
    # Events have an object where the whole answer has a word.
    action = payload.coalesce(payload.get(event, "guardrail", "action"), payload.get(event, "guardrailAction"))
    if action == "INTERVENED":
        operation.finish_reasons = ["content_filter"]


def _parse_agent(params: dict[str, Any]) -> RemoteAgentRun:
    operation = RemoteAgentRun(
        agent_id=payload.as_text(params.get("agentId")),
        agent_name=payload.as_text(params.get("agentName")),
        agent_version=payload.as_text(params.get("agentAliasId")),
        request_model=payload.as_text(params.get("foundationModel")),
        conversation_id=payload.as_text(params.get("sessionId")),
    )
    text = payload.as_text(params.get("inputText"))
    if content.wanted() and text is not None:
        operation.input_messages = [messages.message("user", messages.text(text))]
    return operation


def _read_agent_event(operation: RemoteAgentRun, event: Any) -> None:
    """Read a piece of the answer, the functions that the caller is to run, or the trace of a step."""
    text = payload.get(event, "chunk", "bytes")
    if text is not None and content.wanted():
        operation.output_messages = operation.output_messages or [messages.message("assistant")]
        operation.output_messages[0]["parts"].append(messages.text(text.decode("utf-8", "replace")))
    for invocation in payload.get_list(event, "returnControl", "invocationInputs"):
        # Functions have names, the operations of an API have paths.
        name = payload.coalesce(
            payload.get(invocation, "functionInvocationInput", "function"),
            payload.get(invocation, "apiInvocationInput", "apiPath"),
        )
        operation.tool_calls = [*(operation.tool_calls or []), str(name)]
    trace = payload.get(event, "trace", "trace")
    if trace is not None:
        for kind in _STEP_TRACES:
            _add_usage(operation, payload.get(trace, kind, "modelInvocationOutput", "metadata", "usage"))


def _add_usage(operation: ModelCall, raw: Any) -> None:
    """Add the tokens of one step of the agent; steps are told only where the caller asked for traces."""
    if raw is None:
        return
    if operation.usage is None:
        operation.usage = Usage()
    usage = operation.usage
    usage.input_tokens = (usage.input_tokens or 0) + (payload.get_int(raw, "inputTokens") or 0)
    usage.output_tokens = (usage.output_tokens or 0) + (payload.get_int(raw, "outputTokens") or 0)


def _parse_guardrail(params: dict[str, Any]) -> ModelCall:
    operation = ModelCall("moderation")
    operation.extra[semconv.AWS_BEDROCK_GUARDRAIL_ID] = str(params.get("guardrailIdentifier"))
    return operation


def _read_nothing(_operation: ModelCall, _response: Any) -> None:
    """Usage of guardrails is counted in units of text, not in tokens."""


def finish(operation: Operation) -> None:
    """Put together what has streamed."""
    if isinstance(operation, Answer):
        answer.finish(operation)
    elif isinstance(operation, RemoteAgentRun):
        join_texts(operation)
        for message in operation.output_messages or []:
            message["finish_reason"] = "stop"


def _uri(result: Any) -> str | None:
    """Return where a document lies; each kind of source has a field of its own."""
    location = payload.get(result, "location")
    if not isinstance(location, dict):
        return None
    for source in location.values():
        if not isinstance(source, dict):
            continue
        uri = payload.coalesce(source.get("uri"), source.get("url"))
        if uri is not None:
            return payload.as_text(uri)
    return None


def _knowledge_base_attributes(knowledge_base: str | None) -> dict[str, Any]:
    return {} if knowledge_base is None else {semconv.AWS_BEDROCK_KNOWLEDGE_BASE_ID: knowledge_base}


CALLS: dict[str, AgentCall] = {
    "Retrieve": AgentCall(_parse_retrieve, _read_retrieval),
    "Rerank": AgentCall(_parse_rerank, _read_rerank),
    "RetrieveAndGenerate": AgentCall(_parse_generate, _read_generated),
    "RetrieveAndGenerateStream": AgentCall(_parse_generate, _read_generated_event, "stream"),
    "InvokeAgent": AgentCall(_parse_agent, _read_agent_event, "completion"),
    "InvokeInlineAgent": AgentCall(_parse_agent, _read_agent_event, "completion"),
    "ApplyGuardrail": AgentCall(_parse_guardrail, _read_nothing),
}
