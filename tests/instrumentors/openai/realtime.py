"""Sessions over WebSockets: each response is one span, whoever asked for it; the agent sees what it sees without us."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from tests.instrumentors.websocket_server import CLOSE, WebSocketServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODEL = "gpt-realtime"
USER = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where to?"}]}
ASK = [{"type": "conversation.item.create", "item": USER}, {"type": "response.create"}]
SESSION = {
    "id": "sess_1",
    "model": "gpt-realtime-2025-08-28",
    "instructions": "Be short.",
    "tools": [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
    "output_modalities": ["audio"],
    "max_output_tokens": "inf",
}
USAGE = {
    "total_tokens": 300,
    "input_tokens": 200,
    "output_tokens": 100,
    "input_token_details": {
        "text_tokens": 80,
        "audio_tokens": 120,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 44, "audio_tokens": 20},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 70},
}
SPOKEN = {
    "id": "item_2",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_audio", "transcript": "To Oslo."}],
}
CALL = {"id": "item_3", "type": "function_call", "name": "weather", "call_id": "call_1", "arguments": '{"city":"Oslo"}'}


def created(number: int = 1) -> dict[str, Any]:
    return {"type": "response.created", "event_id": "e1", "response": {"id": f"resp_{number}", "status": "in_progress"}}


def done(*output: Any, number: int = 1, status: str = "completed", **more: Any) -> dict[str, Any]:
    response = {
        "id": f"resp_{number}",
        "object": "realtime.response",
        "status": status,
        "status_details": None,
        "conversation_id": "conv_1",
        "output": list(output),
        "usage": USAGE,
        **more,
    }
    return {"event_id": "e9", "type": "response.done", "response": response}


def delta(kind: str, text: str, number: int = 1) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "event_id": "e", "response_id": f"resp_{number}", "delta": text}


ANSWER = [
    {"type": "conversation.item.added", "item": {**USER, "id": "item_1"}},
    created(),
    delta("output_audio", "UklGRg" * 4000),
    delta("output_audio_transcript", "To "),
    delta("output_audio_transcript", "Oslo."),
    done(SPOKEN),
]


class Talk:
    """A session of the sync client."""

    kind = "sync"

    def __init__(self, client: Any, *, beta: bool, **more: Any) -> None:
        self._manager = (client.beta if beta else client).realtime.connect(**{"model": MODEL, **more})
        self.connection = self._manager.enter()

    def send(self, *events: Any) -> None:
        for event in events:
            self.connection.send(event)

    def receive(self, until: str) -> list[Any]:
        events: list[Any] = []
        while not events or events[-1].type != until:
            events.append(self.connection.recv())
        return events

    def receive_bytes(self) -> bytes:
        return bytes(self.connection.recv_bytes())

    def wait_in_vain(self) -> None:
        """Do not: a sync client cannot."""

    def close(self) -> None:
        self.connection.close()

    def let_go(self) -> None:
        del self.connection, self._manager

    def end(self) -> None:
        """Leave nothing open that is the test's own."""


class AsyncTalk(Talk):
    """A session of the async client."""

    kind = "async"

    def __init__(self, client: Any, *, beta: bool, **more: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._manager = (client.beta if beta else client).realtime.connect(**{"model": MODEL, **more})
        self.connection = self._run(self._manager.enter())

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def send(self, *events: Any) -> None:
        for event in events:
            self._run(self.connection.send(event))

    def receive(self, until: str) -> list[Any]:
        events: list[Any] = []
        while not events or events[-1].type != until:
            events.append(self._run(self.connection.recv()))
        return events

    def receive_bytes(self) -> bytes:
        return bytes(self._run(self.connection.recv_bytes()))

    def wait_in_vain(self) -> None:
        """Stop to wait for an event, as one does to look after something else."""
        with pytest.raises(asyncio.TimeoutError):
            self._run(asyncio.wait_for(self.connection.recv(), 0.05))

    def close(self) -> None:
        self._run(self.connection.close())

    def end(self) -> None:
        self._loop.close()


def _apis(package: Any) -> list[bool]:
    """Return whether the release has the API as it is (False) and as it was in beta (True)."""
    apis = []
    for beta, name in ((False, "resources.realtime.realtime"), (True, "resources.beta.realtime.realtime")):
        try:
            importlib.import_module(f"{package.__name__}.{name}")
        except ImportError:
            continue
        apis.append(beta)
    return apis


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def talks(kind: str, package: Any) -> Iterator[Callable[..., Any]]:
    """Give a function that runs ``use`` in a session of each API that the release has, one after another."""
    servers: list[WebSocketServer] = []
    all_talks: list[Talk] = []

    def run(answer: Callable[[Any], Any], use: Callable[[Any], Any], greeting: Any = None, **more: Any) -> list[Any]:
        results = []
        for beta in _apis(package):
            session = {"type": "session.created", "session": SESSION}
            server = WebSocketServer(answer, [session] if greeting is None else greeting)
            servers.append(server)
            server.__enter__()
            made = package.OpenAI if kind == "sync" else package.AsyncOpenAI
            client = made(api_key="none", base_url="http://unused.invalid/v1", websocket_base_url=f"{server.origin}/v1")
            talk = (Talk if kind == "sync" else AsyncTalk)(client, beta=beta, **more)
            all_talks.append(talk)
            result = use(talk)
            results.append(result)
            if result is not talk:
                talk.__dict__.pop("connection", None)
        assert results
        return results

    yield run
    for server in servers:
        server.__exit__()
    for talk in all_talks:
        talk.end()


def answering(events: Any) -> Callable[[Any], Any]:
    return lambda message: events if message["type"] == "response.create" else []


def whole(talk: Any) -> list[Any]:
    talk.receive("session.created")
    talk.send(*ASK)
    events = talk.receive("response.done")
    talk.close()
    return [event.model_dump() for event in events]


def spans_of(telemetry: Any) -> list[Any]:
    gc.collect()
    return list(telemetry.spans())


@pytest.mark.usefixtures("instrumented", "with_content")
def test_a_response_is_one_span(talks: Any, telemetry: Any) -> None:
    results = talks(answering(ANSWER), whole)
    spans = spans_of(telemetry)
    assert [span.name for span in spans] == [f"chat {MODEL}"] * len(results)
    for span in spans:
        attributes = dict(span.attributes)
        assert {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": MODEL,
            "gen_ai.response.model": SESSION["model"],
            "gen_ai.response.id": "resp_1",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.conversation.id": "conv_1",
            "gen_ai.output.type": "speech",
            "gen_ai.request.stream": True,
            "gen_ai.usage.input_tokens": 200,
            "gen_ai.usage.output_tokens": 100,
            "gen_ai.usage.cache_read.input_tokens": 64,
            "gen_ai.usage.audio.input_tokens": 120,
            "gen_ai.usage.audio.output_tokens": 70,
            "server.address": "127.0.0.1",
        }.items() <= attributes.items()
        assert attributes["obs.cost.total"] > 0
        assert attributes["gen_ai.response.time_to_first_chunk"] > 0
        assert json.loads(attributes["gen_ai.input.messages"]) == [
            {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
        ]
        assert json.loads(attributes["gen_ai.output.messages"]) == [
            {"role": "assistant", "parts": [{"type": "text", "content": "To Oslo."}], "finish_reason": "stop"}
        ]
        assert json.loads(attributes["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be short."}]
        assert [tool["name"] for tool in json.loads(attributes["gen_ai.tool.definitions"])] == ["weather"]


def test_the_agent_sees_the_same(talks: Any, library: Any, telemetry: Any) -> None:
    from obs_run.core import hooks
    from tests.instrumentors.openai.drivers import instrument

    plain = talks(answering(ANSWER), whole)
    assert spans_of(telemetry) == []
    instrument(library)
    try:
        assert talks(answering(ANSWER), whole) == plain
    finally:
        hooks.undo()
    assert len(spans_of(telemetry)) == len(plain)


@pytest.mark.usefixtures("instrumented", "with_content")
def test_a_tool_is_called_and_answered(talks: Any, telemetry: Any) -> None:
    output = {"type": "function_call_output", "call_id": "call_1", "output": '{"celsius":3}'}
    answers: Iterator[Any] = iter(())

    def use(talk: Any) -> None:
        nonlocal answers
        answers = iter([[created(), done(CALL)], [created(2), done(SPOKEN, number=2)]])
        talk.receive("session.created")
        talk.send(*ASK)
        talk.receive("response.done")
        talk.send({"type": "conversation.item.create", "item": output}, {"type": "response.create"})
        talk.receive("response.done")
        talk.close()

    count = len(talks(lambda message: next(answers) if message["type"] == "response.create" else [], use))
    spans = spans_of(telemetry)
    assert len(spans) == 2 * count
    called, answered = (dict(span.attributes) for span in spans[:2])
    assert called["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert called["obs.response.tool_calls"] == ("weather",)
    assert json.loads(called["gen_ai.output.messages"])[0]["parts"] == [
        {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": '{"city":"Oslo"}'}
    ]
    assert json.loads(answered["gen_ai.input.messages"]) == [
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": '{"celsius":3}'}]}
    ]


@pytest.mark.usefixtures("instrumented", "with_content")
def test_the_server_answers_what_it_heard(talks: Any, telemetry: Any) -> None:
    heard = {
        "id": "item_1",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }
    transcript = {
        "type": "conversation.item.input_audio_transcription.completed",
        "item_id": "item_1",
        "content_index": 0,
        "transcript": "Where to?",
    }
    answer = [{"type": "conversation.item.created", "item": heard}, created(), transcript, done(SPOKEN)]

    def use(talk: Any) -> None:
        talk.receive("session.created")
        with trace.get_tracer("test").start_as_current_span("the agent's"):
            talk.send({"type": "input_audio_buffer.append", "audio": "AAAA"})
            talk.receive("response.done")
        talk.close()

    talks(lambda message: answer if message["type"] == "input_audio_buffer.append" else [], use)
    response, agents = spans_of(telemetry)[:2]
    assert agents.name == "the agent's"
    assert response.parent.span_id == agents.context.span_id
    assert json.loads(response.attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
    ]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(
    ("status", "details", "reason", "error"),
    [
        ("incomplete", {"type": "incomplete", "reason": "max_output_tokens"}, "length", None),
        ("incomplete", {"type": "incomplete", "reason": "content_filter"}, "content_filter", None),
        ("cancelled", {"type": "cancelled", "reason": "turn_detected"}, "cancelled", None),
        ("failed", {"type": "failed", "error": {"type": "server_error", "code": "overloaded"}}, "error", "overloaded"),
        ("failed", None, "error", "_OTHER"),
    ],
)
def test_a_response_ends_otherwise(
    status: str, details: Any, reason: str, error: str | None, talks: Any, telemetry: Any
) -> None:
    talks(answering([created(), done(status=status, status_details=details)]), whole)
    for span in spans_of(telemetry):
        assert span.attributes["gen_ai.response.finish_reasons"] == (reason,)
        assert span.attributes.get("error.type") == error
        assert (span.status.status_code.name == "ERROR") == (error is not None)


@pytest.mark.usefixtures("instrumented")
def test_an_error_event_ends_the_response_that_it_is_about(talks: Any, telemetry: Any) -> None:
    refused = {"type": "invalid_request_error", "code": "conversation_already_has_active_response", "message": "No."}
    other = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "message": "No."}
    answers = {
        "input_audio_buffer.commit": [{"type": "error", "event_id": "e1", "error": other}],
        "response.create": [{"type": "error", "event_id": "e2", "error": refused}],
    }

    def use(talk: Any) -> None:
        talk.receive("session.created")
        talk.send({"type": "response.create"}, {"type": "input_audio_buffer.commit"})
        talk.receive("error")
        talk.receive("error")
        talk.close()

    talks(lambda message: answers[message["type"]], use)
    spans = spans_of(telemetry)
    assert {span.attributes["error.type"] for span in spans} == {refused["code"]}


@pytest.mark.usefixtures("instrumented", "with_content")
@pytest.mark.parametrize("end", ["close", "let go"])
def test_a_session_is_left_amid_a_response(end: str, talks: Any, telemetry: Any) -> None:
    item = {
        "type": "response.output_item.added",
        "response_id": "resp_1",
        "output_index": 0,
        "item": {**SPOKEN, "content": []},
    }

    def use(talk: Any) -> None:
        talk.receive("session.created")
        talk.send(*ASK)
        talk.receive(delta("output_audio_transcript", "")["type"])
        talk.wait_in_vain()
        if end == "close":
            talk.close()
        else:
            talk.let_go()

    count = len(talks(answering([created(), item, delta("output_audio_transcript", "To ")]), use))
    spans = spans_of(telemetry)
    assert len(spans) == count
    for span in spans:
        assert span.attributes["obs.response.stream_end"] == "abandoned"
        assert json.loads(span.attributes["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "To "}]


@pytest.mark.usefixtures("instrumented")
def test_the_server_goes_away(talks: Any, telemetry: Any) -> None:
    from websockets.exceptions import ConnectionClosedError

    def use(talk: Any) -> None:
        talk.receive("session.created")
        talk.send(*ASK)
        with pytest.raises(ConnectionClosedError):
            talk.receive("response.done")
        with pytest.raises(ConnectionClosedError):
            talk.send({"type": "response.create"})

    count = len(talks(answering([created(), CLOSE]), use))
    spans = spans_of(telemetry)
    assert len(spans) == 2 * count
    for span in spans:
        assert span.attributes["error.type"] == "websockets.exceptions.ConnectionClosedError"


@pytest.mark.usefixtures("instrumented")
def test_events_may_be_read_as_bytes_and_beside_each_other(talks: Any, telemetry: Any) -> None:
    small = {**USAGE, "input_tokens": 1, "total_tokens": 101, "input_token_details": None}
    answers: Iterator[Any] = iter(())

    def use(talk: Any) -> None:
        nonlocal answers
        beside = [created(2), done(number=2, usage=small), done(SPOKEN)]
        answers = iter([[created()], beside])
        talk.receive("session.created")
        talk.send({"type": "response.create"})
        talk.receive_bytes()
        talk.send({"type": "response.create", "response": {"conversation": "none", "input": [USER]}})
        for _ in range(3):
            talk.receive_bytes()
        talk.close()

    count = len(talks(lambda _: next(answers), use))
    spans = spans_of(telemetry)
    assert len(spans) == 2 * count
    assert [
        (span.attributes["gen_ai.response.id"], span.attributes["gen_ai.usage.input_tokens"]) for span in spans[:2]
    ] == [
        ("resp_2", 1),
        ("resp_1", 200),
    ]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("event", ["[]", '"text"', "{}", '{"type":"response.done"}', '{"type":7}', '{"type":"error"}'])
def test_what_makes_no_sense_is_harmless(event: str, talks: Any, telemetry: Any) -> None:
    odd = json.loads(event)

    def use(talk: Any) -> None:
        talk.receive("session.created")
        talk.send({"type": "response.create"})
        assert json.loads(talk.receive_bytes()) == odd
        talk.close()

    count = len(talks(answering([odd]), use))
    assert len(spans_of(telemetry)) == count


@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize(
    "function",
    ["realtime.kind_of", "realtime._start", "realtime.find", "realtime.fields_of", "realtime_response._read_answer"],
)
def test_faults_of_ours_are_harmless(
    function: str, talks: Any, library: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from obs_run.core import hooks
    from tests.instrumentors.openai.drivers import instrument

    plain = talks(answering(ANSWER), whole)
    calls: list[Any] = []

    def fail(*args: Any, **_: Any) -> Any:
        calls.append(args)
        raise RuntimeError("ours")

    telemetry.may_fail = True
    instrument(library)
    try:
        monkeypatch.setattr(f"obs_instrumentors.wire.openai.{function}", fail)
        assert talks(answering(ANSWER), whole) == plain
    finally:
        hooks.undo()
    assert calls


@pytest.mark.usefixtures("instrumented")
def test_sessions_at_once_are_told_apart(talks: Any, telemetry: Any) -> None:
    numbers = iter(range(1, 100))

    def use(talk: Any) -> Any:
        talk.receive("session.created")
        talk.send({"type": "response.create"})
        talk.receive("response.created")
        return talk

    def answer(message: Any) -> Any:
        if message["type"] == "response.create":
            number = next(numbers)
            return [created(number), delta("output_audio_transcript", "To ", number), done(SPOKEN, number=number)]
        return []

    open_sessions = [*talks(answer, use), *talks(answer, use, model="gpt-realtime-mini")]
    for talk in reversed(open_sessions):
        talk.receive("response.done")
        talk.close()
    half = len(open_sessions) // 2
    told = {
        (span.attributes["gen_ai.request.model"], span.attributes["gen_ai.response.id"]) for span in spans_of(telemetry)
    }
    models = [MODEL] * half + ["gpt-realtime-mini"] * half
    assert told == {(model, f"resp_{number}") for number, model in enumerate(models, 1)}
    assert all("obs.response.stream_end" not in span.attributes for span in spans_of(telemetry))


@pytest.mark.usefixtures("instrumented", "with_content")
def test_the_process_leaves_amid_a_response(talks: Any, telemetry: Any) -> None:
    from obs_run.core.open_recordings import Ending, open_recordings

    # What tests of faults before this one have left open.
    open_recordings.end_all(Ending("exit"))
    telemetry.clear()

    def use(talk: Any) -> None:
        talk.receive("session.created")
        talk.send(*ASK)
        talk.receive("response.text.delta")
        open_recordings.end_all(Ending("exit"))
        talk.close()

    count = len(talks(answering([created(), delta("text", "To ")]), use))
    spans = spans_of(telemetry)
    assert len(spans) == count
    for span in spans:
        assert (span.attributes["obs.span.unfinished"], span.attributes["obs.span.ended_by"]) == (True, "exit")
        assert json.loads(span.attributes["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "To "}]
