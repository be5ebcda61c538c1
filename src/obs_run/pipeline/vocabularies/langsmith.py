"""LangSmith's export of its runs as spans: ``langsmith.*``, and ``gen_ai.*`` as it understands them.

Source: what langsmith 0.15.1 emits with ``LANGSMITH_OTEL_ENABLED``.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from obs_run.core import semconv
from obs_run.pipeline.vocabularies import reading
from obs_run.pipeline.vocabularies.chat_messages import chat_messages, documents
from obs_run.pipeline.vocabularies.draft import Word

if TYPE_CHECKING:
    from obs_run.pipeline.vocabularies.draft import Draft

_KIND = "langsmith.span.kind"
_NAME = "langsmith.trace.name"
_OPERATIONS = {"llm": "chat", "tool": "execute_tool", "retriever": "retrieval", "embedding": "embeddings"}
"""Kinds of runs that the conventions know; LangSmith calls a retrieval an embedding, and a chain an operation."""
_LONGEST_DETAILS = 1000

_WORDS = {
    "langsmith.request.streaming": Word(semconv.REQUEST_STREAM, reading.true),
    "langsmith.metadata.conversation_id": Word(semconv.CONVERSATION_ID, reading.text),
    "langsmith.metadata.thread_id": Word(semconv.CONVERSATION_ID, reading.text),
    "langsmith.metadata.session_id": Word(semconv.CONVERSATION_ID, reading.text),
}
_OPENAI_WORDS = {
    "gen_ai.response.service_tier": Word(semconv.OPENAI_RESPONSE_SERVICE_TIER, reading.text),
    "gen_ai.response.system_fingerprint": Word(semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT, reading.text),
}
_DETAILS = {
    "gen_ai.usage.input_token_details": {
        "cache_read": semconv.USAGE_CACHE_READ_TOKENS,
        "cache_creation": semconv.USAGE_CACHE_WRITE_TOKENS,
        "audio": semconv.USAGE_AUDIO_INPUT_TOKENS,
    },
    "gen_ai.usage.output_token_details": {
        "reasoning": semconv.USAGE_REASONING_TOKENS,
        "audio": semconv.USAGE_AUDIO_OUTPUT_TOKENS,
    },
}


def translate(draft: Draft) -> None:
    """Say what a run of LangSmith's says."""
    given = draft.given
    kind = given.get(_KIND)
    if not isinstance(kind, str):
        return
    operation = _OPERATIONS.get(kind)
    draft.replace(semconv.OPERATION_NAME, operation)
    if operation is not None:
        draft.remove_repeated(_KIND)
    if given.get("gen_ai.system") == "langchain":
        # It says so where it does not know.
        draft.remove_repeated("gen_ai.system")
    elif given.get("gen_ai.system") == "openai":
        draft.translate(_OPENAI_WORDS)
    if operation == "execute_tool":
        draft.put(semconv.TOOL_NAME, reading.text(given.get(_NAME)), _NAME)
    draft.translate(_WORDS)
    for name in _DETAILS:
        _translate_details(draft, name)
    if draft.wants_content and operation is not None:
        _translate_content(draft, operation)


def _translate_details(draft: Draft, name: str) -> None:
    """Say what tokens were of, which stands there as Python writes a dict."""
    told = reading.text(draft.given.get(name))
    if told is None or len(told) > _LONGEST_DETAILS:
        return
    try:
        details = ast.literal_eval(told)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return
    if not isinstance(details, dict):
        return
    words = _DETAILS[name]
    for key, new in words.items():
        draft.put(new, reading.count(details.get(key)))
    if all(key in words and reading.count(details[key]) is not None for key in details):
        draft.remove_repeated(name)


def _translate_content(draft: Draft, operation: str) -> None:
    asked, answered = semconv.OLD_PROMPT, semconv.OLD_COMPLETION
    said = reading.structure(reading.text(draft.given.get(asked)))
    result = reading.structure(reading.text(draft.given.get(answered)))
    if operation == "chat":
        draft.put_content(semconv.INPUT_MESSAGES, _asked(said), asked)
        draft.put_content(semconv.OUTPUT_MESSAGES, _answered(result), answered)
    elif operation == "execute_tool":
        draft.put_content(semconv.TOOL_CALL_ARGUMENTS, _only(said, "input"), asked)
        draft.put_content(semconv.TOOL_CALL_RESULT, _only(result, "output"), answered)
    elif operation == "retrieval":
        draft.put_content(semconv.RETRIEVAL_QUERY_TEXT, reading.text(_only(said, "query", "input")), asked)
        draft.put_content(semconv.RETRIEVAL_DOCUMENTS, documents(_only(result, "documents", "output")), answered)


def _only(said: Any, *keys: str) -> Any:
    """Return what is told under one of the keys, where nothing else is told."""
    if isinstance(said, dict) and len(said) == 1:
        return next((reading.structure(said[key]) for key in keys if key in said), said)
    return said


def _asked(said: Any) -> Any:
    if not isinstance(said, dict):
        return chat_messages(said)
    return next((chat_messages(said[key]) for key in ("messages", "input", "prompts", "prompt") if key in said), None)


def _answered(result: Any) -> Any:
    """Return the answer of a client or of a framework, whose generations are lists in a list."""
    if not isinstance(result, dict):
        return chat_messages(result, "assistant")
    if isinstance(result.get("choices"), list):
        return _chosen(result["choices"])
    if isinstance(result.get("generations"), list):
        rows = [row if isinstance(row, list) else [row] for row in result["generations"]]
        return _chosen([generation for row in rows for generation in row])
    said = next((result[key] for key in ("messages", "message", "output") if key in result), result)
    return chat_messages(said, "assistant")


def _chosen(choices: list[Any]) -> Any:
    """Return the messages of several answers, with the reason why each ended."""
    said = []
    for choice in choices:
        fields = choice if isinstance(choice, dict) else {}
        message = chat_messages(fields.get("message", fields.get("text")), "assistant")
        if not message:
            return None
        reason = reading.finish_reason(fields.get("finish_reason"))
        said.append(message[0] if reason is None else {**message[0], "finish_reason": reason})
    return said or None
