"""Whatever stands under the names of a vocabulary: nothing raises, what cannot be read stays, what is said is right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind

from obs_run.base import guard
from obs_run.core import content
from obs_run.pipeline import span_builder
from obs_run.pipeline.items import SpanItem
from obs_run.pipeline.translation import Translation
from obs_run.pipeline.vocabularies import langsmith, logfire, older_genai, openinference, openllmetry, vercel_ai
from obs_run.pipeline.vocabularies.draft import Word
from obs_run.pipeline.vocabularies.providers import provider
from tests.examples import examples
from tests.semconv import conformance, exceptions
from tests.semconv.conventions import ATTRIBUTES, CONTENT
from tests.unit.translation.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TEXTS = st.text(st.characters(), max_size=20)
LIKELY = st.sampled_from(
    [
        "",
        "[",
        "{",
        "[]",
        "{}",
        "null",
        "[[]]",
        '[{"role": 1}]',
        '[{"type": "tool_call"}]',
        "{'cache_read': -1}",
        "stop, ",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([10**400, -1, 2.5])
    | TEXTS
    | LIKELY
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXTS
            | st.sampled_from(
                [
                    "role",
                    "content",
                    "type",
                    "parts",
                    "tool_calls",
                    "id",
                    "name",
                    "function",
                    "arguments",
                    "message",
                    "messages",
                    "choices",
                    "generations",
                    "lc",
                    "kwargs",
                    "data",
                    "image_url",
                    "output",
                    "metadata",
                    "score",
                ]
            ),
            inner | st.sampled_from(["tool", "text", "tool-call", "tool_result", "image", "reasoning", "human"]),
            max_size=4,
        )
    ),
    max_leaves=12,
).map(json.dumps)
SPANS = [sample for samples in SAMPLES.values() for sample in samples]
NAMES = sorted({name for sample in SPANS for name in sample.attributes})
MODULES = (langsmith, logfire, older_genai, openinference, openllmetry, vercel_ai)
WORDS: dict[str, Word] = {
    old: word
    for module in MODULES
    for name, table in vars(module).items()
    if isinstance(table, dict) and name not in ("_PARAMETER_WORDS", "_OPENAI_WORDS", "_OF_RUNS")
    for old, word in table.items()
    if isinstance(word, Word)
}


@pytest.fixture(autouse=True)
def _with_content(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def call(_: str, function: Callable[..., Any], *args: Any, **__: Any) -> Any:
        return function(*args)

    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    monkeypatch.setattr(guard, "call", call)
    content.forget()
    yield
    content.forget()


def translated(name: str, attributes: Mapping[str, Any]) -> tuple[ReadableSpan, dict[str, Any]]:
    """Return a span as it leaves, and its content as objects."""
    span = ReadableSpan(name, SpanContext(1, 2, is_remote=False), attributes=attributes)
    item = Translation().of(SpanItem(span))
    if item is None or item.operation is None:
        return span, {}
    return item.span, span_builder.limit_content(item.operation, None)


@st.composite
def _wild(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a span of a sample, of which some attributes hold anything."""
    sample = draw(st.sampled_from(SPANS))
    names = draw(st.lists(st.sampled_from([*sample.attributes, *NAMES]), max_size=6))
    return sample.name, {**sample.attributes, **{name: draw(VALUES | JSON_VALUES) for name in names}}


@pytest.mark.slow
@given(wild=_wild(), unknown=VALUES)
@settings(max_examples=examples(1500))
def test_what_is_said_is_of_its_kind(wild: tuple[str, dict[str, Any]], unknown: Any) -> None:
    name, attributes = wild
    given_names = {*attributes, "my.own"}
    span, told = translated(name, {**attributes, "my.own": unknown})
    left = dict(span.attributes or {})
    assert left["my.own"] is unknown
    for new in left.keys() - given_names:
        assert _is_of_its_kind(new, left[new]), (new, left[new])
    for new, said in told.items():
        if new not in CONTENT:
            continue
        text = span_builder.as_json({new: said})[new]
        text.encode("utf-8")
        # A part of a type that nobody knows is kept as it came.
        faults = conformance._content({new: text}, structured=False, allows_unlisted_parts=True)
        assert not list(faults), (new, text)


def _is_of_its_kind(name: str, value: Any) -> bool:
    """Whether a value has the type of its name, and says something; what is ours counts tokens."""
    kind = ATTRIBUTES[name]["type"] if name in ATTRIBUTES else "int"
    return conformance._TYPES[kind](value) and value not in ("", (), [])


@given(word=st.sampled_from(sorted(WORDS)), value=VALUES)
@settings(max_examples=examples(1000))
def test_a_malformed_value_stays(word: str, value: Any) -> None:
    span, _ = translated("a span", {"ai.operationId": "ai.x.doStream", "langsmith.span.kind": "llm", word: value})
    is_read = WORDS[word].read(value) is not None
    goes_without_saying = value is False or value == 1
    assert is_read or goes_without_saying or (span.attributes or {})[word] is value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("llm.token_count.prompt", "many"),
        ("llm.token_count.prompt", -1),
        ("llm.token_count.prompt", True),
        ("llm.model_name", 5),
        ("llm.invocation_parameters", "{"),
        ("gen_ai.usage.prompt_tokens", 2.5),
        ("gen_ai.usage.prompt_tokens", float("nan")),
        ("gen_ai.system", ""),
        ("ai.usage.inputTokens", float("nan")),
        ("gen_ai.openai.api_base", "http://[::1"),
        ("gen_ai.openai.api_base", "http://host:99999/"),
        ("gen_ai.usage.input_token_details", "{" * 500),
        ("llm.input_messages.0.message.role", 5),
        ("llm.input_messages.x.message.role", "user"),
        ("gen_ai.prompt.0.content.1", "a"),
        ("pydantic_ai.all_messages", "[1"),
        ("traceloop.span.kind", ["tool"]),
    ],
)
def test_what_cannot_be_read_stays(name: str, value: Any) -> None:
    # The span is one of a vocabulary all the same.
    attributes = {"openinference.span.kind": "LLM", "langsmith.span.kind": "llm", "logfire.msg": "m", name: value}
    attributes["ai.operationId"] = "ai.generateText.doGenerate"
    span, _ = translated("theirs", attributes)
    assert (span.attributes or {})[name] is value


def test_a_name_that_is_both_a_place_and_a_value_stays() -> None:
    odd = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi", "gen_ai.prompt.0": "hi"}
    span, told = translated("theirs", {"gen_ai.system": "openai", **odd})
    assert (span.attributes or {})["gen_ai.prompt.0"] == "hi"
    assert told["gen_ai.input.messages"] == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]


def test_spans_of_servers_and_producers_keep_their_kind() -> None:
    attributes = {"gen_ai.system": "openai", "gen_ai.operation.name": "chat"}
    span = ReadableSpan("x", SpanContext(1, 2, is_remote=False), attributes=attributes, kind=SpanKind.SERVER)
    item = Translation().of(SpanItem(span))
    assert item is not None
    assert item.span.kind is SpanKind.SERVER


def test_all_content_that_is_said_is_judged() -> None:
    said = {name for sample in SPANS for name in sample.content}
    assert said >= CONTENT.keys() - {"gen_ai.memory.records"}


@pytest.mark.parametrize(
    "name", [*ATTRIBUTES["gen_ai.provider.name"]["members"], *exceptions.PROVIDERS, "mine", "my.own"]
)
def test_a_provider_that_the_conventions_name_keeps_its_name(name: str) -> None:
    assert provider(name) == name
    span, _ = translated("theirs", {"gen_ai.system": name})
    assert (span.attributes or {})["gen_ai.provider.name"] == name


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("OpenAI", "openai"),
        ("openai.chat", "openai"),
        ("az.ai.openai", "azure.ai.openai"),
        ("azure-openai.responses", "azure.ai.openai"),
        ("google.generative-ai", "gcp.gemini"),
        ("google.vertex.chat", "gcp.vertex_ai"),
        ("MistralAI", "mistral_ai"),
        ("amazon-bedrock", "aws.bedrock"),
    ],
)
def test_a_provider_has_one_name(told: str, name: str) -> None:
    assert provider(told) == name
