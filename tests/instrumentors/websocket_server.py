"""A stub that speaks over WebSockets: it answers each message with the messages that a test has for it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

CLOSE = object()
"""In place of a message: the server goes away without one."""


class WebSocketServer:
    """Listens on a port of its own; ``answer`` gives what follows a message, ``greeting`` what comes first."""

    def __init__(self, answer: Callable[[Any], Iterable[Any]], greeting: Iterable[Any] = ()) -> None:
        # The environments that need it bring it.
        from websockets.sync.server import serve

        self._answer = answer
        self._greeting = list(greeting)
        self.paths: list[str] = []
        self.received: list[Any] = []
        self._server = serve(self._handle, "127.0.0.1", 0, max_size=None)
        self.host, self.port = self._server.socket.getsockname()
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def origin(self) -> str:
        return f"ws://{self.host}:{self.port}"

    def _handle(self, connection: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        self.paths.append(connection.request.path)
        try:
            self._send(connection, self._greeting)
            for raw in connection:
                message = json.loads(raw)
                self.received.append(message)
                self._send(connection, self._answer(message))
        except ConnectionClosed:
            # The client went away, which is what a test is about.
            return

    @staticmethod
    def _send(connection: Any, messages: Iterable[Any]) -> None:
        for message in messages:
            if message is CLOSE:
                connection.close(1011, "going away")
                return
            connection.send(json.dumps(message))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
