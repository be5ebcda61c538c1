"""OpenLLMetry, as Traceloop's SDK and instrumentors write it: ``traceloop.*`` and what they add below ``gen_ai.``.

Source: opentelemetry-semantic-conventions-ai 0.5.1 and 0.4, and what opentelemetry-instrumentation-openai 0.62.4 emits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from obs_run.core import semconv
from obs_run.pipeline.vocabularies import reading
from obs_run.pipeline.vocabularies.chat_messages import tool_definitions
from obs_run.pipeline.vocabularies.draft import Word

if TYPE_CHECKING:
    from obs_run.pipeline.vocabularies.draft import Draft

_KIND = "traceloop.span.kind"
_ENTITY = "traceloop.entity.name"
_OPERATIONS = {
    "workflow": ("invoke_workflow", semconv.WORKFLOW_NAME),
    "agent": ("invoke_agent", semconv.AGENT_NAME),
    "tool": ("execute_tool", semconv.TOOL_NAME),
}
"""Kinds that the conventions know, and who or what is meant there; a task stays what it is."""
_REQUESTS = {"chat": "chat", "completion": "text_completion", "embedding": "embeddings", "rerank": "rerank"}

_WORDS = {
    "gen_ai.usage.reasoning_tokens": Word(semconv.USAGE_REASONING_TOKENS, reading.count),
    "llm.usage.reasoning_tokens": Word(semconv.USAGE_REASONING_TOKENS, reading.count),
    "gen_ai.usage.cache_read_input_tokens": Word(semconv.USAGE_CACHE_READ_TOKENS, reading.count),
    "gen_ai.usage.cache_creation_input_tokens": Word(semconv.USAGE_CACHE_WRITE_TOKENS, reading.count),
    "gen_ai.response.finish_reason": Word(semconv.RESPONSE_FINISH_REASONS, reading.finish_reasons),
    "gen_ai.response.stop_reason": Word(semconv.RESPONSE_FINISH_REASONS, reading.finish_reasons),
    "llm.response.finish_reason": Word(semconv.RESPONSE_FINISH_REASONS, reading.finish_reasons),
    "llm.response.stop_reason": Word(semconv.RESPONSE_FINISH_REASONS, reading.finish_reasons),
    "gen_ai.request.n": Word(semconv.REQUEST_CHOICE_COUNT, reading.several),
    "gen_ai.request.max_completion_tokens": Word(semconv.REQUEST_MAX_TOKENS, reading.count),
    "gen_ai.request.reasoning_effort": Word(semconv.REQUEST_REASONING_LEVEL, reading.text),
    "llm.request.reasoning_effort": Word(semconv.REQUEST_REASONING_LEVEL, reading.text),
    "llm.frequency_penalty": Word(semconv.REQUEST_FREQUENCY_PENALTY, reading.number),
    "llm.presence_penalty": Word(semconv.REQUEST_PRESENCE_PENALTY, reading.number),
    "llm.top_k": Word(semconv.REQUEST_TOP_K, reading.whole),
    "llm.chat.stop_sequences": Word(semconv.REQUEST_STOP_SEQUENCES, reading.texts),
    "gen_ai.is_streaming": Word(semconv.REQUEST_STREAM, reading.true),
    "llm.is_streaming": Word(semconv.REQUEST_STREAM, reading.true),
    "traceloop.association.properties.conversation_id": Word(semconv.CONVERSATION_ID, reading.text),
    "traceloop.association.properties.thread_id": Word(semconv.CONVERSATION_ID, reading.text),
    "traceloop.association.properties.session_id": Word(semconv.CONVERSATION_ID, reading.text),
    "traceloop.prompt.key": Word(semconv.PROMPT_NAME, reading.text),
}
_FUNCTION = re.compile(r"\d{1,6}\.(?:name|description|parameters)")


def translate(draft: Draft) -> None:
    """Say what a span in OpenLLMetry's words says."""
    kind = draft.given.get(_KIND)
    if isinstance(kind, str) and kind in _OPERATIONS:
        operation, subject = _OPERATIONS[kind]
        draft.put(semconv.OPERATION_NAME, operation, _KIND)
        draft.put(subject, reading.text(draft.given.get(_ENTITY)), _ENTITY)
    request = draft.given.get("llm.request.type")
    if isinstance(request, str):
        draft.put(semconv.OPERATION_NAME, _REQUESTS.get(request), "llm.request.type")
    draft.translate(_WORDS)
    for name in ("gen_ai.is_streaming", "llm.is_streaming"):
        if draft.given.get(name) is False:
            draft.remove_repeated(name)
    if draft.given.get("gen_ai.request.n") == 1:
        draft.remove_repeated("gen_ai.request.n")
    _translate_address(draft)
    _translate_content(draft, kind)


def _translate_address(draft: Draft) -> None:
    """Say where the provider is asked."""
    name = "gen_ai.openai.api_base"
    place = reading.address(draft.given.get(name))
    if place is not None:
        draft.put(semconv.SERVER_ADDRESS, place[0], name)
        draft.put(semconv.SERVER_PORT, place[1], name)


def _translate_content(draft: Draft, kind: Any) -> None:
    root, names = reading.tree(draft.given, "llm.request.functions.", _FUNCTION)
    draft.put_content(semconv.TOOL_DEFINITIONS, tool_definitions(list(root.items_in_order())), *names)
    if kind == "tool":
        for side, name in (("input", semconv.TOOL_CALL_ARGUMENTS), ("output", semconv.TOOL_CALL_RESULT)):
            source = f"traceloop.entity.{side}"
            said = reading.structure(reading.text(draft.given.get(source)))
            draft.put_content(name, _arguments(said) if side == "input" else said, source)


def _arguments(said: Any) -> Any:
    """Return the arguments by their names alone, where none were given without."""
    if isinstance(said, dict) and said.keys() == {"args", "kwargs"} and not said["args"]:
        return said["kwargs"]
    return said
