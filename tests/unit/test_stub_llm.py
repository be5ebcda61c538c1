"""The stub speaks OpenAI's wire format: checked on the wire, and with the real client where it is installed."""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import json
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from examples.stub_llm import StubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HELLO: list[Any] = [{"role": "user", "content": "Hello there"}]
WEATHER = {
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TOOLS: list[Any] = [{"type": "function", "function": WEATHER | {"name": name}} for name in ("weather", "trains")]


@pytest.fixture(scope="module")
def server() -> Iterator[StubServer]:
    with StubServer() as stub:
        yield stub


@pytest.fixture
def stub(server: StubServer) -> StubServer:
    server.reset()
    return server


def post(stub: StubServer, path: str, body: Any, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(stub.host, stub.port, timeout=10)
    try:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"} | headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def ask(stub: StubServer, model: str = "gpt-5-mini", path: str = "/v1/chat/completions", **body: Any) -> Any:
    response, raw = post(stub, path, {"model": model, "messages": HELLO} | body)
    assert response.status == 200
    return json.loads(raw)


def test_a_request_from_before_a_reset_does_not_count(stub: StubServer) -> None:
    with ThreadPoolExecutor() as pool:
        late = pool.submit(ask, stub, "stub-wait=0.5")
        while not stub.requests:
            time.sleep(0.01)
        stub.reset()
        assert ask(stub)["id"] == "chatcmpl-000001"
        assert late.result()["id"] == "chatcmpl-000001"
    assert ask(stub)["id"] == "chatcmpl-000002"
    assert len(stub.requests) == 2


def events(raw: bytes) -> list[Any]:
    data = [line[6:] for line in raw.decode().splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in data]


class TestWire:
    @pytest.mark.parametrize(
        "path",
        ["/v1/chat/completions", "/openai/v1/chat/completions", "/openai/deployments/X/chat/completions?api-version=1"],
    )
    def test_paths_match_by_their_end(self, stub: StubServer, path: str) -> None:
        assert ask(stub, path=path)["choices"][0]["finish_reason"] == "stop"

    def test_ids_start_again_after_a_reset(self, stub: StubServer) -> None:
        assert [ask(stub)["id"] for _ in range(2)] == ["chatcmpl-000001", "chatcmpl-000002"]
        stub.reset()
        assert ask(stub)["id"] == "chatcmpl-000001"

    def test_same_question_same_answer(self, stub: StubServer) -> None:
        first = ask(stub)
        stub.reset()
        assert ask(stub) == first

    def test_requests_are_kept_and_handed_out(self, stub: StubServer) -> None:
        post(stub, "/v1/embeddings", {"model": "m", "input": "x"}, traceparent="00-a-b-01")
        connection = http.client.HTTPConnection(stub.host, stub.port)
        connection.request("GET", "/_requests")
        (kept,) = json.loads(connection.getresponse().read())["requests"]
        assert (kept["path"], kept["body"]["input"], kept["headers"]["traceparent"]) == (
            "/v1/embeddings",
            "x",
            "00-a-b-01",
        )
        connection.request("DELETE", "/_requests")
        connection.getresponse().read()
        assert stub.requests == []
        connection.close()

    def test_chunked_request_body(self, stub: StubServer) -> None:
        body = json.dumps({"model": "m", "messages": HELLO}).encode()
        connection = http.client.HTTPConnection(stub.host, stub.port)
        connection.request("POST", "/v1/chat/completions", iter([body[:9], body[9:]]), encode_chunked=True)
        response = connection.getresponse()
        assert response.status == 200
        assert response.headers["x-request-id"] == "req_000001"
        connection.close()
        assert stub.requests[0]["body"]["messages"] == HELLO

    def test_stream_usage_only_when_asked(self, stub: StubServer) -> None:
        body = {"model": "gpt-5-mini", "messages": HELLO, "stream": True}
        plain = events(post(stub, "/v1/chat/completions", body)[1])
        assert plain[-1] == "[DONE]"
        assert all("usage" not in chunk for chunk in plain[:-1])
        asked = events(post(stub, "/v1/chat/completions", body | {"stream_options": {"include_usage": True}})[1])
        *others, last, done = asked
        assert (done, last["choices"]) == ("[DONE]", [])
        assert last["usage"]["total_tokens"] > 0
        assert {chunk["usage"] for chunk in others} == {None}

    def test_streamed_tool_calls_are_split_by_index(self, stub: StubServer) -> None:
        body = {"model": "m", "messages": HELLO, "tools": TOOLS, "stream": True}
        chunks = events(post(stub, "/v1/chat/completions", body)[1])[:-1]
        calls = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
        assert [call["index"] for call in calls] == [0, 0, 0, 1, 1, 1]
        assert json.loads("".join(call["function"]["arguments"] for call in calls[:3])) == {"city": "Lisbon"}
        assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"

    def test_a_tool_result_brings_text(self, stub: StubServer) -> None:
        first = ask(stub, tools=TOOLS)["choices"][0]["message"]
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "sunny"} for call in first["tool_calls"]]
        second = ask(stub, tools=TOOLS, messages=[*HELLO, first, *results])["choices"][0]
        assert second["message"]["content"] == "Based on the tools: sunny; sunny"

    def test_usage_details(self, stub: StubServer) -> None:
        usage = ask(stub, "gpt-5-mini+usage-all")["usage"]
        assert usage["prompt_tokens_details"]["cached_tokens"] > 0
        assert usage["completion_tokens_details"]["reasoning_tokens"] == 64
        assert usage["completion_tokens_details"]["audio_tokens"] == 11
        assert "usage" not in ask(stub, "stub-no-usage")

    def test_responses_events_have_no_done(self, stub: StubServer) -> None:
        body = {"model": "gpt-5-mini+reasoning", "input": "Hi", "stream": True}
        told = events(post(stub, "/v1/responses", body)[1])
        assert (told[0]["type"], told[-1]["type"]) == ("response.created", "response.completed")
        assert [item["sequence_number"] for item in told] == list(range(len(told)))
        assert [item["type"] for item in told[-1]["response"]["output"]] == ["reasoning", "message"]

    @pytest.mark.parametrize("status", ["failed", "incomplete"])
    def test_responses_that_do_not_complete(self, stub: StubServer, status: str) -> None:
        answer = ask(stub, f"stub-{status}", "/v1/responses", input="Hi")
        assert answer["status"] == status
        assert answer["error" if status == "failed" else "incomplete_details"]

    @pytest.mark.parametrize(
        ("switch", "status"),
        [("400", 400), ("401", 401), ("429", 429), ("500", 500), ("context-length", 400), ("html", 502)],
    )
    def test_failures(self, stub: StubServer, switch: str, status: int) -> None:
        by_model, _ = post(stub, "/v1/chat/completions", {"model": f"stub-{switch}", "messages": HELLO})
        by_header, _ = post(stub, "/v1/chat/completions", {"model": "m", "messages": HELLO}, **{"x-stub": switch})
        tagged = [{"role": "user", "content": f"Hi [stub:{switch}]"}]
        by_prompt, _ = post(stub, "/v1/chat/completions", {"model": "m", "messages": tagged})
        assert [by_model.status, by_header.status, by_prompt.status] == [status] * 3

    def test_a_failure_once_comes_again_for_the_next_call(self, stub: StubServer) -> None:
        body = {"model": "stub-429-once", "messages": HELLO}
        statuses = [post(stub, "/v1/chat/completions", body)[0].status for _ in range(4)]
        assert statuses == [429, 200, 429, 200]

    def test_broken_bodies(self, stub: StubServer) -> None:
        _, raw = post(stub, "/v1/chat/completions", {"model": "stub-malformed", "messages": HELLO})
        with pytest.raises(json.JSONDecodeError):
            json.loads(raw)
        with pytest.raises(http.client.IncompleteRead):
            post(stub, "/v1/chat/completions", {"model": "stub-drop", "messages": HELLO, "stream": True})
        with pytest.raises(http.client.RemoteDisconnected):
            post(stub, "/v1/chat/completions", {"model": "stub-hangup", "messages": HELLO})

    def test_broken_streams(self, stub: StubServer) -> None:
        body: dict[str, Any] = {"messages": HELLO, "stream": True}
        _, raw = post(stub, "/v1/chat/completions", body | {"model": "stub-stream-error=1"})
        assert events(raw)[-1]["error"]["code"] == "server_error"
        _, raw = post(stub, "/v1/chat/completions", body | {"model": "stub-no-finish"})
        assert {chunk["choices"][0]["finish_reason"] for chunk in events(raw)} == {None}

    def test_embeddings_as_numbers_and_base64(self, stub: StubServer) -> None:
        numbers = ask(stub, path="/v1/embeddings", input=["a b", "c"])["data"]
        packed = ask(stub, path="/v1/embeddings", input="a b", encoding_format="base64")["data"][0]["embedding"]
        assert struct.unpack("<64f", base64.b64decode(packed)) == pytest.approx(numbers[0]["embedding"])
        assert len(numbers) == 2

    def test_serves_from_the_command_line(self, tmp_path: Path) -> None:
        command = [sys.executable, str(ROOT / "examples" / "stub_llm"), "--port-file", str(tmp_path / "port")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            url = process.stdout.readline().strip()
            process.terminate()
        assert url.startswith("http://127.0.0.1:")


class TestClient:
    """The real client; every test asks for what its version has."""

    @pytest.fixture
    def openai(self) -> Any:
        return pytest.importorskip("openai")

    @pytest.fixture
    def client(self, openai: Any, stub: StubServer) -> Iterator[Any]:
        with openai.OpenAI(base_url=stub.url, api_key="stub", max_retries=2) as client:
            yield client

    def test_chat(self, client: Any) -> None:
        answer = client.chat.completions.create(model="gpt-5-mini", messages=HELLO, n=2)
        assert answer.model == "gpt-5-mini-2025-08-07"
        assert [choice.index for choice in answer.choices] == [0, 1]
        assert answer._request_id == "req_000001" if hasattr(answer, "_request_id") else True

    def test_chat_stream(self, client: Any) -> None:
        with client.chat.completions.create(model="gpt-5-mini", messages=HELLO, stream=True) as stream:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        assert text == "This is the stub's answer to: Hello there"

    def test_parse_and_stream_helpers(self, client: Any) -> None:
        chat = client.chat.completions
        if not hasattr(chat, "parse"):
            chat = getattr(getattr(client.beta, "chat", None), "completions", None)
        if chat is None:
            pytest.skip("this client has no parse()")
        pydantic = pytest.importorskip("pydantic")
        trip = pydantic.create_model("Trip", city=(str, ...), days=(int, ...))
        parsed = chat.parse(model="m", messages=HELLO, response_format=trip).choices[0].message.parsed
        assert (parsed.city, parsed.days) == ("Lisbon", 3)
        assert chat.parse(model="stub-refusal", messages=HELLO, response_format=trip).choices[0].message.refusal
        with chat.stream(model="m", messages=HELLO, response_format=trip) as stream:
            kinds = {event.type for event in stream}
            assert stream.get_final_completion().choices[0].message.parsed == parsed
        assert {"chunk", "content.delta", "content.done"} <= kinds
        with chat.stream(model="m", messages=HELLO, tools=TOOLS) as stream:
            assert len(stream.get_final_completion().choices[0].message.tool_calls) == 2

    def test_raw_and_streaming_responses(self, client: Any) -> None:
        raw = client.chat.completions.with_raw_response.create(model="m", messages=HELLO)
        assert raw.headers["x-request-id"] == "req_000001"
        assert raw.parse().id == "chatcmpl-000001"
        raw = client.chat.completions.with_raw_response.create(model="m", messages=HELLO, stream=True)
        assert list(raw.parse())[-1].choices[0].finish_reason == "stop"
        streaming = client.chat.completions.with_streaming_response
        with streaming.create(model="m", messages=HELLO, stream=True) as response:
            assert "data: [DONE]" in list(response.iter_lines())

    def test_responses(self, client: Any) -> None:
        if not hasattr(client, "responses"):
            pytest.skip("this client has no responses")
        tools = [{"type": "function", "strict": False} | WEATHER]
        first = client.responses.create(model="gpt-5-mini+reasoning", input="Weather in Oslo?", tools=tools)
        call = first.output[1]
        assert (call.type, call.arguments) == ("function_call", '{"city": "Oslo"}')
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "cold"}
        second = client.responses.create(model="m", input=[result], previous_response_id=first.id, tools=tools)
        assert second.output_text == "Based on the tools: cold"
        assert client.responses.retrieve(second.id).id == second.id
        kinds = [event.type for event in client.responses.create(model="m", input="Hi", stream=True)]
        assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")

    def test_responses_helpers(self, client: Any) -> None:
        if not hasattr(client, "responses"):
            pytest.skip("this client has no responses")
        pydantic = pytest.importorskip("pydantic")
        trip = pydantic.create_model("Trip", city=(str, ...), days=(int, ...))
        parsed = client.responses.parse(model="m", input="Plan Porto", text_format=trip)
        assert parsed.output_parsed.city == "Porto"
        with client.responses.stream(model="m+reasoning", input="Plan Porto", text_format=trip) as stream:
            for _ in stream:
                pass
            assert stream.get_final_response().output_parsed == parsed.output_parsed
        tools = [{"type": "function", "strict": True} | WEATHER]
        with client.responses.stream(model="m", input="Hi", tools=tools) as stream:
            assert stream.get_final_response().output[0].name == "weather"

    @pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
    def test_the_rest(self, client: Any) -> None:
        assert client.completions.create(model="m", prompt="Hi").choices[0].text
        assert len(list(client.completions.create(model="m", prompt="Hi", stream=True))) > 2
        assert len(client.embeddings.create(model="m", input="Hi").data[0].embedding) == 64
        assert client.images.generate(model="gpt-image-1", prompt="A hill").data[0].b64_json
        assert client.images.edit(model="m", image=("a.png", b"x", "image/png"), prompt="A hill", n=2).data[1].b64_json
        assert client.audio.speech.create(model="m", voice="alloy", input="Hi").read() == b"stub-audio:Hi"
        assert client.audio.transcriptions.create(model="whisper-1", file=("a.wav", io.BytesIO(b"x"))).text
        assert client.audio.translations.create(model="whisper-1", file=("a.wav", b"x")).text
        assert client.moderations.create(input="A fight").results[0].categories.violence
        assert client.models.list().data[0].id == "gpt-5-mini"
        assert client.models.retrieve("abc").id == "abc"

    def test_retries_and_errors(self, openai: Any, client: Any, stub: StubServer) -> None:
        create = client.chat.completions.create
        assert create(model="stub-429-once", messages=HELLO).choices
        assert create(model="stub-500-twice", messages=HELLO).choices
        assert create(model="stub-hangup-once", messages=HELLO).choices
        assert len(stub.requests) == 2 + 3 + 2
        expected = {
            "429": openai.RateLimitError,
            "401": openai.AuthenticationError,
            "400": openai.BadRequestError,
            "500": openai.InternalServerError,
            "hangup": openai.APIConnectionError,
        }
        for switch, error in expected.items():
            with pytest.raises(error):
                client.with_options(max_retries=0).chat.completions.create(model=f"stub-{switch}", messages=HELLO)
        with pytest.raises(openai.APITimeoutError):
            client.with_options(max_retries=0, timeout=0.1).chat.completions.create(
                model="stub-wait=0.5", messages=HELLO
            )

    def test_broken_streams(self, openai: Any, client: Any) -> None:
        with pytest.raises(openai.APIError, match="server had an error"):
            list(client.chat.completions.create(model="stub-stream-error", messages=HELLO, stream=True))
        with pytest.raises(Exception, match=r"peer closed|incomplete|Connection error"):
            list(client.chat.completions.create(model="stub-drop", messages=HELLO, stream=True))
        assert list(client.chat.completions.create(model="stub-no-finish", messages=HELLO, stream=True))

    def test_async(self, openai: Any, stub: StubServer) -> None:
        async def talk() -> tuple[str, str, int]:
            async with openai.AsyncOpenAI(base_url=stub.url, api_key="stub") as client:
                answer = await client.chat.completions.create(model="stub-429-once", messages=HELLO)
                stream = await client.chat.completions.create(model="stub-slow=0.001", messages=HELLO, stream=True)
                parts = [chunk.choices[0].delta.content or "" async for chunk in stream]
                vectors = await client.embeddings.create(model="m", input=["a", "b"])
                return answer.choices[0].message.content, "".join(parts), len(vectors.data)

        text = "This is the stub's answer to: Hello there"
        assert asyncio.run(talk()) == (text, text, 2)

    def test_azure(self, openai: Any, stub: StubServer) -> None:
        address = {"azure_endpoint": stub.origin, "api_version": "2025-01-01", "api_key": "stub"}
        with openai.AzureOpenAI(**address) as client:
            chunks = list(client.chat.completions.create(model="X", messages=HELLO, stream=True))
        assert stub.requests[0]["path"] == "/openai/deployments/X/chat/completions"
        assert chunks[0].choices == []
