"""The Vercel AI SDK: ``ai.*``, of one span around a call and others for each question to the model in it.

Source: its documents of telemetry, versions 3 to 7, and the recorded spans in the tests of its package ``otel``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base.json_text import from_json
from obs_run.core import messages, semconv
from obs_run.pipeline.vocabularies import reading
from obs_run.pipeline.vocabularies.chat_messages import call_part, chat_messages, tool_definitions
from obs_run.pipeline.vocabularies.draft import Word
from obs_run.pipeline.vocabularies.providers import provider

if TYPE_CHECKING:
    from obs_run.core.messages import Part
    from obs_run.pipeline.vocabularies.draft import Draft

_OPERATION = "ai.operationId"
_FUNCTION = "ai.telemetry.functionId"
_QUESTIONS = {
    "doGenerate": "chat",
    "doStream": "chat",
    "doEmbed": "embeddings",
    "doRerank": "rerank",
}
_RUNS = ("ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject")
"""What goes on until the model wants no more tools: the run of an agent."""

_WORDS = {
    "ai.model.id": Word(semconv.REQUEST_MODEL, reading.text),
    "ai.model.provider": Word(semconv.PROVIDER_NAME, provider),
    "ai.response.id": Word(semconv.RESPONSE_ID, reading.text),
    "ai.response.model": Word(semconv.RESPONSE_MODEL, reading.text),
    "ai.response.finishReason": Word(semconv.RESPONSE_FINISH_REASONS, reading.finish_reasons),
    "ai.finishReason": Word(semconv.RESPONSE_FINISH_REASONS, reading.finish_reasons),
    "ai.settings.temperature": Word(semconv.REQUEST_TEMPERATURE, reading.number),
    "ai.settings.topP": Word(semconv.REQUEST_TOP_P, reading.number),
    "ai.settings.topK": Word(semconv.REQUEST_TOP_K, reading.whole),
    "ai.settings.maxTokens": Word(semconv.REQUEST_MAX_TOKENS, reading.count),
    "ai.settings.maxOutputTokens": Word(semconv.REQUEST_MAX_TOKENS, reading.count),
    "ai.settings.frequencyPenalty": Word(semconv.REQUEST_FREQUENCY_PENALTY, reading.number),
    "ai.settings.presencePenalty": Word(semconv.REQUEST_PRESENCE_PENALTY, reading.number),
    "ai.settings.stopSequences": Word(semconv.REQUEST_STOP_SEQUENCES, reading.texts),
    "ai.settings.seed": Word(semconv.REQUEST_SEED, reading.whole),
    "ai.toolCall.name": Word(semconv.TOOL_NAME, reading.text),
    "ai.toolCall.id": Word(semconv.TOOL_CALL_ID, reading.text),
}
_USAGE = {
    "ai.usage.inputTokens": Word(semconv.USAGE_INPUT_TOKENS, reading.count),
    "ai.usage.promptTokens": Word(semconv.USAGE_INPUT_TOKENS, reading.count),
    "ai.usage.tokens": Word(semconv.USAGE_INPUT_TOKENS, reading.count),
    "ai.usage.outputTokens": Word(semconv.USAGE_OUTPUT_TOKENS, reading.count),
    "ai.usage.completionTokens": Word(semconv.USAGE_OUTPUT_TOKENS, reading.count),
    "ai.usage.cachedInputTokens": Word(semconv.USAGE_CACHE_READ_TOKENS, reading.count),
    "ai.usage.inputTokenDetails.cacheReadTokens": Word(semconv.USAGE_CACHE_READ_TOKENS, reading.count),
    "ai.usage.inputTokenDetails.cacheWriteTokens": Word(semconv.USAGE_CACHE_WRITE_TOKENS, reading.count),
    "ai.usage.reasoningTokens": Word(semconv.USAGE_REASONING_TOKENS, reading.count),
    "ai.usage.outputTokenDetails.reasoningTokens": Word(semconv.USAGE_REASONING_TOKENS, reading.count),
}
_TIMES = {
    "ai.response.msToFirstChunk": Word(semconv.RESPONSE_TIME_TO_FIRST_CHUNK, reading.seconds),
    "ai.stream.msToFirstChunk": Word(semconv.RESPONSE_TIME_TO_FIRST_CHUNK, reading.seconds),
}
_RESULTS = ("ai.response", "ai.result")
"""Where answers stand, and where they stood before version 4."""


def translate(draft: Draft) -> None:
    """Say what a span of the AI SDK says."""
    told = reading.text(draft.given.get(_OPERATION))
    operation = _operation(told)
    if told is None or operation is None:
        # What is around an embedding tells of the tokens that the ones inside have told of.
        return
    draft.put(semconv.OPERATION_NAME, operation, _OPERATION)
    draft.translate(_WORDS)
    draft.translate(_USAGE)
    if told.endswith(".doStream"):
        draft.put(semconv.REQUEST_STREAM, value=True)
        draft.translate(_TIMES)
    _translate_function(draft, operation, told)
    if draft.wants_content:
        _translate_content(draft, operation)


def _operation(told: str | None) -> str | None:
    if told is None:
        return None
    if told == "ai.toolCall":
        return "execute_tool"
    return "invoke_agent" if told in _RUNS else _QUESTIONS.get(told.rpartition(".")[2])


def _translate_function(draft: Draft, operation: str, told: str) -> None:
    """Say what the developer calls the run; it stands in three places."""
    function = reading.text(draft.given.get(_FUNCTION))
    if operation == "invoke_agent":
        draft.put(semconv.AGENT_NAME, function, _FUNCTION)
    if draft.given.get("operation.name") == (f"{told} {function}" if function else told):
        draft.remove_repeated("operation.name")
    if function and draft.given.get("resource.name") == function:
        draft.remove_repeated("resource.name")


def _translate_content(draft: Draft, operation: str) -> None:
    given = draft.given
    if operation == "execute_tool":
        for side, name in (("args", semconv.TOOL_CALL_ARGUMENTS), ("result", semconv.TOOL_CALL_RESULT)):
            draft.put_content(name, reading.structure(given.get(f"ai.toolCall.{side}")), f"ai.toolCall.{side}")
    elif operation in ("chat", "invoke_agent"):
        _translate_question(draft)
        _translate_answer(draft)
        tools = reading.json_list(given.get("ai.prompt.tools"))
        draft.put_content(semconv.TOOL_DEFINITIONS, tool_definitions(tools), "ai.prompt.tools")


def _translate_question(draft: Draft) -> None:
    asked = reading.json_list(draft.given.get("ai.prompt.messages"))
    draft.put_content(semconv.INPUT_MESSAGES, chat_messages(asked) if asked else None, "ai.prompt.messages")
    prompt = reading.json_object(draft.given.get("ai.prompt"))
    if prompt is None:
        return
    said = chat_messages(prompt.get("messages") or prompt.get("prompt"))
    draft.put_content(semconv.INPUT_MESSAGES, said, "ai.prompt")
    system = reading.text(prompt.get("system"))
    if system is not None and said is not None:
        draft.put_content(semconv.SYSTEM_INSTRUCTIONS, [messages.text(system)])


def _translate_answer(draft: Draft) -> None:
    """Say what the model answered: its reasoning, its text, an object, the tools that it wants."""
    parts: list[Part] = []
    sources = []
    for place in _RESULTS:
        for key, part in (("reasoning", messages.reasoning), ("text", messages.text), ("object", messages.text)):
            said = reading.text(draft.given.get(f"{place}.{key}"))
            if said is not None:
                parts.append(part(said))
                sources.append(f"{place}.{key}")
        calls = [call_part(call) for call in _calls(draft.given.get(f"{place}.toolCalls"))]
        if calls and None not in calls:
            parts += [call for call in calls if call is not None]
            sources.append(f"{place}.toolCalls")
    reasons = reading.finish_reasons(draft.get(semconv.RESPONSE_FINISH_REASONS))
    answer = messages.message("assistant", *parts, finish_reason=reasons[0] if reasons else None)
    draft.put_content(semconv.OUTPUT_MESSAGES, [answer] if parts else None, *sources)


def _calls(told: Any) -> list[Any]:
    parsed = from_json(told) if isinstance(told, str) else None
    return parsed if isinstance(parsed, list) else []
