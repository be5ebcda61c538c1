"""The scenario set of requests."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

from tests.instrumentors.plain_http.scenarios import WHOLE, HttpDriver, scenarios
from tests.instrumentors.scenarios import Library

_KINDS = ("sync",)


class Requests(HttpDriver):
    """A session of requests against the stub."""

    ways = (WHOLE, "lines", "pieces", "text", "raw", "raw stream", "prepared")

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.requests = import_module("requests")
        self.session = self.requests.Session()

    def post(self, path: str, body: Any, **more: Any) -> tuple[int, bytes]:
        response = self.session.post(self.url(path), json=body, **more)
        return response.status_code, response.content

    def stream(self, path: str, body: Any, way: str = "lines", **more: Any) -> list[Any]:
        if way == "prepared":
            request = self.requests.Request("POST", self.url(path), json=body, **more)
            return list(self.session.send(self.session.prepare_request(request), stream=True))
        with self.session.post(self.url(path), json=body, stream=True, **more) as response:
            return list(self._read(response, way))

    @staticmethod
    def _read(response: Any, way: str) -> Any:
        if way == WHOLE:
            return [response.content]
        if way == "text":
            return [response.text]
        if way == "raw":
            return _read_to_the_end(response.raw, 7)
        if way == "raw stream":
            return response.raw.stream(5, decode_content=True)
        return response.iter_lines() if way == "lines" else response.iter_content(3)

    def leave(self, path: str, body: Any) -> Any:
        response = self.session.post(self.url(path), json=body, stream=True)
        first = next(response.iter_content(1))
        del response
        gc.collect()
        return first

    def close(self) -> None:
        self.session.close()
        super().close()


def _read_to_the_end(raw: Any, size: int) -> Any:
    # Before 2 a piece of what is compressed may give nothing, which is not the end.
    while not raw.closed:
        yield raw.read(size, decode_content=True)


LIBRARY = Library(
    name="requests",
    instrumentor="obs_instrumentors.requests",
    environments={
        "2.25, oldest": ("requests==2.25.1", "urllib3<2", "hypothesis"),
        "2, newest": ("requests>=2.32,<3", "hypothesis", "responses", "requests-mock", "vcrpy"),
    },
    driver=Requests,
    kinds=_KINDS,
    more=("../plain_http/more.py", "more.py", "mocks.py"),
    less={"2.25, oldest": ("mocks.py",)},
    scenarios=scenarios(_KINDS),
)
