"""Sessions that raise by themselves, and sessions with a base URL."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.plain_http.scenarios import ASKED, CHAT
from tests.instrumentors.run_scenarios import instrumented


def test_a_base_url(stub: Any, telemetry: Any) -> None:
    aiohttp = import_module("aiohttp")

    async def ask() -> Any:
        async with aiohttp.ClientSession(stub.origin) as session, session.post(CHAT, json=ASKED) as response:
            return [line async for line in response.content]

    with instrumented():
        assert asyncio.run(ask())
    attributes = telemetry.attributes()
    assert attributes["server.port"] == stub.port
    assert attributes["gen_ai.usage.output_tokens"] == 10


def test_a_status_that_is_raised(stub: Any, telemetry: Any) -> None:
    aiohttp = import_module("aiohttp")

    async def ask() -> None:
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            await session.post(stub.origin + CHAT, json={**ASKED, "model": "stub-400"})

    with instrumented(), pytest.raises(aiohttp.ClientResponseError):
        asyncio.run(ask())
    assert telemetry.attributes()["error.type"] == "400"
