"""A server that answers each request with bytes that a test gives, cut and framed as it says."""

from __future__ import annotations

import gzip
import threading
import zlib
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

_ENCODERS: dict[str, Callable[[bytes], bytes]] = {"gzip": partial(gzip.compress, mtime=0), "deflate": zlib.compress}


class Response(NamedTuple):
    """What is sent: the body is cut at ``cuts``, and its end is told by ``framing``: length, chunked or close."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    framing: str = "length"
    cuts: tuple[int, ...] = ()
    encoding: str = ""
    location: str = ""
    breaks_off: bool = False

    def encoded(self) -> bytes:
        return _ENCODERS[self.encoding](self.body) if self.encoding else self.body

    def pieces(self) -> list[bytes]:
        body = self.encoded()
        places = [0, *sorted({cut % (len(body) + 1) for cut in self.cuts}), len(body)]
        pieces = [body[start:end] for start, end in pairwise(places)]
        return [piece for piece in pieces if piece]


class Server:
    """Answers every request with the next response, and with the last one from then on."""

    def __init__(self) -> None:
        self.responses: list[Response] = []
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that went away is no news
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, handler: Any) -> None:
        """Send the response that is due."""
        handler.rfile.read(int(handler.headers["content-length"]))
        self.paths.append(handler.path)
        response = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        handler.send_response(response.status)
        handler.send_header("content-type", response.content_type)
        if response.encoding:
            handler.send_header("content-encoding", response.encoding)
        if response.location:
            handler.send_header("location", response.location)
        if response.framing == "length":
            handler.send_header("content-length", str(len(response.encoded())))
        elif response.framing == "chunked":
            handler.send_header("transfer-encoding", "chunked")
        else:
            handler.send_header("connection", "close")
        handler.end_headers()
        self._send_body(handler, response)
        if response.framing == "close" or response.breaks_off:
            handler.close_connection = True

    @staticmethod
    def _send_body(handler: Any, response: Response) -> None:
        pieces = response.pieces()
        if response.breaks_off:
            pieces = pieces[:-1]
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if response.framing == "chunked" else piece)
        if response.framing == "chunked" and not response.breaks_off:
            handler.wfile.write(b"0\r\n\r\n")

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
