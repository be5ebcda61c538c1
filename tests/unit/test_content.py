from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from obs_run.base.json_text import from_exact_json, from_json
from obs_run.core import content, messages
from obs_run.pipeline import content_limits

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).parent.parent / "semconv" / "v1.41.0"


def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"gen-ai-{name}.json").read_text()))


INPUT, OUTPUT = _validator("input-messages"), _validator("output-messages")
INSTRUCTIONS, TOOLS = _validator("system-instructions"), _validator("tool-definitions")

TEXTS = st.text(st.characters(), max_size=80)  # with lone surrogates, which JSON and protobuf refuse
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.integers(), inner, max_size=4),
    max_leaves=12,
)
OPTIONAL = st.none() | TEXTS
PARTS = st.one_of(
    st.builds(messages.text, TEXTS),
    st.builds(messages.reasoning, TEXTS),
    st.builds(messages.tool_call, OPTIONAL, TEXTS, ANYTHING),
    st.builds(messages.tool_call_response, OPTIONAL, ANYTHING),
    st.builds(messages.uri, st.just("image"), TEXTS, OPTIONAL),
    st.builds(messages.file, st.just("audio"), TEXTS, OPTIONAL),
    st.builds(messages.blob, st.just("image"), OPTIONAL, st.text("ABCabc012+/=", max_size=400)),
)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "critic"])


@st.composite
def _messages(draw: st.DrawFn, *, finished: bool) -> list[dict[str, Any]]:
    reasons = st.sampled_from(["stop", "length", "tool_call"]) if finished else st.none()
    return [
        messages.message(
            draw(ROLES),
            *draw(st.lists(PARTS, max_size=3)),
            name=draw(st.none() | st.just("Ada")),
            finish_reason=draw(reasons),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    content.forget()
    yield
    content.forget()


def _written(value: Any, longest: int, most: int, *, binary: bool) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBS_CONTENT_MAX_CHARS", str(longest))
        patch.setenv("OBS_CONTENT_MAX_MESSAGE_CHARS", str(most))
        patch.setenv("OBS_CONTENT_BINARY", str(binary).lower())
        limits = content_limits.read_limits()
        # As the recorder hands it over; what is within the limits is not copied again.
        copy = content.PlainCopy().of(value)
        text = content.to_json(content_limits.limited(copy, limits._replace(is_own=True)))
        assert text == content.to_json(content_limits.limited(copy, limits))
        # And as a package of others has it.
        foreign = content.to_json(content_limits.limited(value, limits))
    for written in (text, foreign):
        written.encode("utf-8")
        json.loads(written, parse_constant=pytest.fail)
    return json.loads(text)


LIMITS = {"longest": st.integers(0, 600), "most": st.integers(0, 2000), "binary": st.booleans()}


@given(value=ANYTHING, **LIMITS)
def test_whatever_is_recorded_becomes_json(value: Any, longest: int, most: int, *, binary: bool) -> None:
    _written(value, longest, most, binary=binary)


@given(value=_messages(finished=False), **LIMITS)
def test_input_messages_fit_the_schema(value: Any, longest: int, most: int, *, binary: bool) -> None:
    INPUT.validate(_written(value, longest, most, binary=binary))


@given(value=_messages(finished=True), **LIMITS)
def test_output_messages_fit_the_schema(value: Any, longest: int, most: int, *, binary: bool) -> None:
    OUTPUT.validate(_written(value, longest, most, binary=binary))


@given(value=st.lists(PARTS, max_size=4), **LIMITS)
def test_system_instructions_fit_the_schema(value: Any, longest: int, most: int, *, binary: bool) -> None:
    INSTRUCTIONS.validate(_written(value, longest, most, binary=binary))


@given(value=st.lists(st.builds(messages.tool_definition, TEXTS, OPTIONAL, ANYTHING), max_size=3), **LIMITS)
def test_tool_definitions_fit_the_schema(value: Any, longest: int, most: int, *, binary: bool) -> None:
    TOOLS.validate(_written(value, longest, most, binary=binary))


def test_a_long_text_says_how_much_was_cut() -> None:
    written = _written([messages.message("user", messages.text("x" * 100))], 10, 10000, binary=False)
    assert written[0]["parts"][0]["content"] == "x" * 10 + "[90 characters cut]"


def test_the_oldest_messages_go_and_a_note_says_so() -> None:
    talk = [messages.message("user", messages.text(f"{number:090}")) for number in range(20)]
    written = _written(talk, 1000, 500, binary=False)
    assert written[-1] == talk[-1]
    assert written[0]["parts"][0]["content"] == f"[{20 - (len(written) - 1)} earlier messages left out]"


def test_the_instructions_stay_and_the_note_stands_where_the_gap_is() -> None:
    instructions = [messages.message(role, messages.text("be brief")) for role in ("system", "developer")]
    talk = [messages.message("user", messages.text(f"{number:090}")) for number in range(20)]
    written = _written([*instructions, *talk], 1000, 800, binary=False)

    assert written[:2] == instructions
    assert written[-1] == talk[-1]
    note = written[2]
    left_out = len(talk) - len(written[3:])
    assert (note["role"], note["parts"][0]["content"]) == ("system", f"[{left_out} earlier messages left out]")
    assert 0 < left_out < len(talk)


def test_instructions_that_are_too_long_do_not_take_the_room_of_the_talk() -> None:
    instructions = messages.message("system", messages.text("x" * 700))
    talk = [messages.message("user", messages.text(f"{number:090}")) for number in range(20)]
    written = _written([instructions, *talk], 1000, 800, binary=False)

    assert written[0]["parts"][0]["content"].endswith("earlier messages left out]")
    assert written[-1] == talk[-1]


def test_binary_parts_are_named_by_their_size() -> None:
    part = messages.blob("image", "image/png", "QUJDRA==")
    assert _written([part], 4, 1000, binary=True) == [part]
    shown = _written([part], 4, 1000, binary=False)[0]
    assert (shown["type"], shown["mime_type"], shown["size"]) == ("omitted_blob", "image/png", 4)


def test_the_input_is_left_as_it_was() -> None:
    given_messages = [messages.message("user", messages.text("x" * 100), messages.blob("image", None, "QUJD"))]
    before = json.dumps(given_messages)
    _written(given_messages, 10, 10, binary=False)
    assert json.dumps(given_messages) == before


def test_an_object_that_cannot_be_shown_does_not_lose_the_rest() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert _written({"a": Broken(), "b": 1}, 100, 100, binary=False) == {"a": "<Broken that cannot be shown>", "b": 1}


@pytest.mark.parametrize(
    ("text", "wanted", "spans", "events"),
    [
        ("", False, False, False),
        ("true", True, True, False),
        ("SPAN_ONLY", True, True, False),
        ("event_only", True, False, True),
        ("SPAN_AND_EVENT", True, True, True),
    ],
)
def test_modes(text: str, wanted: bool, spans: bool, events: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", text)
    assert (content.wanted(), content.on_spans(), content.on_events()) == (wanted, spans, events)


@pytest.mark.parametrize("arguments", ['{"a": 0.12345678901234567890123}', '{"a": 1, "a": 2}', '{"a": [1', "[" * 9999])
def test_arguments_stay_the_text_that_they_were(arguments: str) -> None:
    assert _written(messages.tool_call("1", "f", arguments), 10000, 0, binary=False)["arguments"] == arguments
    # Where a provider has objects, and sends them in pieces of text.
    assert from_exact_json(arguments) == arguments


@pytest.mark.parametrize("value", [{"a": 0.1, "b": [1.50, -0.0, 10**400]}, {"a": {}}, [], {"a": 0.30000000000000004}])
def test_an_object_in_pieces_is_one_where_it_says_the_same(value: Any) -> None:
    assert from_exact_json(json.dumps(value)) == value


@pytest.mark.parametrize("body", ["", "no", b"", b"[DONE]", "[" * 99999, '{"a"'])
def test_a_body_that_is_no_json_is_none(body: Any) -> None:
    assert from_json(body) is None


@pytest.mark.parametrize(
    "body", ['\n\n \t{"a": 1}', b'   {"a": 1}', '{"a": 1}'.encode("utf-16"), b'\xef\xbb\xbf{"a":1}', {"a": 1}]
)
def test_a_body_is_read_whatever_stands_before_it(body: Any) -> None:
    assert from_json(body) == {"a": 1}


def test_long_integers_are_kept() -> None:
    assert _written([12500000000000000000], 100, 100, binary=False) == [12500000000000000000]
    assert _written([16**2000], 3000, 9000, binary=False) == [hex(16**2000)]


def test_what_is_nested_deeper_than_viewers_go_is_kept_as_json() -> None:
    inner: Any = {"deep": "a text"}
    for _ in range(40):
        inner = {"more": [inner]}
    written = content.to_json(_written({"arguments": inner}, 3000, 9000, binary=False))
    assert "a text" in written
    circle: list[Any] = []
    circle.append(circle)
    assert "[nested too deep]" in content.to_json(_written(circle, 100, 100, binary=False))
