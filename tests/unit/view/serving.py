"""A viewer on a free port in a thread of the test, and a store that it shows."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from obs_run.cli.view import open_source
from obs_run.view import server
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import Message
    from pathlib import Path

TOKEN = "a-token-of-the-test"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())


def _lower(headers: Message[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class Viewer(NamedTuple):
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        """Return the answer to whoever sends these headers."""
        request = urllib.request.Request(f"{self.url}{path}", headers=dict(headers or {}), method=method)
        try:
            with _opener.open(request, timeout=60) as answer:
                return Answer(answer.status, _lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers), error.read())

    def get(self, path: str, *query: tuple[str, str], **more: str) -> Any:
        """Return the decoded answer to someone who has the token."""
        address = f"{path}?{urlencode([*query, *more.items()])}" if query or more else path
        answer = self.ask(address, {"Authorization": f"Bearer {TOKEN}"})
        assert answer.status == 200, answer.body
        return answer.json


@contextmanager
def viewer(path: Path | str | None, jaeger_ui: Path | None = None) -> Iterator[Viewer]:
    """Show the store, or other place, at ``path`` until the block ends."""
    source = open_source(path)
    listener = server.listen(free_port(), fixed=True)
    started = threading.Event()
    running = server.create(source, TOKEN, listener, started.set, jaeger_ui)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert started.wait(60)
        yield Viewer(listener.getsockname()[1])
    finally:
        running.should_exit = True
        thread.join()
        listener.close()
