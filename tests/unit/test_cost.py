"""What an operation says besides its counts changes its price, and nobody prices what nobody sees."""

from decimal import Decimal
from typing import Any

import pytest

from obs_run.core import semconv
from obs_run.core.operations import AgentRun, Embedding, Inference, ToolCall, Usage
from obs_run.pipeline import cost, prices
from obs_run.pipeline.metering import Metering
from tests.unit.records import record_of


def total(**fields: Any) -> Decimal:
    usage = fields.pop("usage", None) or Usage(1_000_000, 1_000_000)
    record = record_of(Inference(name="chat", usage=usage, **fields))
    assert cost.is_billable(record)
    priced = cost.of(record)
    assert priced is not None
    assert priced.total is not None
    return priced.total


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
    call = Embedding("embeddings", "openai", "api.mistral.ai", request_model="mistral-embed", usage=Usage(5))
    priced = cost.of(record_of(call))
    assert priced is not None
    assert priced.total is not None
    assert priced.total > 0


def test_a_model_that_answered_in_place_of_another_has_a_price_of_its_own_or_none() -> None:
    answered: dict[str, Any] = {"name": "chat", "usage": Usage(1, 1), **OPENAI}
    for other in ("a-name-that-nobody-prices", "gpt-5-mega", "gpt-5-2-ultra"):
        assert cost.of(record_of(Inference(**answered, response_model=other))) is None


def test_a_dated_name_has_the_price_of_the_model() -> None:
    for same in ("gpt-5-2027-01-01", "GPT-5", "openai/gpt-5", "gpt-5@20270101", "gpt-5-latest"):
        assert total(**OPENAI, response_model=same) == total(**OPENAI)


def test_the_answer_knows_best_what_it_cost() -> None:
    told = cost.of(record_of(Inference("chat", usage=Usage(1, 1), **OPENAI, reported_cost={"total": 0.25})))
    assert told is not None
    assert (told.input, told.output, told.total, told.source) == (None, None, Decimal("0.25"), "provider")


def test_searches_are_paid_for_beside_tokens() -> None:
    searched = total(**OPENAI, billed_units={"web_searches": 2, "storage_searches": 1})
    assert searched - total(**OPENAI) == Decimal("0.0225")


def test_unknown_tokens_do_not_cost_nothing() -> None:
    left = cost.of(record_of(Inference("chat", usage=Usage(1_000_000), **OPENAI)))
    assert left is not None
    assert left.input == Decimal("1.25")
    assert left.output is None
    assert left.total is None
    spoken: dict[str, Any] = {"provider": "openai", "billed_units": {"input_characters": 1_000_000}}
    known = cost.of(record_of(Inference("speech", request_model="tts-1", **spoken)))
    assert known is not None
    assert known.total == 15
    assert cost.of(record_of(Inference("speech", request_model="gpt-4o-mini-tts", **spoken))) is None


def test_what_has_no_output_is_known_without_it() -> None:
    call = Embedding("embeddings", "openai", request_model="text-embedding-3-small", usage=Usage(1_000_000))
    priced = cost.of(record_of(call))
    assert priced is not None
    assert priced.total is not None
    assert priced.total > 0


def test_kinds_of_tokens_have_prices_of_their_own() -> None:
    audio: dict[str, Any] = {"provider": "openai", "request_model": "gpt-audio"}
    spoken = Usage(1_000_000, 1_000_000, audio_input_tokens=1_000_000, audio_output_tokens=1_000_000)
    assert total(**audio, usage=spoken) > total(**audio)
    cached = Usage(1_000_000, 1_000_000, cache_read_tokens=1_000_000)
    assert total(**OPENAI, usage=cached) < total(**OPENAI)


def test_only_calls_of_models_with_usage_are_billable() -> None:
    summed_up = record_of(AgentRun(extra={semconv.USAGE_INPUT_TOKENS: 5}))
    assert not cost.is_billable(summed_up)
    assert not cost.is_billable(record_of(ToolCall(tool_name="weather")))
    assert not cost.is_billable(record_of(Inference(name="chat", **OPENAI)))
    assert cost.is_billable(record_of(Inference(name="chat", usage=Usage(output_tokens=0), **OPENAI)))


def test_nothing_is_priced_where_the_user_wants_no_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_COST", "false")
    assert cost.of(record_of(Inference(name="chat", usage=Usage(1, 1), **OPENAI))) is None


def test_repeated_calls_of_other_sizes_are_priced_alike() -> None:
    whole = total(**OPENAI)
    for part in (1, 2, 7, 999_999):
        each = total(**OPENAI, usage=Usage(part, part)) + total(**OPENAI, usage=Usage(10**6 - part, 10**6 - part))
        assert each == whole


def test_nobody_prices_what_nobody_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    priced = []
    monkeypatch.setattr(prices, "price", lambda *arguments: priced.append(arguments))
    metering = Metering(lambda: None, lambda: None)
    call = record_of(Inference(name="chat", usage=Usage(1, 1), **OPENAI))
    metering.measure(call, has_span=False)
    assert not priced
    assert metering.measure(call) is None
    assert len(priced) == 1
