"""What agents do with requests beside asking: sessions of their own, retries, hooks, responses that are kept."""

from __future__ import annotations

import pickle
from importlib import import_module
from typing import Any

from tests.instrumentors.plain_http.scenarios import ASKED, CHAT, MODEL
from tests.instrumentors.run_scenarios import instrumented


def test_a_response_is_pickled(stub: Any, telemetry: Any) -> None:
    requests = import_module("requests")
    with instrumented():
        response = requests.post(stub.origin + CHAT, json={**ASKED, "stream": True}, stream=True)
        copy = pickle.loads(pickle.dumps(response))
    assert type(copy) is type(response) is requests.Response
    assert copy.content == response.content
    assert telemetry.attributes()["gen_ai.response.finish_reasons"] == ("stop",)


def test_the_bytes_beneath_are_of_a_class_of_the_same_name(stub: Any, telemetry: Any) -> None:
    requests, urllib3 = import_module("requests"), import_module("urllib3")
    with instrumented():
        response = requests.post(stub.origin + CHAT, json={**ASKED, "stream": True}, stream=True)
        assert isinstance(response.raw, urllib3.HTTPResponse)
        assert repr(type(response.raw)) == repr(urllib3.HTTPResponse)
        response.close()
    assert telemetry.attributes()["obs.response.stream_end"] == "abandoned"


def test_a_session_of_the_agents_own(stub: Any, telemetry: Any) -> None:
    requests = import_module("requests")

    class Session(requests.Session):  # type: ignore[misc,name-defined] # a class that is imported late
        def request(self, method: str, url: str, **kwargs: Any) -> Any:
            return super().request(method, stub.origin + url, **kwargs)

        def send(self, request: Any, **kwargs: Any) -> Any:
            request.headers["x-own"] = "1"
            return super().send(request, **kwargs)

    with instrumented(), Session() as session:
        assert session.post(CHAT, json=ASKED).json()["model"] == MODEL
    assert telemetry.span().name == f"chat {MODEL}"
    assert stub.requests[-1]["headers"]["x-own"] == "1"


def test_retries_are_part_of_the_call(stub: Any, telemetry: Any) -> None:
    requests, urllib3 = import_module("requests"), import_module("urllib3")
    retry = urllib3.util.retry.Retry(3, status_forcelist=[429], backoff_factor=0, respect_retry_after_header=False)
    retry.allowed_methods = retry.method_whitelist = None
    stub.reset()
    with instrumented(), requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
        assert session.post(stub.origin + CHAT, json={**ASKED, "model": "stub-429-once"}).status_code == 200
    assert len(stub.requests) == 2
    assert telemetry.span().status.status_code.name == "UNSET"


def test_a_hook_reads_the_body_first(stub: Any, telemetry: Any) -> None:
    requests = import_module("requests")
    lengths = []
    with instrumented():
        response = requests.post(
            stub.origin + "/api/chat",
            json=ASKED,
            stream=True,
            hooks={"response": lambda response, **_: lengths.append(len(response.content))},
        )
        assert [len(response.content)] == lengths
    assert telemetry.attributes()["gen_ai.usage.output_tokens"] == 8


def test_the_body_is_a_generator(stub: Any, telemetry: Any) -> None:
    """Nothing is taken from it: the call is not recorded."""
    requests = import_module("requests")
    with instrumented():
        pieces = iter([b'{"model": "llama3.2", "messages": ', b'[{"role": "user", "content": "Where to?"}]}'])
        assert requests.post(stub.origin + CHAT, data=pieces).json()["model"] == MODEL
    assert telemetry.spans() == []
