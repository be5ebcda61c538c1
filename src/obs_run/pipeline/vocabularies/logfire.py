"""Names that Logfire and pydantic-ai have for themselves, beside the conventions' own.

Source: what logfire 5.6 and pydantic-ai 2.68 emit, and pydantic-ai 0.1 to 1 for the names that it had before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import semconv
from obs_run.pipeline.vocabularies import reading
from obs_run.pipeline.vocabularies.chat_messages import chat_messages
from obs_run.pipeline.vocabularies.draft import Word

if TYPE_CHECKING:
    from obs_run.core.messages import Message
    from obs_run.pipeline.vocabularies.draft import Draft

_DETAILS = {
    "gen_ai.usage.details.cache_read_tokens": Word(semconv.USAGE_CACHE_READ_TOKENS, reading.count),
    "gen_ai.usage.details.cached_tokens": Word(semconv.USAGE_CACHE_READ_TOKENS, reading.count),
    "gen_ai.usage.details.cache_write_tokens": Word(semconv.USAGE_CACHE_WRITE_TOKENS, reading.count),
    "gen_ai.usage.details.reasoning_tokens": Word(semconv.USAGE_REASONING_TOKENS, reading.count),
    "gen_ai.usage.details.thoughts_tokens": Word(semconv.USAGE_REASONING_TOKENS, reading.count),
    "gen_ai.usage.details.input_audio_tokens": Word(semconv.USAGE_AUDIO_INPUT_TOKENS, reading.count),
    "gen_ai.usage.details.output_audio_tokens": Word(semconv.USAGE_AUDIO_OUTPUT_TOKENS, reading.count),
}
_RAW_USAGE = "gen_ai.usage.raw"
_RAW_DETAILS = (
    ("prompt_tokens_details", "cached_tokens", semconv.USAGE_CACHE_READ_TOKENS),
    ("input_tokens_details", "cached_tokens", semconv.USAGE_CACHE_READ_TOKENS),
    ("completion_tokens_details", "reasoning_tokens", semconv.USAGE_REASONING_TOKENS),
    ("output_tokens_details", "reasoning_tokens", semconv.USAGE_REASONING_TOKENS),
)
_OF_RUNS = {
    "agent_name": Word(semconv.AGENT_NAME, reading.text),
    "model_name": Word(semconv.REQUEST_MODEL, reading.text),
    "gen_ai.aggregated_usage.input_tokens": Word(semconv.USAGE_INPUT_TOKENS, reading.count),
    "gen_ai.aggregated_usage.output_tokens": Word(semconv.USAGE_OUTPUT_TOKENS, reading.count),
}
_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_ALL_MESSAGES = ("pydantic_ai.all_messages", "all_messages_events")


def translate(draft: Draft) -> None:
    """Say what a span of Logfire or pydantic-ai says in words of its own."""
    given = draft.given
    if given.get(semconv.OPERATION_NAME) is None:
        draft.put(semconv.OPERATION_NAME, _operation(draft))
    draft.translate(_DETAILS)
    _translate_raw_usage(draft)
    operation = draft.get(semconv.OPERATION_NAME)
    if operation == "invoke_agent":
        draft.translate(_OF_RUNS)
    _translate_request(draft)
    if draft.wants_content:
        _translate_content(draft, operation)


def _operation(draft: Draft) -> str | None:
    """Return what a span of pydantic-ai's is of, before it said so itself; what asked a model said it always."""
    if draft.span_name == "agent run" or draft.span_name.endswith(" run"):
        return "invoke_agent" if "agent_name" in draft.given else None
    is_tool = draft.span_name == "running tool" and semconv.TOOL_NAME in draft.given
    return "execute_tool" if is_tool else None


def _translate_raw_usage(draft: Draft) -> None:
    """Say what tokens were of, which stands only in the usage as the provider told it."""
    usage = reading.json_object(draft.given.get(_RAW_USAGE)) or {}
    for side, detail, name in _RAW_DETAILS:
        told = usage.get(side)
        if isinstance(told, dict):
            draft.put(name, reading.count(told.get(detail)))


def _translate_request(draft: Draft) -> None:
    """Let what Logfire keeps of a request go, where it is only the model's name, which is told beside."""
    request = reading.json_object(draft.given.get("request_data"))
    model = draft.get(semconv.REQUEST_MODEL)
    if request is None or model is None or request.get("model") != model:
        return
    if not request.keys() - {"model", "stream"}:
        draft.put(semconv.REQUEST_STREAM, reading.true(request.get("stream")))
        draft.remove_repeated("request_data")


def _translate_content(draft: Draft, operation: Any) -> None:
    given = draft.given
    if operation == "execute_tool":
        for old, name in (
            ("tool_arguments", semconv.TOOL_CALL_ARGUMENTS),
            ("tool_response", semconv.TOOL_CALL_RESULT),
        ):
            draft.put_content(name, reading.structure(given.get(old)), old)
    elif operation == "invoke_agent":
        for name in _ALL_MESSAGES:
            said = _said(reading.json_list(given.get(name)))
            draft.put_content(semconv.INPUT_MESSAGES, said[0] + said[1] if said else None, name)
        final = reading.text(given.get("final_result"))
        draft.put_content(semconv.OUTPUT_MESSAGES, chat_messages(final, "assistant"), "final_result")
    else:
        _translate_call(draft)


def _translate_call(draft: Draft) -> None:
    """Say what a model was asked and answered, which was told as events, or as the client had it."""
    said = _said(reading.json_list(draft.given.get("events")))
    if said is not None:
        draft.put_content(semconv.INPUT_MESSAGES, said[0] or None, "events")
        draft.put_content(semconv.OUTPUT_MESSAGES, said[1] or None, "events")
    request = reading.json_object(draft.given.get("request_data")) or {}
    draft.put_content(semconv.INPUT_MESSAGES, chat_messages(request["messages"]) if "messages" in request else None)
    response = reading.json_object(draft.given.get("response_data")) or {}
    answer = response.get("message")
    draft.put_content(semconv.OUTPUT_MESSAGES, chat_messages(answer, "assistant") if answer else None)


def _said(events: list[Any] | None) -> tuple[list[Message], list[Message]] | None:
    """Return the messages that went in and those that came out, of events or of messages."""
    asked: list[Message] = []
    answered: list[Message] = []
    for event in events or ():
        kind = event.get("event.name") if isinstance(event, dict) else None
        is_choice = kind == _CHOICE
        told = event.get("message") if is_choice else event
        read = chat_messages(told, "assistant" if is_choice else _EVENTS.get(str(kind), "user"))
        if read is None:
            return None
        (answered if is_choice else asked).extend(read)
    return (asked, answered) if events else None
