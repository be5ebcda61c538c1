"""Anthropic's client traces itself, and so does whoever instruments it: one span a call all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.agents import run_agent
from tests.instrumentors.environments import python_with

if TYPE_CHECKING:
    from pathlib import Path

CALL = """
import anthropic
client = anthropic.Anthropic(base_url=URL, api_key="k", max_retries=0)
client.messages.create(model="claude-x", max_tokens=9, messages=[dict(role="user", content="Hi")])
"""
EXPLICIT = """
from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor
AnthropicInstrumentor().instrument()
"""
OFFICIAL = "opentelemetry.instrumentation.genai.anthropic"


@pytest.fixture(scope="module")
def python() -> Path:
    return python_with("anthropic>=2,<3", "opentelemetry-instrumentation-genai-anthropic==1.3b0")


@pytest.mark.environments
@pytest.mark.timeout(900)  # the environment may have to be made first
@pytest.mark.parametrize(
    ("code", "preferred", "scope"),
    [(CALL, "", "obs_run"), (CALL, "official", OFFICIAL), (EXPLICIT + CALL, "", OFFICIAL)],
    ids=["ours", "preferred", "activated by the agent"],
)
def test_one_span(python: Path, stub: Any, code: str, preferred: str, scope: str) -> None:
    recorded = run_agent(python, code, stub.origin, OBS_PREFER=preferred)
    assert [(span["name"], span["scope"]) for span in recorded.spans] == [("chat claude-x", scope)]
