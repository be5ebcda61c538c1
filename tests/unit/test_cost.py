"""What an operation says besides its counts changes its price, and nobody prices what nobody sees."""

from decimal import Decimal
from typing import Any

import pytest

from obs_run.core import semconv
from obs_run.core.operations import Embedding, Inference, Usage
from obs_run.pipeline import cost, prices
from obs_run.pipeline.measurements import Timing
from obs_run.sdk import providers


def total(**fields: Any) -> Decimal:
    usage = fields.pop("usage", None) or Usage(1_000_000, 1_000_000)
    found = cost.of(Inference(name="chat", usage=usage, **fields))
    assert found is not None
    return found.total


OPENAI: dict[str, Any] = {"provider": "openai", "request_model": "gpt-5"}
ANTHROPIC: dict[str, Any] = {"provider": "anthropic", "request_model": "claude-sonnet-4-5"}


def test_a_batch_costs_half() -> None:
    assert total(**OPENAI, price_context={"processing": "batch"}) * 2 == total(**OPENAI)


def test_the_tier_that_answered_decides() -> None:
    flexible = {semconv.OPENAI_RESPONSE_SERVICE_TIER: "flex", semconv.OPENAI_REQUEST_SERVICE_TIER: "priority"}
    assert total(**OPENAI, extra=flexible) < total(**OPENAI)
    assert total(**OPENAI, extra={semconv.OPENAI_RESPONSE_SERVICE_TIER: "default"}) == total(**OPENAI)


def test_what_is_kept_for_an_hour_costs_more() -> None:
    short = Usage(1_000_000, 0, cache_write_tokens=1_000_000, cache_write_5m_tokens=1_000_000)
    long = Usage(1_000_000, 0, cache_write_tokens=1_000_000, cache_write_1h_tokens=1_000_000)
    unsaid = Usage(1_000_000, 0, cache_write_tokens=1_000_000)
    assert total(**ANTHROPIC, usage=long) > total(**ANTHROPIC, usage=short) == total(**ANTHROPIC, usage=unsaid)


def test_the_server_says_who_is_paid() -> None:
    at_home = cost.of(
        Embedding("embeddings", "openai", "api.mistral.ai", request_model="mistral-embed", usage=Usage(5))
    )
    assert at_home is not None
    assert at_home.total > 0


def test_repeated_calls_of_other_sizes_are_priced_alike() -> None:
    whole = total(**OPENAI)
    for part in (1, 2, 7, 999_999):
        each = total(**OPENAI, usage=Usage(part, part)) + total(**OPENAI, usage=Usage(10**6 - part, 10**6 - part))
        assert each == whole


def test_nobody_prices_what_nobody_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    priced = []
    monkeypatch.setattr(prices, "price", lambda *arguments: priced.append(arguments))
    known = providers.Providers()
    monkeypatch.setattr(known, "_instruments", lambda: None)
    call = Inference(name="chat", usage=Usage(1, 1), **OPENAI)
    known.measure_unseen(call, Timing(1.0))
    assert not priced
    assert known.measure(call, Timing(1.0)) is None
    assert len(priced) == 1
