"""What the scenarios of plain HTTP leave open, for each library: ways of reading, what is no model call, and faults."""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import context as api_context
from opentelemetry import trace

from tests.instrumentors.plain_http.scenarios import ANSWER, ASKED, CHAT, CONTENTS, GEMINI, MODEL, HttpDriver, joined
from tests.instrumentors.plain_http.server import Response, Server
from tests.instrumentors.run_scenarios import LIBRARY, instrumented
from tests.instrumentors.scenarios import seen

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = "text/event-stream"
_WORDS = ("Lis", "bon, ", "über", " Porto")
_TEXT = "".join(_WORDS)


def _chunk(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
    return {"id": "c1", "object": "chat.completion.chunk", "model": MODEL, "choices": [choice]}


_USAGE = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
_CHUNKS = [
    *(_chunk({"content": word}) for word in _WORDS),
    _chunk({}, finish_reason="stop"),
    {"id": "c1", "object": "chat.completion.chunk", "model": MODEL, "choices": [], "usage": _USAGE},
]
_SSE = b": hello\n\n" + b"".join(
    b"data: %s\r\n\r\n" % json.dumps(chunk, ensure_ascii=False).encode() for chunk in _CHUNKS
)
_WHOLE = {
    "id": "c1",
    "object": "chat.completion",
    "model": MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": _TEXT}, "finish_reason": "stop"}],
    "usage": _USAGE,
}
_LINES = b"".join(
    json.dumps({"model": MODEL, "message": {"role": "assistant", "content": word}, "done": False}).encode() + b"\n"
    for word in _WORDS
)
_END = {"prompt_eval_count": 5, "eval_count": 4, "done": True, "done_reason": "stop"}
_LINES += json.dumps({"model": MODEL, "message": {"role": "assistant", "content": ""}, **_END}).encode() + b"\n"
_GEMINI = [
    {
        "candidates": [{"content": {"role": "model", "parts": [{"text": word}]}, "finishReason": reason, "index": 0}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 4},
        "modelVersion": MODEL,
    }
    for word, reason in zip(_WORDS, (None, None, None, "STOP"), strict=True)
]
_ASKED_FOR_USAGE = {**ASKED, "stream": True, "stream_options": {"include_usage": True}}
BODIES: dict[str, tuple[str, Any, bytes, str]] = {
    "events": (
        CHAT,
        {**ASKED, "stream": True, "stream_options": {"include_usage": True}},
        _SSE + b"data: [DONE]\n\n",
        EVENTS,
    ),
    "events without a last word": (CHAT, {**ASKED, "stream": True}, _SSE, EVENTS),
    "events of no type": (CHAT, {**ASKED, "stream": True}, _SSE[9:], "text/plain"),
    "whole": (CHAT, ASKED, json.dumps(_WHOLE, indent=1).encode(), "application/json"),
    "lines": ("/api/chat", ASKED, _LINES, "application/x-ndjson"),
    "array": (f"{GEMINI}:streamGenerateContent", CONTENTS, json.dumps(_GEMINI).encode(), "application/json"),
}
"""By name the path, the request, the bytes of the answer and their type."""
NO_MODEL_CALLS: dict[str, tuple[str, Any]] = {
    "another path": ("/orders", ASKED),
    "the end of a path": ("/v1/chat/completions/17/messages", ASKED),
    "no messages": (CHAT, {"model": MODEL}),
    "a form of messages of its own": ("/api/chat", {"id": 1, "messages": []}),
    "a loaded model": ("/api/generate", {"model": MODEL}),
    "an array": (CHAT, [1, 2]),
    "a text": ("/v1/embeddings", "input"),
    "a survey": ("/api/surveys/5/responses", {"input": "yes", "model": "x"}),
    "a thread": ("/v1/threads/t1/messages", {"role": "user", "messages": [], "model": MODEL}),
    "a prediction of TensorFlow's server": ("/v1/models/demand:predict", {"instances": [{"prompt": "a cat"}]}),
    "a ranking of something else": ("/shops/rerank", {"query": "x", "shops": []}),
    "content of something else": ("/files:generateContent", {"title": "x"}),
}


@pytest.fixture(params=LIBRARY.kinds)
def its(request: pytest.FixtureRequest, stub: Any) -> Iterator[HttpDriver]:
    driver: Any = LIBRARY.driver(request.param, stub)
    yield driver
    driver.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_ways_of_reading(its: HttpDriver, server: Server, telemetry: Any, with_content: None, data: Any) -> None:
    """However bytes are cut, framed, encoded and read: the agent gets them as without us, and the call is whole."""
    assert with_content is None
    path, body, raw, content_type = BODIES[data.draw(st.sampled_from(sorted(BODIES)), label="body")]
    framing = data.draw(st.sampled_from(["length", "chunked", "close"]), label="framing")
    encoding = data.draw(st.sampled_from(["", "", "gzip", "deflate"]), label="encoding")
    cuts = tuple(data.draw(st.lists(st.integers(0, 4000), max_size=12), label="cuts"))
    way = data.draw(st.sampled_from(its.ways), label="way")
    server.responses = [Response(raw, content_type, framing=framing, encoding=encoding, cuts=cuts)]
    telemetry.clear()

    def read() -> Any:
        pieces = its.stream(server.origin + path, body, way)
        return pieces if way == "lines" else joined(pieces)

    without = read()
    assert telemetry.spans() == []
    with instrumented():
        assert read() == without
    gc.collect()
    span = telemetry.span()
    attributes = dict(span.attributes)
    (answer,) = json.loads(attributes["gen_ai.output.messages"])
    assert "".join(part["content"] for part in answer["parts"]) == _TEXT
    assert attributes["gen_ai.usage.input_tokens"] == 5
    assert attributes["gen_ai.usage.output_tokens"] == 4
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert "obs.response.stream_end" not in attributes
    assert span.status.status_code.name == "UNSET"


@pytest.mark.parametrize("name", NO_MODEL_CALLS)
def test_no_model_call(its: HttpDriver, server: Server, telemetry: Any, name: str) -> None:
    path, body = NO_MODEL_CALLS[name]
    server.responses = [Response(b'{"ok": true}')]
    with instrumented():
        assert its.value(server.origin + path, body) == (200, {"ok": True})
        assert its.stream(server.origin + path, body, "whole") == [b'{"ok": true}']
    assert telemetry.spans() == []


def test_a_redirect_is_part_of_the_call(its: HttpDriver, server: Server, telemetry: Any) -> None:
    body = json.dumps(_WHOLE).encode()
    server.responses = [Response(b"", status=307, location=f"/moved{CHAT}"), Response(body)]
    server.paths.clear()
    without = seen(lambda its: its.post(server.origin + CHAT, ASKED), its)
    paths = list(server.paths)
    assert telemetry.spans() == []
    server.responses = [Response(b"", status=307, location=f"/moved{CHAT}"), Response(body)]
    server.paths.clear()
    with instrumented():
        assert seen(lambda its: its.post(server.origin + CHAT, ASKED), its) == without
    assert server.paths == paths
    assert telemetry.span().name == f"chat {MODEL}"


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_stream_that_breaks_off(its: HttpDriver, server: Server, telemetry: Any, framing: str) -> None:
    server.responses = [Response(_SSE, EVENTS, framing=framing, cuts=(len(_SSE) - 250,), breaks_off=True)]

    def read(its: HttpDriver) -> Any:
        return joined(its.stream(server.origin + CHAT, {**ASKED, "stream": True}, "pieces"))

    without = seen(read, its)
    telemetry.clear()
    with instrumented():
        assert seen(read, its) == without
    gc.collect()
    attributes = telemetry.attributes()
    assert attributes["gen_ai.response.model"] == MODEL
    if isinstance(without, tuple) and isinstance(without[0], type) and issubclass(without[0], BaseException):
        assert "error.type" in attributes


def test_nobody_listens(its: HttpDriver, telemetry: Any) -> None:
    def ask(its: HttpDriver) -> Any:
        return its.post(f"http://127.0.0.1:9{CHAT}", ASKED)

    without = seen(ask, its)
    with instrumented():
        assert seen(ask, its) == without
    assert telemetry.span().status.status_code.name == "ERROR"
    assert telemetry.attributes()["server.port"] == 9


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[]", b'{"detail": "no"}', b"\xff\xfe"])
@pytest.mark.parametrize("status", [200, 502])
def test_strange_answers(its: HttpDriver, server: Server, telemetry: Any, body: bytes, status: int) -> None:
    server.responses = [Response(body, "text/html", status=status)]

    def ask(its: HttpDriver) -> Any:
        return its.post(server.origin + "/v1/messages", ASKED)

    without = seen(ask, its)
    with instrumented():
        assert seen(ask, its) == without
    attributes = telemetry.attributes()
    assert attributes["gen_ai.request.model"] == MODEL
    assert (attributes.get("error.type") == "502") == (status == 502)


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.operation.name": "chat"},
        {"gen_ai.request.model": MODEL},
        {"openinference.span.kind": "LLM"},
        {"llm.request.type": "chat"},
    ],
)
def test_others_tell_of_the_call(its: HttpDriver, telemetry: Any, attributes: dict[str, str]) -> None:
    tracer = trace.get_tracer("others")
    telemetry.may_fail = True
    with instrumented(), tracer.start_as_current_span("theirs", attributes=attributes):
        assert its.value(CHAT, ASKED)[0] == 200
    assert [span.instrumentation_scope.name for span in telemetry.spans()] == ["others"]


def test_a_span_around_is_none_of_the_call(its: HttpDriver, telemetry: Any) -> None:
    tracer = trace.get_tracer("others")
    telemetry.may_fail = True
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": MODEL}
    with instrumented(), tracer.start_as_current_span("theirs", attributes=agent):
        assert its.value(CHAT, ASKED)[0] == 200
    assert f"chat {MODEL}" in [span.name for span in telemetry.spans()]


@pytest.mark.parametrize("key", ["suppress_instrumentation", "suppress_language_model_instrumentation"])
def test_nothing_is_wanted(its: HttpDriver, telemetry: Any, key: str) -> None:
    token = api_context.attach(api_context.set_value(key, value=True))
    try:
        with instrumented():
            assert its.value(CHAT, ASKED)[0] == 200
    finally:
        api_context.detach(token)
    assert telemetry.spans() == []


def test_errors_tell_what_the_body_says(its: HttpDriver, server: Server, telemetry: Any) -> None:
    error = {"error": {"message": "Too long.", "type": "invalid_request_error", "code": "context_length_exceeded"}}
    server.responses = [Response(json.dumps(error).encode(), status=400)]

    def ask(its: HttpDriver) -> Any:
        return its.post(server.origin + CHAT, ASKED)

    with instrumented():
        seen(ask, its)
    # urllib raises before the body is read.
    assert telemetry.attributes()["error.type"] in ("context_length_exceeded", "400")


def test_an_answer_is_as_long_as_it_is(its: HttpDriver, server: Server, telemetry: Any) -> None:
    """Vectors by the megabyte are read without being parsed."""
    vectors = [{"object": "embedding", "index": place, "embedding": [0.125] * 4000} for place in range(40)]
    raw = json.dumps({"object": "list", "model": MODEL, "data": vectors, "usage": {"prompt_tokens": 7}}).encode()
    server.responses = [Response(raw, framing="chunked", cuts=tuple(range(0, len(raw), 9999)))]
    with instrumented():
        assert its.post(server.origin + "/v1/embeddings", {"model": MODEL, "input": ["a"]}) == (200, raw)
        assert joined(its.stream(server.origin + "/v1/embeddings", {"model": MODEL, "input": ["a"]}, "whole")) == raw
    assert [span.attributes["gen_ai.usage.input_tokens"] for span in telemetry.spans()] == [7, 7]


def test_predictions_of_googles_models(its: HttpDriver, server: Server, telemetry: Any) -> None:
    predictions = [{"embeddings": {"values": [0.5], "statistics": {"token_count": count}}} for count in (3, 4)]
    server.responses = [Response(json.dumps({"predictions": predictions}).encode())]
    path = "/v1/projects/p/locations/l/publishers/google/models/text-embedding-005:predict"
    with instrumented():
        assert its.value(server.origin + path, {"instances": [{"content": "a"}, {"content": "b"}]})[0] == 200
    assert telemetry.span().name == "embeddings text-embedding-005"
    attributes = telemetry.attributes()
    assert attributes["gen_ai.usage.input_tokens"] == 7
    assert attributes["obs.request.input_count"] == 2


def test_the_stub_answers(its: HttpDriver, telemetry: Any) -> None:
    with instrumented():
        assert ANSWER in str(its.value(CHAT, ASKED))
    attributes = telemetry.attributes()
    assert attributes["server.address"] == its.stub.host
    assert attributes["server.port"] == its.stub.port
