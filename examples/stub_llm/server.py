"""The HTTP side: routes by the end of the path, reads any body, sends whole or streamed answers."""

from __future__ import annotations

import json
import sys
import threading
import time
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import parse_qsl, urlsplit

from . import (
    anthropic,
    bedrock,
    chat,
    cohere,
    faults,
    gemini,
    huggingface,
    letta,
    media,
    mistral,
    ollama,
    other,
    pinecone,
    qdrant,
    replicate,
    responses,
    voyageai,
    watsonx,
)
from .state import State
from .wire import Reply, Request, Stream, error, read_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from .wire import Errors, Json

    Route = Callable[[Request], Reply | Stream]

    class Provider(Protocol):
        """The module of a provider's wire format."""

        @property
        def ROUTES(self) -> Mapping[str, Route]: ...  # noqa: N802 (a module's constant)

        @property
        def ERRORS(self) -> Errors: ...  # noqa: N802 (a module's constant)


ROUTES: dict[str, Route] = {
    "POST /chat/completions": chat.create,
    "POST /completions": other.completions,
    "POST /embeddings": other.embeddings,
    "POST /moderations": other.moderations,
    "POST /decisions": other.decisions,
    "POST /rerank": other.rerank,
    "POST /responses/compact": responses.compact,
    "POST /responses": responses.create,
    "POST /images/generations": media.images,
    "POST /images/edits": media.images,
    "POST /images/variations": media.images,
    "POST /audio/speech": media.speech,
    "POST /audio/transcriptions": media.transcribe,
    "POST /audio/translations": media.translate,
    "GET /models": other.models,
}

PROVIDERS: tuple[Provider, ...] = (
    letta,
    anthropic,
    bedrock,
    cohere,
    gemini,
    huggingface,
    mistral,
    ollama,
    pinecone,
    qdrant,
    replicate,
    voyageai,
    watsonx,
)
"""Modules of other wire formats than OpenAI's; their routes come first, ends of paths with the wildcards of a shell."""


def find_route(method: str, path: str) -> Route | None:
    """Return what answers a path, whatever prefix a provider or proxy puts before it."""
    for routes in (*(provider.ROUTES for provider in PROVIDERS), ROUTES):
        for pattern, route in routes.items():
            verb, end = pattern.split(" ")
            if verb == method and fnmatchcase(path, f"*{end}"):
                return route
    parent, _, name = path.rpartition("/")
    if parent.endswith("/responses") and name and method == "GET":
        return responses.retrieve
    if parent.endswith("/responses") and method == "DELETE":
        return responses.delete
    if parent.endswith("/models") and method == "GET":
        return other.model
    return None


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: ClassVar[State]
    """For the requests to come; one that waits keeps the state that it found, and does not count in a later one."""

    def do_GET(self) -> None:
        """Answer a GET."""
        self._handle()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._handle()

    def do_PATCH(self) -> None:
        """Answer a PATCH."""
        self._handle()

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self._handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep the terminal for the agent."""

    def _handle(self) -> None:
        raw = self._read()
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = urlsplit(self.path)
        path = url.path.rstrip("/")
        if path == "/_requests":
            self._send(self._recorded(), self.state)
            return
        body = read_body(raw, headers.get("content-type", ""))
        record = {"method": self.command, "path": path, "query": url.query, "headers": headers, "body": body}
        state = self.state
        state.record(record)
        switches = faults.read_switches(headers, body, path)
        query = dict(parse_qsl(url.query))
        request = Request(self.command, path, query, headers, body, switches, state)
        try:
            self._send(self._answer(request), state)
        except faults.HangUp:
            self.close_connection = True

    def _answer(self, request: Request) -> Reply | Stream:
        route = find_route(request.method, request.path)
        if route is None:
            return error(404, f"Invalid URL ({request.method} {request.path})")
        if "_raw" in request.body:
            return error(400, "We could not parse the JSON body of your request.")
        provider = next((one for one in PROVIDERS if route in one.ROUTES.values()), None)
        failure = faults.before(request, error if provider is None else provider.ERRORS)
        if failure is not None:
            return failure
        answer = route(request)
        if isinstance(answer, Stream):
            return faults.during(request, answer, typed="/responses" in request.path)
        return answer

    def _recorded(self) -> Reply:
        if self.command == "DELETE":
            type(self).state = State()
            return Reply({"cleared": True})
        return Reply({"requests": self.state.requests})

    def _read(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(parts)

    def _send(self, answer: Reply | Stream, state: State) -> None:
        self._start(answer, state)
        if isinstance(answer, Reply):
            payload = answer.payload()
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, item in enumerate(answer.events):
            if number == answer.drop_after:
                self.close_connection = True
                return
            if number and answer.delay:
                time.sleep(answer.delay)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(item), item))
        self.wfile.write(b"0\r\n\r\n")

    def _start(self, answer: Reply | Stream, state: State) -> None:
        if isinstance(answer, Reply):
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            for name, value in answer.headers.items():
                self.send_header(name, value)
        else:
            self.send_response(200)
            self.send_header("content-type", answer.content_type)
        request_id = state.next_id("req_")
        self.send_header("x-request-id", request_id)
        self.send_header("request-id", request_id)
        self.send_header("openai-processing-ms", "1")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when a client went away; say what else went wrong."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class StubServer:
    """The stub in this process: `with StubServer() as stub: client = OpenAI(base_url=stub.url, ...)`."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:

        class StubHandler(Handler):
            state = State()

        self._handler = StubHandler
        self._server = _Server((host, port), self._handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="stub-llm", daemon=True)
        self.host = host
        self.port = int(self._server.server_address[1])

    @property
    def origin(self) -> str:
        """Address without a path, for clients that add `/v1` themselves."""
        return f"http://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Base URL for OpenAI's client."""
        return f"{self.origin}/v1"

    @property
    def state(self) -> State:
        """What is remembered since the last reset."""
        return self._handler.state

    @property
    def requests(self) -> list[Json]:
        """The requests received so far: method, path, query, headers (lower case) and body."""
        copy: list[Json] = json.loads(json.dumps(self.state.requests))
        return copy

    def reset(self) -> None:
        """Forget requests, stored responses and ids."""
        self._handler.state = State()

    def close(self) -> None:
        """Stop serving."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
