"""OpenInference, as Arize's instrumentors write it: ``openinference.span.kind``, ``llm.*``, ``input.value``.

Source: openinference-semantic-conventions 0.1.42, and what openinference-instrumentation-openai 0.1.66 emits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from obs_run.core import messages, semconv
from obs_run.pipeline.vocabularies import reading
from obs_run.pipeline.vocabularies.chat_messages import chat_messages, documents, media, tool_definitions
from obs_run.pipeline.vocabularies.draft import Word
from obs_run.pipeline.vocabularies.providers import provider

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part
    from obs_run.pipeline.vocabularies.draft import Draft
    from obs_run.pipeline.vocabularies.reading import Branch

_KIND = "openinference.span.kind"
_OPERATIONS = {
    "LLM": "chat",
    "EMBEDDING": "embeddings",
    "RETRIEVER": "retrieval",
    "RERANKER": "rerank",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
}
"""Kinds that the conventions know; chains, guardrails and the rest stay what they are."""
_PARAMETERS = ("llm.invocation_parameters", "embedding.invocation_parameters")
_MODEL = "llm.model_name"

_WORDS = {
    "llm.request.model_name": Word(semconv.REQUEST_MODEL, reading.text),
    "llm.response.model_name": Word(semconv.RESPONSE_MODEL, reading.text),
    "embedding.model_name": Word(semconv.REQUEST_MODEL, reading.text),
    "reranker.model_name": Word(semconv.REQUEST_MODEL, reading.text),
    "reranker.top_k": Word(semconv.RETRIEVAL_TOP_K, reading.count),
    "llm.token_count.prompt": Word(semconv.USAGE_INPUT_TOKENS, reading.count),
    "llm.token_count.completion": Word(semconv.USAGE_OUTPUT_TOKENS, reading.count),
    "llm.token_count.prompt_details.cache_read": Word(semconv.USAGE_CACHE_READ_TOKENS, reading.count),
    "llm.token_count.prompt_details.cache_input": Word(semconv.USAGE_CACHE_READ_TOKENS, reading.count),
    "llm.token_count.prompt_details.cache_write": Word(semconv.USAGE_CACHE_WRITE_TOKENS, reading.count),
    "llm.token_count.prompt_details.audio": Word(semconv.USAGE_AUDIO_INPUT_TOKENS, reading.count),
    "llm.token_count.completion_details.audio": Word(semconv.USAGE_AUDIO_OUTPUT_TOKENS, reading.count),
    "llm.token_count.completion_details.reasoning": Word(semconv.USAGE_REASONING_TOKENS, reading.count),
    "llm.finish_reason": Word(semconv.RESPONSE_FINISH_REASONS, reading.finish_reasons),
    "session.id": Word(semconv.CONVERSATION_ID, reading.text),
    "agent.name": Word(semconv.AGENT_NAME, reading.text),
    "tool.name": Word(semconv.TOOL_NAME, reading.text),
    "tool.description": Word(semconv.TOOL_DESCRIPTION, reading.text),
    "tool.id": Word(semconv.TOOL_CALL_ID, reading.text),
    "tool_call.id": Word(semconv.TOOL_CALL_ID, reading.text),
    "tool_call.function.name": Word(semconv.TOOL_NAME, reading.text),
}
_PARAMETER_WORDS = {
    "temperature": Word(semconv.REQUEST_TEMPERATURE, reading.number),
    "top_p": Word(semconv.REQUEST_TOP_P, reading.number),
    "top_k": Word(semconv.REQUEST_TOP_K, reading.whole),
    "max_tokens": Word(semconv.REQUEST_MAX_TOKENS, reading.count),
    "max_completion_tokens": Word(semconv.REQUEST_MAX_TOKENS, reading.count),
    "max_output_tokens": Word(semconv.REQUEST_MAX_TOKENS, reading.count),
    "frequency_penalty": Word(semconv.REQUEST_FREQUENCY_PENALTY, reading.number),
    "presence_penalty": Word(semconv.REQUEST_PRESENCE_PENALTY, reading.number),
    "stop": Word(semconv.REQUEST_STOP_SEQUENCES, reading.texts),
    "stop_sequences": Word(semconv.REQUEST_STOP_SEQUENCES, reading.texts),
    "seed": Word(semconv.REQUEST_SEED, reading.whole),
    "n": Word(semconv.REQUEST_CHOICE_COUNT, reading.several),
    "stream": Word(semconv.REQUEST_STREAM, reading.true),
    "dimensions": Word(semconv.EMBEDDINGS_DIMENSION_COUNT, reading.count),
    "encoding_format": Word(semconv.REQUEST_ENCODING_FORMATS, reading.texts),
}
_SAYS_NOTHING = {"n": 1, "stream": False}
"""What goes without saying in the conventions."""
_MODEL_PARAMETERS = ("model", "model_name", "model_id", "modelId")

_MESSAGE = re.compile(
    r"\d{1,6}\.message\.(?:role|content|name|tool_call_id|function_call_name|function_call_arguments_json"
    r"|tool_calls\.\d{1,6}\.tool_call\.(?:id|function\.(?:name|arguments))"
    r"|contents\.\d{1,6}\.message_content\.(?:type|text|image\.image\.url|audio\.audio\.url|video\.video\.url"
    r"|document\.document\.url))"
)
_TOOL = re.compile(r"\d{1,6}\.tool\.json_schema")
_PROMPT = re.compile(r"\d{1,6}\.(?:prompt|completion)\.text")
_DOCUMENT = re.compile(r"(?P<at>\d{1,6})\.document\.(?P<field>id|score|content|metadata)")


def translate(draft: Draft) -> None:
    """Say what a span in OpenInference's words says."""
    kind = draft.given.get(_KIND)
    operation = _OPERATIONS.get(kind) if isinstance(kind, str) else None
    if kind == "TOOL":
        draft.put(semconv.TOOL_NAME, reading.text(draft.given.get("tool.name")) or draft.span_name)
    elif kind == "LLM" and any(name.startswith("llm.prompts.") for name in draft.given):
        operation = "text_completion"
    draft.put(semconv.OPERATION_NAME, operation, _KIND)
    _translate_provider(draft)
    draft.translate(_WORDS)
    for name in _PARAMETERS:
        _translate_parameters(draft, name)
    _translate_model(draft)
    if draft.wants_content:
        _translate_content(draft, operation)


def _translate_provider(draft: Draft) -> None:
    """Say who answered: who hosts the model is known better than whose API it speaks."""
    system, host = reading.text(draft.given.get("llm.system")), reading.text(draft.given.get("llm.provider"))
    if host == "google" and system == "vertexai":
        host = system
    sources = [name for name, value in (("llm.system", system), ("llm.provider", host)) if value is not None]
    draft.put(semconv.PROVIDER_NAME, provider(host or system), *sources)


def _translate_parameters(draft: Draft, name: str) -> None:
    parameters = reading.json_object(draft.given.get(name))
    if parameters is None:
        return
    model = next((reading.text(parameters[key]) for key in _MODEL_PARAMETERS if key in parameters), None)
    draft.put(semconv.REQUEST_MODEL, model)
    left = {key for key in parameters if key not in _MODEL_PARAMETERS and parameters[key] is not None}
    for key, word in _PARAMETER_WORDS.items():
        value = word.read(parameters[key]) if key in left else None
        draft.put(word.name, value)
        if value is not None or (key in left and parameters[key] == _SAYS_NOTHING.get(key)):
            left.discard(key)
    if not left:
        draft.remove_repeated(name)


def _translate_model(draft: Draft) -> None:
    """Say which model answered; the name is the request's where the parameters name none."""
    model = reading.text(draft.given.get(_MODEL))
    name = semconv.RESPONSE_MODEL if draft.get(semconv.REQUEST_MODEL) else semconv.REQUEST_MODEL
    draft.put(name, model, _MODEL)


def _translate_content(draft: Draft, operation: str | None) -> None:
    said = _translate_messages(draft, "llm.input_messages.", semconv.INPUT_MESSAGES, "user")
    answered = _translate_messages(draft, "llm.output_messages.", semconv.OUTPUT_MESSAGES, "assistant")
    said = _translate_texts(draft, "llm.prompts.", semconv.INPUT_MESSAGES, "user") or said
    answered = _translate_texts(draft, "llm.choices.", semconv.OUTPUT_MESSAGES, "assistant") or answered
    # What the messages were made of: the whole of the request and of the answer, as JSON.
    for side, is_told in (("input", said), ("output", answered)):
        if is_told and draft.given.get(f"{side}.mime_type") == "application/json":
            draft.remove_repeated(f"{side}.value", f"{side}.mime_type")
    _translate_tools(draft)
    _translate_documents(draft)
    _translate_values(draft, operation)


def _translate_messages(draft: Draft, prefix: str, name: str, role: str) -> bool:
    root, names = reading.tree(draft.given, prefix, _MESSAGE)
    read = [_message(each.branch("message"), role) for each in root.items_in_order()]
    draft.put_content(name, read or None, *names)
    return bool(read)


def _message(told: Branch, default: str) -> Message:
    role = told.get("role") or default
    said = told.get("content")
    parts: list[Part] = []
    if role == "tool" or told.get("tool_call_id"):
        parts.append(messages.tool_call_response(told.get("tool_call_id"), said))
    elif said:
        parts.append(messages.text(said))
    parts += [_part(each.branch("message_content")) for each in told.branch("contents").items_in_order()]
    for each in told.branch("tool_calls").items_in_order():
        call = each.branch("tool_call")
        function = call.branch("function")
        arguments = reading.structure(function.get("arguments"))
        parts.append(messages.tool_call(call.get("id"), function.get("name") or "", arguments))
    if told.get("function_call_name"):
        arguments = reading.structure(told.get("function_call_arguments_json"))
        parts.append(messages.tool_call(None, told["function_call_name"], arguments))
    return messages.message(role, *parts, name=told.get("name"))


def _part(told: Branch) -> Part:
    for modality in ("image", "audio", "video", "document"):
        url = told.branch(modality).branch(modality).get("url")
        if url is not None:
            return media(modality, url)
    said = told.get("text") or ""
    return messages.reasoning(said) if told.get("type") in ("reasoning", "thinking") else messages.text(said)


def _translate_texts(draft: Draft, prefix: str, name: str, role: str) -> bool:
    """Say the prompts or answers of a model that completes a text."""
    root, names = reading.tree(draft.given, prefix, _PROMPT)
    texts = [
        said
        for each in root.items_in_order()
        if (said := each.branch("prompt").get("text") or each.branch("completion").get("text"))
    ]
    read = [messages.message(role, messages.text(said)) for said in texts]
    draft.put_content(name, read or None, *names)
    return bool(read)


def _translate_tools(draft: Draft) -> None:
    root, names = reading.tree(draft.given, "llm.tools.", _TOOL)
    schemas = [reading.json_object(each.branch("tool").get("json_schema")) for each in root.items_in_order()]
    draft.put_content(semconv.TOOL_DEFINITIONS, tool_definitions(schemas), *names)


def _translate_documents(draft: Draft) -> None:
    """Say what a retriever or reranker found."""
    for prefix in ("retrieval.documents.", "reranker.output_documents."):
        found: dict[int, dict[str, Any]] = {}
        names = []
        for name, value in draft.given.items():
            place = _DOCUMENT.fullmatch(name, len(prefix)) if name.startswith(prefix) else None
            if place is not None:
                found.setdefault(int(place["at"]), {})[place["field"]] = reading.structure(value)
                names.append(name)
        listed = [fields for _, fields in sorted(found.items(), key=lambda each: each[0])]
        draft.put_content(semconv.RETRIEVAL_DOCUMENTS, documents(listed), *names)
    draft.put_content(semconv.RETRIEVAL_QUERY_TEXT, reading.text(draft.given.get("reranker.query")), "reranker.query")


def _translate_values(draft: Draft, operation: str | None) -> None:
    """Say what went in and came out of what is no model."""
    given = draft.given
    said, answered = reading.text(given.get("input.value")), reading.text(given.get("output.value"))
    inner = [name for name in ("input.value", "input.mime_type") if name in given]
    outer = [name for name in ("output.value", "output.mime_type") if name in given]
    if operation == "execute_tool":
        draft.put_content(semconv.TOOL_CALL_ARGUMENTS, reading.structure(said), *inner)
        arguments = reading.text(given.get("tool_call.function.arguments"))
        draft.put_content(semconv.TOOL_CALL_ARGUMENTS, reading.structure(arguments), "tool_call.function.arguments")
        draft.put_content(semconv.TOOL_CALL_RESULT, reading.structure(answered), *outer)
    elif operation == "retrieval":
        draft.put_content(semconv.RETRIEVAL_QUERY_TEXT, said, *inner)
        if semconv.RETRIEVAL_DOCUMENTS in draft.content:
            draft.remove_repeated(*outer)
    elif operation == "invoke_agent":
        draft.put_content(semconv.INPUT_MESSAGES, chat_messages(said), *inner)
        draft.put_content(semconv.OUTPUT_MESSAGES, chat_messages(answered, "assistant"), *outer)
