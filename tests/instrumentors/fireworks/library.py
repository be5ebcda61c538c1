"""Fireworks' scenario set; it takes messages in Anthropic's format too, which its client cannot stream."""

from __future__ import annotations

from typing import Any

from tests.instrumentors.openai import family
from tests.instrumentors.openai.family import MODEL, attributes
from tests.instrumentors.scenarios import Scenario

_ANSWERED: dict[str, Any] = {
    "gen_ai__request__max_tokens": 100,
    "gen_ai__response__model": "gpt-5-mini-2025-08-07",
    "gen_ai__response__finish_reasons": ("stop",),
    "gen_ai__usage__input_tokens": 3,
    "gen_ai__usage__output_tokens": 10,
    "gen_ai__usage__cache_read__input_tokens": None,
    "gen_ai__usage__audio__input_tokens": None,
    "gen_ai__usage__audio__output_tokens": None,
    "gen_ai__usage__reasoning__output_tokens": None,
    "anthropic__message__stop_reason": "end_turn",
    "anthropic__response__service_tier": "standard",
    "openai__api__type": None,
    "openai__response__service_tier": None,
    "openai__response__system_fingerprint": None,
}
LIBRARY = family.library(
    "fireworks",
    {"1.2.0, oldest": ("fireworks-ai==1.2.0",), "1, newest": ("fireworks-ai>=1,<2",)},
    family.completions("fireworks_ai"),
    Scenario("messages", lambda its: its.message(), f"chat {MODEL}", attributes("fireworks_ai", **_ANSWERED)),
    # Its asynchronous client is one over aiohttp, which reads what is there at once.
    reads_ahead=True,
)
