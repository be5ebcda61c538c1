"""Sessions that raise by themselves, that have a base URL, and mocks in the place of their requests."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.plain_http.scenarios import ASKED, CHAT, MODEL
from tests.instrumentors.run_scenarios import instrumented

URL = f"https://api.openai.com{CHAT}"


def test_aioresponses(telemetry: Any) -> None:
    """It takes the place of what we watch, so that nothing is recorded; the agent's test works."""
    aiohttp, aioresponses = import_module("aiohttp"), import_module("aioresponses")

    async def ask() -> Any:
        async with aiohttp.ClientSession() as session, session.post(URL, json=ASKED) as response:
            return await response.json()

    with instrumented(), aioresponses.aioresponses() as mock:
        mock.post(URL, payload={"model": MODEL})
        assert asyncio.run(ask()) == {"model": MODEL}
    assert telemetry.spans() == []


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
