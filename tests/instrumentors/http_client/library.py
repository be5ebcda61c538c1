"""The scenario set of Python's own connections."""

from __future__ import annotations

import gc
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from tests.instrumentors.plain_http.scenarios import HttpDriver, scenarios
from tests.instrumentors.scenarios import Library
from tests.instrumentors.urllib.library import WAYS, pieces_of

_KINDS = ("sync",)


class HttpClient(HttpDriver):
    """``http.client`` against the stub, a connection for each request."""

    ways = WAYS

    def open(self, path: str, body: Any) -> http.client.HTTPResponse:
        """Send a request, and return the response before its body is read."""
        parts = urlsplit(self.url(path))
        connection = http.client.HTTPConnection(parts.netloc)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", parts._replace(scheme="", netloc="").geturl(), json.dumps(body), headers)
        return connection.getresponse()

    def post(self, path: str, body: Any, **more: Any) -> tuple[int, bytes]:
        with self.open(path, body, **more) as response:
            return response.status, response.read()

    def stream(self, path: str, body: Any, way: str = "lines", **more: Any) -> list[Any]:
        with self.open(path, body, **more) as response:
            return list(pieces_of(response, way))

    def leave(self, path: str, body: Any) -> Any:
        response = self.open(path, body)
        first = response.read(1)
        del response
        gc.collect()
        return first


LIBRARY = Library(
    name="http.client",
    instrumentor="obs_instrumentors.http_client",
    environments={"Python's own": ("httplib2", "hypothesis")},
    driver=HttpClient,
    kinds=_KINDS,
    more=("../plain_http/more.py", "more.py"),
    scenarios=scenarios(_KINDS),
)
