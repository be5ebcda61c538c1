"""Tests of agents that put mocks beneath requests: they work as without us, and their calls are recorded."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.plain_http.scenarios import ASKED, CHAT
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from pathlib import Path

URL = f"https://api.openai.com{CHAT}"
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Lisbon"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
EVENTS = b'data: {"id": "c1", "choices": [{"index": 0, "delta": {"content": "Lisbon"}, "finish_reason": "stop"}]}\n\n'


def ask(*, stream: bool) -> Any:
    requests = import_module("requests")
    if not stream:
        return requests.post(URL, json=ASKED, headers={"authorization": "Bearer sk-1"}).json()
    with requests.post(URL, json={**ASKED, "stream": True}, stream=True) as response:
        return list(response.iter_lines())


def assert_recorded(telemetry: Any) -> None:
    whole, streamed = telemetry.spans()
    assert whole.attributes["gen_ai.usage.input_tokens"] == 3
    for span in (whole, streamed):
        assert span.attributes["gen_ai.provider.name"] == "openai"
        assert span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
        assert "obs.response.stream_end" not in span.attributes


def test_responses(telemetry: Any) -> None:
    responses = import_module("responses")
    with instrumented(), responses.RequestsMock() as mock:
        mock.add("POST", URL, json=ANSWER)
        assert ask(stream=False) == ANSWER
        mock.replace("POST", URL, body=EVENTS, content_type="text/event-stream")
        assert ask(stream=True) == [EVENTS.strip(), b""]
    assert_recorded(telemetry)


def test_requests_mock(telemetry: Any) -> None:
    requests_mock = import_module("requests_mock")
    with instrumented(), requests_mock.Mocker() as mock:
        mock.post(URL, json=ANSWER, headers={"content-type": "application/json"})
        assert ask(stream=False) == ANSWER
        mock.post(URL, content=EVENTS, headers={"content-type": "text/event-stream"})
        assert ask(stream=True) == [EVENTS.strip(), b""]
    assert_recorded(telemetry)


def test_vcr(stub: Any, telemetry: Any, tmp_path: Path) -> None:
    requests, vcr = import_module("requests"), import_module("vcr")
    seen = []
    for _ in range(2):
        with instrumented(), vcr.use_cassette(str(tmp_path / "cassette.yaml"), ignore_localhost=False):
            response = requests.post(stub.origin + CHAT, json={**ASKED, "stream": True}, stream=True)
            seen.append(b"".join(response.iter_content(7)))
    assert seen[0] == seen[1]
    recorded = [span.attributes["gen_ai.response.finish_reasons"] for span in telemetry.spans()]
    assert json.dumps(recorded) == '[["stop"], ["stop"]]'
