"""A server that gives the answers it is told to, one after the other, to whatever is asked."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self


class AnswersServer:
    """`with AnswersServer(answer, ...) as server: client = OpenAI(base_url=server.url, ...)`.

    A dict is sent as JSON, a list as events; of a text or bytes, which are sent as they are, the first character tells
    the type. The last answer is given again where more is asked for.
    """

    def __init__(self, *answers: Any, compresses: bool = False) -> None:
        kept = list(answers)
        requests: list[tuple[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                requests.append((self.path, json.loads(raw) if raw[:1] == b"{" else raw))
                answer = kept.pop(0) if len(kept) > 1 else kept[0]
                body = gzip.compress(_body(answer)) if compresses else _body(answer)
                self.send_response(200)
                if compresses:
                    self.send_header("content-encoding", "gzip")
                self.send_header(
                    "content-type", "text/event-stream" if isinstance(answer, list) else "application/json"
                )
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
                pass

        self.answers = kept
        self.requests = requests
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.port = int(self._server.server_address[1])
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _body(answer: Any) -> bytes:
    if isinstance(answer, list):
        return "".join(_event(each) for each in answer).encode()
    return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def _event(value: Any) -> str:
    name = value.get("type") if isinstance(value, dict) else None
    return (f"event: {name}\n" if isinstance(name, str) else "") + f"data: {json.dumps(value)}\n\n"
