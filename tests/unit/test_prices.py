import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from obs_run.pipeline import pattern_ways, prices
from obs_run.pipeline.price_table import Alternative, Table
from obs_run.pipeline.prices import Usage

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
USAGE = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[object], None]]:
    """Set OBS_PRICES_FILE to a file with this content."""

    def write(content: object) -> None:
        file = tmp_path / "own.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        monkeypatch.setenv("OBS_PRICES_FILE", str(file))

    prices._chosen.cache_clear()
    yield write
    prices._chosen.cache_clear()


@pytest.fixture(autouse=True)
def _built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OBS_PRICES_FILE", raising=False)
    prices._chosen.cache_clear()


def total(provider: str | None, model: str, usage: Usage = USAGE, host: str | None = None) -> Decimal | None:
    cost = prices.price(provider, model, usage, NOW, host)
    return cost and cost.total


def seller(provider: str | None, model: str, host: str | None = None) -> str | None:
    found, _ = prices._chosen()._seller(provider, model, host)
    return found and found.id


def same_seller(left: tuple[str | None, str], right: tuple[str | None, str]) -> bool:
    return total(*left) is not None and total(*left) == total(*right)


def test_cost_says_what_it_is_made_of() -> None:
    cost = prices.price("openai", "gpt-4o", Usage(1000, 100, cache_read_tokens=400), NOW)
    assert cost is not None
    assert cost.total == cost.input + cost.output > 0
    assert cost.table_version == prices.version()
    assert cost.currency == "USD"


@pytest.mark.parametrize(
    ("provider", "there", "model"),
    [
        ("aws.bedrock", "aws", "anthropic.claude-sonnet-4-20250514-v1:0"),
        ("azure.ai.openai", "azure", "gpt-4o"),
        ("azure.ai.inference", "azure", "gpt-4o"),
        ("gcp.gemini", "google", "gemini-2.5-pro"),
        ("gcp.gen_ai", "google", "gemini-2.5-pro"),
        ("gcp.vertex_ai", "google", "claude-sonnet-4-5"),
        ("mistral_ai", "mistral", "mistral-large-latest"),
        ("moonshot_ai", "moonshotai", "kimi-k2.6"),
        ("x_ai", "x-ai", "grok-4"),
        ("together_ai", "together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("fireworks_ai", "fireworks", "accounts/fireworks/models/gpt-oss-120b"),
    ],
)
def test_names_of_the_conventions(provider: str | None, there: str, model: str) -> None:
    assert same_seller((provider, model), (there, model))


@pytest.mark.parametrize("provider", ["openai", "anthropic", "groq", "deepseek", "cohere", "perplexity", "cerebras",
                                      "openrouter"])  # fmt: skip
def test_names_that_are_the_tables_own(provider: str) -> None:
    assert seller(provider, "x") == provider


def test_azure_is_not_taken_for_openai() -> None:
    assert seller("azure.ai.openai", "gpt-4o") == "azure"


@pytest.mark.parametrize(
    ("provider", "model", "host"),
    [
        ("openai", "no-such-model", None),
        ("openai", "claude-sonnet-4-5", None),
        ("my_gateway", "gpt-4o", None),
        ("_OTHER", "gpt-4o", "llm.example.org"),
        (None, "gpt-4o", "localhost:8000"),
        (None, "no-such-model", None),
        (None, "", None),
    ],
)
def test_what_is_not_known_has_no_price(provider: str | None, model: str, host: str | None) -> None:
    assert prices.price(provider, model, USAGE, NOW, host) is None


def test_without_a_provider_the_model_tells() -> None:
    assert total(None, "gpt-4o") == total("openai", "gpt-4o")


@pytest.mark.parametrize("host", ["openrouter.ai", "openrouter.ai:443", "https://openrouter.ai/api/v1"])
def test_the_host_is_where_the_money_goes(host: str | None) -> None:
    model = "anthropic/claude-sonnet-4.5"
    assert total("openai", model, host=host) == total("openrouter", model) is not None
    assert total(None, model, host=host) == total("openrouter", model)
    assert total("my_gateway", model, host=host) == total("openrouter", model)


def test_a_named_provider_stays_behind_a_proxy() -> None:
    assert total("openai", "gpt-4o", host="llm.example.org") == total("openai", "gpt-4o") is not None


def test_a_provider_keeps_the_host_that_it_shares() -> None:
    assert seller("openai-decisions", "x", "api.openai.com") == "openai-decisions"


@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        Usage(cache_read_tokens=5, output_tokens=1),
        Usage(10, 1, cache_read_tokens=11),
        Usage(-1, 1),
        Usage(float("nan"), 1),
        Usage(True, 1),  # noqa: FBT003
        Usage("10", 1),  # type: ignore[arg-type]
    ],
)
def test_usage_that_makes_no_sense_has_no_price(usage: Usage) -> None:
    assert prices.price("anthropic", "claude-sonnet-4-5", usage, NOW) is None


def test_own_prices_come_first(own: Callable[[object], None]) -> None:
    entry = {"input_per_million": 1.25, "output_per_million": 3, "cache_read_per_million": 0.1}
    best = {"output_per_million": 8, "per_request": 0.5}
    own({"models": {"GPT-4o": entry, "my-*": {"input_per_million": 7}, "my-best*": best}})
    cost = prices.price("openai", "gpt-4o", Usage(1_000_000, 2_000_000, cache_read_tokens=500_000), NOW)
    assert cost == (Decimal("0.675"), Decimal(6), Decimal("6.675"), "own prices", "USD")
    assert total(None, "My-Model", host="localhost:11434") == 7
    assert total(None, "my-best-model") == Decimal("8.5")
    assert total("openai", "gpt-4o-mini") is not None


def test_own_prices_of_one_provider(own: Callable[[object], None]) -> None:
    own({"models": {"llama3:8b": {"provider": "x-ai", "input_per_million": 1}}})
    assert total("x_ai", "llama3:8b") == 1
    assert total("x-ai", "llama3:8b") == 1
    assert total("ollama", "llama3:8b") is None


def test_a_newer_table(own: Callable[[object], None]) -> None:
    text = prices.BUILT_IN.read_text().replace('"source":"genai-prices ', '"source":"genai-prices 99.', 1)
    own(text)
    assert prices.version().startswith("genai-prices 99.")
    assert total("openai", "gpt-4o") is not None


BUILT_IN_TEXT = prices.BUILT_IN.read_text()
ADDRESS = json.dumps(json.loads(BUILT_IN_TEXT.partition("\n")[0])["providers"][0][1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("models: {}", "Expecting value"),
        ("[]", "expected {"),
        ({"models": {"a": {}}}, "'a': expected"),
        ({"models": {"a": {"input_per_million": "1"}}}, "must be a number"),
        ({"models": {"a": {"input_per_million": -1}}}, "must be a number"),
        ({"models": {"a": {"input": 1}}}, "no such price as 'input'"),
        ({"models": {"a": {"cache_read_per_million": 1}}}, "needs input_per_million too"),
        (
            {
                "models": {
                    "a": dict.fromkeys(["input_per_million", "cache_read_per_million", "input_audio_per_million"], 1)
                }
            },
            "needs cache_audio_read_per_million too",
        ),
        ({"models": {}, "other": 1}, "expected {"),
        (BUILT_IN_TEXT[:-10], "cut short"),
        (BUILT_IN_TEXT.replace("obs-prices/1", "obs-prices/9", 1), "not a table"),
        (BUILT_IN_TEXT.replace("\ta", "\t~", 1), "damaged"),
        (BUILT_IN_TEXT.replace(ADDRESS, json.dumps("(h+)+$"), 1), "the pattern '(h+)+$' may take too long"),
        (BUILT_IN_TEXT.replace(ADDRESS, json.dumps("(h|ht)*z"), 1), "the pattern '(h|ht)*z' may take too long"),
        (BUILT_IN_TEXT.replace(ADDRESS, json.dumps("(h"), 1), "damaged"),
    ],
    ids=range(15),
)
def test_a_wrong_file_is_said_once_and_the_built_in_prices_stay(
    own: Callable[[object], None], content: object, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    own(content)
    with caplog.at_level(logging.WARNING, "obs_run"):
        assert total("openai", "gpt-4o") is not None
        assert total("openai", "gpt-4o-mini") is not None
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("OBS_PRICES_FILE: ")
    assert said in line
    assert "\n" not in line
    assert len(line) < 500


def test_a_missing_file(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    monkeypatch.setenv("OBS_PRICES_FILE", str(tmp_path / "none.json"))
    assert total("openai", "gpt-4o") is not None
    assert "No such file" in caplog.text


@pytest.mark.parametrize(
    ("constraint", "holds"),
    [
        ("", True),
        ("2026-11-22", True),
        ("2026-11-23", False),
        ("11:00:00-13:00:00", True),
        ("12:00:00-13:00:00", True),
        ("11:00:00-12:00:00", False),
        ("22:00:00-13:00:00", True),
        ("11:00:00-02:00:00", True),
        ("22:00:00-02:00:00", False),
    ],
)
def test_when_a_price_holds(constraint: str, *, holds: bool) -> None:
    one = Alternative(constraint, {})
    assert one.holds(NOW) is holds
    assert one.holds(NOW.replace(tzinfo=None)) is holds
    assert one.holds(NOW.astimezone(timezone(timedelta(hours=13)))) is holds


def test_the_table_is_small() -> None:
    assert prices.BUILT_IN.stat().st_size < 200_000


def test_an_agent_never_imports_the_package_that_the_table_is_made_of() -> None:
    code = """
import sys, datetime
from obs_run.pipeline import pattern_ways, prices
assert prices.price("openai", "gpt-4o", prices.Usage(1, 1), datetime.datetime(2026, 1, 1))
assert not {"genai_prices", "pydantic", "gzip", "importlib.metadata"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_built_in_table_s_own_patterns_are_allowed() -> None:
    Table(prices.BUILT_IN).check()


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)+$",
        "a*a*a*a*b",
        "(?:a?){30}a{30}",
        "a?" * 30 + "a" * 30,
        "(.*)*",
        "(?=(a+)+)b",
        "(a{1,9})*",
        "(a",
    ],
)
def test_patterns_that_may_take_for_ever_are_refused(pattern: str) -> None:
    with pytest.raises(re.error):
        pattern_ways.check(pattern)


@pytest.mark.parametrize(
    "pattern", ["https://.*\\.example\\.com/", "gpt-4(-\\d+)?", "(ab)+c", "^(?!x).*y.*", "(a|b)*c"]
)
def test_usual_patterns_are_allowed(pattern: str) -> None:
    pattern_ways.check(pattern)
