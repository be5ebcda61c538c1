"""What agents do with connections besides: keep them, close them early, derive from them, and build upon them."""

from __future__ import annotations

import gc
import http.client
import json
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.http_client.library import LIBRARY
from tests.instrumentors.plain_http.scenarios import ASKED, CHAT, MODEL
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = json.dumps(ASKED).encode()
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer sk-of-the-agent"}


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    driver = LIBRARY.driver("sync", stub)
    with instrumented():
        yield driver
    driver.close()


@pytest.fixture
def connection(its: Any) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection(its.stub.origin.removeprefix("http://"), timeout=30)
    yield made
    made.close()


def test_a_connection_that_is_kept(connection: http.client.HTTPConnection, telemetry: Any) -> None:
    for path in (CHAT, "/api/chat"):
        connection.request("POST", path, body=BODY, headers=HEADERS)
        assert connection.getresponse().read()
        connection.request("GET", "/nothing")
        connection.getresponse().read()
    providers = [span.attributes["gen_ai.provider.name"] for span in telemetry.spans()]
    assert providers == ["openai", "ollama"]
    assert {span.attributes["gen_ai.usage.input_tokens"] for span in telemetry.spans()} == {3}


def test_a_connection_seems_to_be_of_its_own_class(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", CHAT, BODY, HEADERS)
    kind = type(connection)
    assert isinstance(connection, http.client.HTTPConnection)
    assert (kind.__name__, kind.__module__) == ("HTTPConnection", "http.client")
    assert connection.getresponse().read()
    assert type(http.client.HTTPConnection("localhost")) is http.client.HTTPConnection


def test_a_text_and_arguments_by_name(connection: http.client.HTTPConnection, telemetry: Any) -> None:
    connection.request(method="POST", url=CHAT, body=BODY.decode(), headers=HEADERS)
    with connection.getresponse() as response:
        assert json.load(response)["choices"]
    assert telemetry.attributes()["gen_ai.usage.output_tokens"] == 10


def test_a_response_that_nobody_asks_for(its: Any, telemetry: Any) -> None:
    made = http.client.HTTPConnection(its.stub.origin.removeprefix("http://"))
    made.request("POST", CHAT, BODY, HEADERS)
    made.close()
    made.request("POST", CHAT, BODY, HEADERS)
    # The second request tells that the first one's response is not to come.
    assert [span.attributes["obs.response.stream_end"] for span in telemetry.spans()] == ["abandoned"]
    del made
    gc.collect()
    assert [span.attributes["obs.response.stream_end"] for span in telemetry.spans()] == ["abandoned"] * 2


def test_a_request_at_the_wrong_time(connection: http.client.HTTPConnection, telemetry: Any) -> None:
    connection.request("POST", CHAT, BODY, HEADERS)
    with pytest.raises(http.client.CannotSendRequest):
        connection.request("POST", CHAT, BODY, HEADERS)
    with connection.getresponse() as response:
        assert json.load(response)["choices"]
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()
    wrong, right = telemetry.spans()
    assert wrong.attributes["error.type"] == "http.client.CannotSendRequest"
    assert right.attributes["gen_ai.usage.output_tokens"] == 10


def test_no_answer_in_time(telemetry: Any, its: Any) -> None:
    assert its is not None
    with socket.create_server(("127.0.0.1", 0)) as silent:
        made = http.client.HTTPConnection("127.0.0.1", silent.getsockname()[1], timeout=0.1)
        made.request("POST", CHAT, BODY, HEADERS)
        with pytest.raises(TimeoutError):
            made.getresponse()
        made.close()
    assert telemetry.attributes()["error.type"] == "TimeoutError"


def test_a_connection_of_the_agents_own(its: Any, telemetry: Any, tmp_path: Path) -> None:
    """As agents speak to a server by a file: Docker's models are there."""
    assert its is not None
    path = str(tmp_path / "models.sock")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"model": MODEL, "choices": [], "usage": {"prompt_tokens": 3}}).encode())

        def address_string(self) -> str:
            return path

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(path)

    with socketserver.UnixStreamServer(path, Handler) as server:
        threading.Thread(target=server.handle_request).start()
        made = Connection("localhost")
        made.request("POST", f"/engines{CHAT}", BODY, HEADERS)
        assert made.getresponse().read()
        made.close()
    assert telemetry.attributes()["gen_ai.usage.input_tokens"] == 3


def test_through_a_proxys_tunnel(its: Any, telemetry: Any) -> None:
    """The server is the one that was asked for; here it plays the proxy, which refuses."""
    made = http.client.HTTPSConnection(its.stub.origin.removeprefix("http://"), timeout=30)
    made.set_tunnel("api.openai.com")
    with pytest.raises(OSError, match="Tunnel connection failed"):
        made.request("POST", CHAT, BODY, HEADERS)
    attributes = telemetry.attributes()
    assert (attributes["server.address"], attributes["server.port"]) == ("api.openai.com", 443)


def test_httplib2(its: Any, telemetry: Any) -> None:
    client = import_module("httplib2").Http()
    response, content = client.request(its.url(CHAT), "POST", body=BODY, headers=HEADERS)
    assert (response.status, bool(json.loads(content)["choices"])) == (200, True)
    assert telemetry.attributes()["gen_ai.usage.output_tokens"] == 10
