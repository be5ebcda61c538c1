"""A mock in the place of a session's requests, which the releases that it knows work with."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

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
