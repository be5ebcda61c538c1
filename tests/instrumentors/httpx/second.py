"""The second generation of httpx, whose classes have the same names."""

from __future__ import annotations

import asyncio
import gzip
from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.plain_http.scenarios import ASKED, CHAT
from tests.instrumentors.plain_http.server import Response, Server
from tests.instrumentors.run_scenarios import instrumented

EVENT = b'data: {"id": "c1", "choices": [{"index": 0, "delta": {"content": "Lisbon"}, "finish_reason": "stop"}]}\n\n'


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_streams(telemetry: Any, encoding: str) -> None:
    httpx = import_module("httpx2")

    async def ask(url: str) -> bytes:
        async with httpx.AsyncClient() as client, client.stream("POST", url, json=ASKED) as response:
            return b"".join([piece async for piece in response.aiter_raw()])

    with Server() as server, instrumented():
        server.responses = [Response(EVENT, "text/event-stream", framing="chunked", cuts=(30, 9), encoding=encoding)]
        with httpx.Client() as client, client.stream("POST", server.origin + CHAT, json=ASKED) as response:
            assert b"".join(response.iter_bytes()) == EVENT
        raw = asyncio.run(ask(server.origin + CHAT))
        assert (gzip.decompress(raw) if encoding else raw) == EVENT
    assert [span.attributes["gen_ai.response.finish_reasons"] for span in telemetry.spans()] == [("stop",)] * 2
