"""Whatever a provider's body holds: the agent gets the same with and without us, and no text of it is lost.

Bodies of four wire formats are made at random: wide and deep, with odd numbers, half characters and names that come
twice. Those of openai's formats go through its client over HTTP; the other formats' own clients are not here, and their
bodies go through the readers that stand behind them.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obs_instrumentors import TABLE
from obs_instrumentors.wire.anthropic import messages as anthropic
from obs_instrumentors.wire.google import answers
from obs_instrumentors.wire.google.answers import Answer as Generated
from opentelemetry.trace import INVALID_SPAN

from obs_run.base.encodable import encodable
from obs_run.base.json_text import from_json, to_json
from obs_run.core import content, hooks, recorder, sink
from obs_run.pipeline import span_builder
from tests.examples import examples
from tests.strange_json import ARGUMENTS, MARKED, OBJECTS
from tests.unit.probe import fake_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.core.operations import Operation
    from obs_run.core.sink import OperationRecord


def texts_of(value: Any) -> Iterator[str]:
    """Return the marked texts of a value, its keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts_of(key)
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)


def assert_all_kept(said: list[Any], recorded: dict[str, Any]) -> None:
    """Assert that each marked text is in what was recorded, itself or within a text of JSON."""
    whole = "\n".join(texts_of({name: json.loads(value) for name, value in recorded.items()}))
    for text in texts_of(said):
        if "<" not in text:
            continue
        # A text that stands within JSON is written as JSON writes it.
        forms = {encodable(text), encodable(to_json(text))[1:-1], encodable(json.dumps(text))[1:-1]}
        assert any(form in whole for form in forms), (text, whole)


def exported(record: OperationRecord) -> dict[str, Any]:
    """Return a record's content as its span has it."""
    return span_builder.as_json(span_builder.limit_content(record, None))


@pytest.fixture(autouse=True)
def _content(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    monkeypatch.setenv("OBS_CONTENT_MAX_CHARS", "1000000")
    monkeypatch.setenv("OBS_CONTENT_MAX_MESSAGE_CHARS", "10000000")
    content.forget()
    yield
    content.forget()


class Records:
    """A sink that keeps what is recorded."""

    def __init__(self) -> None:
        self.ended: list[OperationRecord] = []

    def start(self, *_: Any) -> Any:
        return INVALID_SPAN

    def end(self, _span: Any, complete: Callable[[], OperationRecord]) -> None:
        self.ended.append(complete())

    def measure(self, complete: Callable[[], OperationRecord]) -> None:
        self.ended.append(complete())

    def log(self, _record: Any) -> None:
        pass

    def is_exporting(self) -> bool:
        return False


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Records:
    kept = Records()
    monkeypatch.setattr(sink._chosen, "make", lambda: kept)
    monkeypatch.setattr(sink._chosen, "sink", None)
    monkeypatch.setenv("OBS_INFER_TOOLS", "false")
    return kept


@contextlib.contextmanager
def instrumented() -> Iterator[None]:
    for module, instrumentor in TABLE.items():
        if module.startswith("openai") and module in sys.modules:
            hooks.instrument(instrumentor, sys.modules[module])
    try:
        yield
    finally:
        hooks.undo()


def _outcome(ask: Callable[[], Any]) -> str:
    try:
        return repr(ask())
    except Exception as error:  # noqa: BLE001 (whatever it is, it is to be the same)
        return repr(error)


def recorded(ask: Callable[[], Any], records: Records) -> dict[str, Any]:
    """Ask without us and with us; return the content that was recorded."""
    without = _outcome(ask)
    records.ended.clear()
    with instrumented():
        assert _outcome(ask) == without
    (record,) = records.ended
    assert record.kind == "Inference"
    return exported(record)


def answered(records: Records, told: Any) -> list[Any]:
    """Return what the model told; nothing where the request could not be sent, as with half characters."""
    return [told] if records.ended[0].error is None else []


def recorded_by_readers(begun: Operation, read: Callable[[Any], None], records: Records) -> dict[str, Any]:
    """Record a call whose answer is read by ``read``; return its content."""
    records.ended.clear()
    recording = recorder.start(begun)
    assert recording is not None
    read(begun)
    recording.end()
    (record,) = records.ended
    return exported(record)


FEW = settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
TEXTS = st.lists(MARKED, min_size=1, max_size=5)


@FEW
@given(
    asked=TEXTS,
    told=TEXTS,
    arguments=ARGUMENTS,
    result=ARGUMENTS,
    schema=OBJECTS,
    mode=st.sampled_from(["whole", "stream", "raw", "lines"]),
)
def test_chat_completions(
    asked: list[str], told: list[str], arguments: str, result: str, schema: Any, mode: str, records: Records
) -> None:
    call = fake_models.tool_call("pay", arguments)
    request: dict[str, Any] = {
        "model": "m",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": text} for text in asked]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "t1", "content": result},
        ],
        "tools": [{"type": "function", "function": {"name": "pay", "parameters": schema}}],
    }
    pieces = [fake_models.chunk({"content": text}) for text in told]
    calls = [fake_models.chunk({"tool_calls": [{"index": 0, **call}]}), fake_models.chunk({}, "tool_calls")]
    whole = fake_models.completion(content="".join(told), tool_calls=[call])

    def ask() -> Any:
        streams = mode in ("stream", "lines")
        create = fake_models.client([*pieces, *calls] if streams else whole).chat.completions
        if mode == "raw":
            return create.with_raw_response.create(**request).text
        answer: Any = create.create(**request, stream=streams)
        if mode == "lines":
            return list(answer.response.iter_lines())
        return list(answer) if streams else answer

    kept = recorded(ask, records)
    assert_all_kept([asked, arguments, result, schema, *answered(records, "".join(told))], kept)


@FEW
@given(asked=TEXTS, told=TEXTS, arguments=ARGUMENTS, result=ARGUMENTS, schema=OBJECTS, streams=st.booleans())
def test_responses(
    asked: list[str],
    told: list[str],
    arguments: str,
    result: str,
    schema: Any,
    records: Records,
    *,
    streams: bool,
) -> None:
    call = {"type": "function_call", "id": "i", "call_id": "t1", "name": "pay", "arguments": arguments}
    request: dict[str, Any] = {
        "model": "m",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": text} for text in asked]},
            call,
            {"type": "function_call_output", "call_id": "t1", "output": result},
        ],
        "tools": [{"type": "function", "name": "pay", "parameters": schema, "strict": False}],
    }
    texts = [{"type": "output_text", "text": text, "annotations": []} for text in told]
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": texts}
    given_answer = fake_models.response_events(message) if streams else fake_models.response(message, call)

    def ask() -> Any:
        answer = fake_models.client(given_answer).responses.create(**request, stream=streams)
        return list(answer) if streams else answer

    kept = recorded(ask, records)
    assert_all_kept([asked, arguments, result, schema, *answered(records, told)], kept)


@FEW
@given(asked=TEXTS, told=TEXTS, arguments=OBJECTS, result=ARGUMENTS, schema=OBJECTS, streams=st.booleans())
def test_messages_of_anthropic(
    asked: list[str],
    told: list[str],
    arguments: Any,
    result: str,
    schema: Any,
    records: Records,
    *,
    streams: bool,
) -> None:
    tool_use = {"type": "tool_use", "id": "t1", "name": "pay", "input": arguments}
    begun = anthropic.parse_request(
        {
            "model": "m",
            "system": asked[0],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": text} for text in asked]},
                {"role": "assistant", "content": [tool_use]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": result}]},
            ],
            "tools": [{"name": "pay", "input_schema": schema}],
        }
    )
    blocks = [*({"type": "text", "text": text} for text in told), tool_use]

    def read(operation: Any) -> None:
        if not streams:
            anthropic.read_response(operation, {"content": blocks, "stop_reason": "tool_use"})
            return
        for index, block in enumerate(blocks):
            empty: dict[str, Any] = {"text": ""} if block["type"] == "text" else {"input": {}}
            start = {"type": "content_block_start", "index": index, "content_block": {**block, **empty}}
            anthropic.read_event(operation, start)
            whole = block["text"] if block["type"] == "text" else json.dumps(block["input"])
            name = "text" if block["type"] == "text" else "partial_json"
            for at in range(0, len(whole), 7):
                delta = {"type": "content_block_delta", "index": index, "delta": {name: whole[at : at + 7]}}
                anthropic.read_event(operation, delta)
        anthropic.finish(operation)

    assert_all_kept([told, asked, arguments, result, schema], recorded_by_readers(begun, read, records))


@FEW
@given(asked=TEXTS, told=TEXTS, arguments=OBJECTS, result=OBJECTS, schema=OBJECTS)
def test_contents_of_gemini(
    asked: list[str], told: list[str], arguments: Any, result: Any, schema: Any, records: Records
) -> None:
    call = {"functionCall": {"name": "pay", "args": arguments}}
    body = {
        "contents": [
            {"role": "user", "parts": [{"text": text} for text in asked]},
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [{"functionResponse": {"name": "pay", "response": result}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "pay", "parametersJsonSchema": schema}]}],
    }
    begun = Generated("generate_content")
    answers.read_request(begun, body)
    candidate = {"content": {"parts": [*({"text": text} for text in told), call]}, "finishReason": "STOP"}

    def read(operation: Any) -> None:
        # The client hands over the body's text.
        answers.read_response(operation, from_json(json.dumps({"candidates": [candidate]})))
        answers.finish(operation)

    assert_all_kept(["".join(told), asked, arguments, result, schema], recorded_by_readers(begun, read, records))
