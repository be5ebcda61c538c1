"""Names of the GenAI conventions before v1.37, and content as it was written then: ``gen_ai.prompt.0.content``.

Source: the conventions' table of changes; OpenLLMetry up to 0.49 for what is numbered, which no convention had.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from obs_run.base.json_text import from_json
from obs_run.core import messages, semconv
from obs_run.pipeline.vocabularies import reading
from obs_run.pipeline.vocabularies.chat_messages import call_part, chat_messages, content_parts
from obs_run.pipeline.vocabularies.draft import Word
from obs_run.pipeline.vocabularies.providers import provider

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part
    from obs_run.pipeline.vocabularies.draft import Draft
    from obs_run.pipeline.vocabularies.reading import Branch

_WORDS = {
    "gen_ai.system": Word(semconv.PROVIDER_NAME, provider),
    "gen_ai.usage.prompt_tokens": Word(semconv.USAGE_INPUT_TOKENS, reading.count),
    "gen_ai.usage.completion_tokens": Word(semconv.USAGE_OUTPUT_TOKENS, reading.count),
    "gen_ai.usage.cache_creation.input_tokens": Word(semconv.USAGE_CACHE_WRITE_TOKENS, reading.count),
    "gen_ai.openai.request.seed": Word(semconv.REQUEST_SEED, reading.whole),
    "gen_ai.openai.request.service_tier": Word(semconv.OPENAI_REQUEST_SERVICE_TIER, reading.text),
    "gen_ai.openai.response.service_tier": Word(semconv.OPENAI_RESPONSE_SERVICE_TIER, reading.text),
    "gen_ai.openai.response.system_fingerprint": Word(semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT, reading.text),
    "gen_ai.openai.system_fingerprint": Word(semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT, reading.text),
}
_OPERATIONS = {"completion": "text_completion", "embedding": "embeddings"}
_TOTALS = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total", "ai.usage.totalTokens")
_MESSAGE = re.compile(
    r"\d{1,6}\.(?:role|content|name|tool_call_id|finish_reason|tool_calls\.\d{1,6}\.(?:id|name|arguments))"
)


def correct(draft: Draft) -> None:
    """Say in today's values what stands under today's names in others, before anything else is looked at."""
    given = draft.given
    operation = given.get(semconv.OPERATION_NAME)
    if isinstance(operation, str) and operation in _OPERATIONS:
        draft.replace(semconv.OPERATION_NAME, _OPERATIONS[operation])
    for name, read in (
        (semconv.PROVIDER_NAME, provider),
        (semconv.REQUEST_TOP_K, reading.whole),
        (semconv.RESPONSE_FINISH_REASONS, reading.finish_reasons),
    ):
        value = read(given[name]) if name in given else None
        if value is not None and (value != given[name] or type(value) is not type(given[name])):
            draft.replace(name, value)
    if given.get(semconv.REQUEST_STREAM) is False:
        draft.replace(semconv.REQUEST_STREAM, None)


def translate(draft: Draft) -> None:
    """Say what a span says in names of the conventions that they have no more, after what else is in it was said."""
    draft.translate(_WORDS)
    _translate_reasons(draft)
    if draft.wants_content:
        _translate_messages(draft, "gen_ai.prompt", semconv.INPUT_MESSAGES, "user")
        _translate_messages(draft, "gen_ai.completion", semconv.OUTPUT_MESSAGES, "assistant")
        for name in (semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES):
            _correct_messages(draft, name)
    _settle_totals(draft)


def _translate_reasons(draft: Draft) -> None:
    """Say why each answer ended, which stands beside its text."""
    root, names = reading.tree(draft.given, "gen_ai.completion.", _MESSAGE)
    reasons = [reading.finish_reason(each.get("finish_reason")) for each in root.items_in_order()]
    if reasons and None not in reasons:
        told = [name for name in names if name.endswith(".finish_reason")]
        draft.put(semconv.RESPONSE_FINISH_REASONS, tuple(reasons), *told)


def _translate_messages(draft: Draft, old: str, name: str, role: str) -> None:
    root, names = reading.tree(draft.given, f"{old}.", _MESSAGE)
    read = [_message(each, role) for each in root.items_in_order()]
    draft.put_content(name, read or None, *names)
    whole = reading.text(draft.given.get(old))
    if whole is not None and old not in draft.told:
        draft.put_content(name, chat_messages(reading.structure(whole), role), old)


def _message(told: Branch, default: str) -> Message:
    role = told.get("role") or default
    said = reading.structure(told.get("content"))
    if role == "tool" or told.get("tool_call_id"):
        parts: list[Part] = [messages.tool_call_response(told.get("tool_call_id"), said)]
    else:
        parts = content_parts(said if _is_parts(said) else told.get("content"))
    parts += [part for each in told.branch("tool_calls").items_in_order() if (part := call_part(each)) is not None]
    reason = reading.finish_reason(told.get("finish_reason"))
    return messages.message(role, *parts, name=told.get("name"), finish_reason=reason)


def _is_parts(said: Any) -> bool:
    """Whether a text was a list of parts; of the model's own JSON nothing is taken apart."""
    return isinstance(said, list) and all(isinstance(part, dict) and isinstance(part.get("type"), str) for part in said)


def _correct_messages(draft: Draft, name: str) -> None:
    """Give messages the form that they have now: results of tools stood under another key."""
    given = reading.text(draft.given.get(name))
    if given is None or '"tool_call_response"' not in given or '"result"' not in given:
        return
    read = from_json(given)
    corrected = chat_messages(read) if isinstance(read, list) else None
    if corrected is not None:
        draft.told.add(name)
        draft.content[name] = corrected


def _settle_totals(draft: Draft) -> None:
    """Let sums go whose parts are said."""
    parts = [reading.count(draft.get(name)) for name in (semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS)]
    known = [part for part in parts if part is not None]
    draft.remove_repeated(*(name for name in _TOTALS if known and draft.given.get(name) == sum(known)))
