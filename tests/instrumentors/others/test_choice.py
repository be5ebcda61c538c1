"""Instrumentors of other distributions for the same library: exactly one records each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.agents import run_agent
from tests.instrumentors.environments import python_with

if TYPE_CHECKING:
    from pathlib import Path

OFFICIAL = "opentelemetry-instrumentation-genai-openai"
OPENLLMETRY = "opentelemetry-instrumentation-openai"
OPENINFERENCE = "openinference-instrumentation-openai"
SCOPES = {
    OFFICIAL: "opentelemetry.instrumentation.genai.openai",
    OPENLLMETRY: "opentelemetry.instrumentation.openai",
    OPENINFERENCE: "openinference.instrumentation.openai",
    "obs-run": "obs_run",
}
CHAT = """
import openai
client = openai.OpenAI(base_url=URL + "/v1", api_key="k", max_retries=0)
client.chat.completions.create(model="gpt-4o", messages=[dict(role="user", content="Hi")])
"""
EXPLICIT = """
from {module} import OpenAIInstrumentor
OpenAIInstrumentor().instrument()
"""

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first


@pytest.fixture(scope="module")
def python() -> Path:
    return python_with("openai>=3,<4", f"{OFFICIAL}==1.3b0", OPENLLMETRY, OPENINFERENCE)


@pytest.mark.parametrize(
    ("variables", "winner"),
    [
        ({}, "obs-run"),
        ({"OBS_PREFER": "official"}, OFFICIAL),
        ({"OBS_PREFER": "openllmetry"}, OPENLLMETRY),
        ({"OBS_PREFER": "anthropic=official,openai=openinference"}, OPENINFERENCE),
        ({"OBS_PREFER": "openinference,openai=obs-run"}, "obs-run"),
        ({"OBS_PREFER": f"openai={OPENLLMETRY}"}, OPENLLMETRY),
        ({"OBS_PREFER": "nobody"}, "obs-run"),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "obs-run:openai"}, OFFICIAL),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f"obs-run,{OFFICIAL}"}, OPENLLMETRY),
        ({"OBS_PREFER": "official", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": OFFICIAL}, "obs-run"),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "openai"}, None),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}, None),
    ],
)
def test_exactly_one_wins(python: Path, stub: Any, variables: dict[str, str], winner: str | None) -> None:
    recorded = run_agent(python, CHAT, stub.url, **variables)
    assert recorded.scopes() == ([SCOPES[winner]] if winner else [])
    active = [name for name, outcome in recorded.outcomes.items() if outcome == "active"]
    assert active == ([winner] if winner in (OFFICIAL, OPENLLMETRY, OPENINFERENCE) else [])
    assert set(recorded.outcomes) == {OFFICIAL, OPENLLMETRY, OPENINFERENCE}


@pytest.mark.parametrize("name", [OFFICIAL, OPENLLMETRY, OPENINFERENCE])
@pytest.mark.parametrize("when", ["before", "after", "late"])
def test_what_the_agent_activates_itself_wins(python: Path, stub: Any, name: str, when: str) -> None:
    explicit = EXPLICIT.format(module=SCOPES[name])
    code = {"before": explicit + CHAT, "after": "import openai\n" + explicit + CHAT, "late": CHAT + explicit + CHAT}
    recorded = run_agent(python, code[when], stub.url)
    first = ["obs_run"] if when == "late" else []
    assert recorded.scopes() == sorted([*first, SCOPES[name]])
    assert recorded.outcomes[name] == "active"


def test_ours_comes_back_when_the_agent_takes_its_own_back(python: Path, stub: Any) -> None:
    code = "import openai\n" + EXPLICIT.format(module=SCOPES[OFFICIAL]) + CHAT
    recorded = run_agent(python, code + "OpenAIInstrumentor().uninstrument()" + CHAT, stub.url)
    assert recorded.scopes() == ["obs_run", SCOPES[OFFICIAL]]


@pytest.mark.parametrize(
    ("prefer", "winner"),
    [("obs-run", "obs-run"), ("openai=openllmetry", OPENLLMETRY), ("openinference", OPENINFERENCE)],
)
def test_the_user_s_word_beats_the_agent_s_code(python: Path, stub: Any, prefer: str, winner: str) -> None:
    code = EXPLICIT.format(module=SCOPES[OPENINFERENCE]) + CHAT
    recorded = run_agent(python, code, stub.url, OBS_PREFER=prefer)
    assert recorded.scopes() == [SCOPES[winner]]


def test_two_that_the_agent_activates_are_both_its_wish(python: Path, stub: Any) -> None:
    code = EXPLICIT.format(module=SCOPES[OFFICIAL]) + EXPLICIT.format(module=SCOPES[OPENINFERENCE]) + CHAT
    recorded = run_agent(python, code, stub.url)
    assert recorded.scopes() == sorted([SCOPES[OFFICIAL], SCOPES[OPENINFERENCE]])
    assert "instruments openai twice" in recorded.err


def test_one_that_does_not_fit_the_library_leaves_it_to_ours(stub: Any) -> None:
    python = python_with("openai==2.0.0", OPENINFERENCE)
    recorded = run_agent(python, CHAT, stub.url, OBS_PREFER="openinference")
    assert recorded.scopes() == ["obs_run"]
    assert "it wants openai" in recorded.outcomes[OPENINFERENCE]
