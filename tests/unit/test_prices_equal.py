"""Our prices are those of genai-prices, to the last digit, for every model that it lists."""

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if sys.version_info < (3, 11):
    pytest.skip("the release of genai-prices that the table is made from needs Python 3.11", allow_module_level=True)

genai_prices = pytest.importorskip("genai_prices")

from genai_prices import types  # noqa: E402
from genai_prices.data import providers  # noqa: E402
from genai_prices.data_units import unit_data  # noqa: E402

from obs_run.pipeline import prices  # noqa: E402
from obs_run.pipeline.price_table import Table  # noqa: E402
from tests.examples import examples  # noqa: E402

OURS = prices.Prices(Table(prices.BUILT_IN))
UNITS = [name for name in unit_data if name != "requests"]
NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def words(clause: Any) -> list[str]:
    ((_, value),) = vars(clause).items()
    return [word for part in value for word in words(part)] if isinstance(value, list) else [value]


REFERENCES = [
    (provider.id, reference)
    for provider in providers
    for model in provider.models
    for reference in dict.fromkeys([model.id, *words(model.match)])
]
ALL_PRICES = [
    prices
    for provider in providers
    for model in provider.models
    for prices in [
        *([one.prices for one in model.prices] if isinstance(model.prices, list) else [model.prices]),
        *(variant.prices for variant in model.price_variants or ()),
    ]
]
PRICED = sorted({key for one in ALL_PRICES for key, value in vars(one).items() if value is not None})
NAMES = {unit["price_key"]: name for name, unit in unit_data.items()}
STEPS = sorted(
    {tier.start for one in ALL_PRICES for price in vars(one).values() if isinstance(price, types.TieredPrices)
     for tier in price.tiers}
)  # fmt: skip
CONSTRAINTS = [
    one.constraint
    for provider in providers
    for model in provider.models
    for one in [*(model.prices if isinstance(model.prices, list) else []), *(model.price_variants or [])]
    if one.constraint
]
CONTEXTS = [None, *{tuple(variant.when.items()): variant.when for provider in providers for model in provider.models
                    for variant in model.price_variants or ()}.values()]  # fmt: skip


def edges() -> Iterator[datetime]:
    for one in CONSTRAINTS:
        if isinstance(one, types.StartDateConstraint):
            midnight = datetime.combine(one.start_date, datetime.min.time(), timezone.utc)
            yield from (midnight, midnight - timedelta(microseconds=1))
        else:
            for time in (one.start_time, one.end_time):
                at = datetime.combine(NOW, time)
                yield from (at, at - timedelta(microseconds=1))


EDGES = sorted(set(edges()))


def usage_of(values: dict[str, Any]) -> prices.Usage:
    named = {name: value for name, value in values.items() if name in prices.Usage._fields}
    return prices.Usage(**named, other={name: value for name, value in values.items() if name not in named})


def theirs(
    provider: str | None,
    model: str,
    values: dict[str, Any],
    when: datetime,
    context: dict[str, str] | None,
    url: str | None = None,
) -> tuple[Decimal, ...] | None:
    where = {"provider_api_url": url} if url else {"provider_id": provider}
    try:
        answer = genai_prices.calc_price(
            genai_prices.Usage(**values), model, **where, genai_request_timestamp=when, price_context=context
        )
    except (LookupError, ValueError):
        return None
    return answer.input_price, answer.output_price, answer.total_price


def ours(
    provider: str | None,
    model: str,
    values: dict[str, Any],
    when: datetime,
    context: dict[str, str] | None,
    url: str | None = None,
) -> tuple[Decimal, ...] | None:
    answer = OURS.price(provider, model, usage_of(values), when, url, context)
    return answer and answer[:3]


def same(*question: Any) -> tuple[Decimal, ...] | None:
    expected, answer = theirs(*question), ours(*question)
    assert answer == expected, question
    return answer


def narrowing(draw: Any, whole: int, parts: list[str]) -> Iterator[tuple[str, int]]:
    """Amounts of parts that are in the whole together."""
    left = whole
    for part in parts:
        taken = draw(st.one_of(st.none(), st.integers(0, left)))
        if taken is not None:
            left -= taken
            yield part, taken


INPUT_KINDS = ["audio", "image", "video", "tool"]
amounts = st.one_of(
    st.integers(0, 3_000_000),
    st.sampled_from([step + more for step in STEPS for more in (-1, 0, 1)]),
    st.integers(0, 10**24),
)
seconds = st.one_of(st.integers(0, 100_000), st.floats(0, 1e6), st.decimals(0, 1_000_000, places=3))


@st.composite
def consistent(draw: Any) -> dict[str, Any]:
    values = {"input_tokens": draw(amounts), "output_tokens": draw(amounts)}
    for side, kinds in (("input", INPUT_KINDS), ("output", ["audio", "image", "reasoning", "citation"])):
        values.update(narrowing(draw, values[f"{side}_tokens"], [f"{side}_{kind}_tokens" for kind in kinds]))
    cached = {}
    for kind in ("audio", "image"):
        most = values.get(f"input_{kind}_tokens", 0)
        cached.update(narrowing(draw, most, [f"cache_{kind}_read_tokens"]))
    values.update(cached)
    parts = sum(values.get(f"input_{kind}_tokens", 0) for kind in INPUT_KINDS)
    left = values["input_tokens"] - parts
    text_cached, text_written = draw(st.integers(0, left)), 0
    if draw(st.booleans()):
        values["cache_read_tokens"] = text_cached + sum(cached.values())
        text_written = draw(st.integers(0, left - text_cached))
        values["cache_write_tokens"] = text_written
    values.update(narrowing(draw, text_written, ["cache_write_5m_tokens", "cache_write_1h_tokens"]))
    return {**values, **draw(st.dictionaries(st.sampled_from(FEES), amounts, max_size=3)),
            **draw(st.dictionaries(st.sampled_from(RECORDINGS), seconds))}  # fmt: skip


RECORDINGS = ["audio_seconds", "input_audio_seconds"]
FEES = [name for name in UNITS if not name.endswith("_tokens") and name not in RECORDINGS]
anything = st.dictionaries(st.sampled_from(UNITS), st.one_of(amounts, seconds), min_size=1, max_size=6)
usages = st.one_of(consistent(), consistent(), anything)
moments = st.one_of(
    st.just(NOW),
    st.sampled_from(EDGES),
    st.sampled_from(EDGES).map(lambda at: at.replace(tzinfo=None)),
    st.sampled_from(EDGES).map(lambda at: at.astimezone(timezone(timedelta(hours=-9, minutes=30)))),
    st.timedeltas(timedelta(-1000), timedelta(500)).map(NOW.__add__),
)
often = settings(max_examples=examples(1000), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def tool() -> Any:
    path = prices.BUILT_IN.parents[3] / "tools" / "make_prices.py"
    spec = importlib.util.spec_from_file_location("make_prices", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_of_the_installed_release() -> None:
    release = version("genai-prices")
    assert OURS.table.version.startswith(f"genai-prices {release} "), "run `make prices`"
    text = prices.BUILT_IN.read_text("utf-8")
    made = json.loads(text.partition("\n")[0])["made"]
    assert tool().table(providers, f"genai-prices {release}", made) == text, "run `make prices`"


def test_a_table_from_downloaded_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiers = {"base": 1, "tiers": [{"start": 100, "price": 3}]}
    night = {"constraint": {"start_time": "22:00:00Z", "end_time": "06:00:00Z"}, "prices": {"input_mtok": 0.5}}
    models = [
        {"id": "a", "match": {"or": [{"equals": "a b"}, {"starts_with": "A"}]}, "prices": {"input_mtok": tiers}},
        {"id": "n", "match": {"equals": "n"}, "prices": [{"prices": {"input_mtok": 4}}, night]},
    ]
    data = tmp_path / "data.json"
    data.write_text(json.dumps([{"id": "new", "name": "New", "api_pattern": "https://new", "models": models}]))
    out = tmp_path / "table.txt"
    monkeypatch.setattr(sys, "argv", ["make_prices", "--data", str(data), "--out", str(out)])
    tool().main()
    table = Table(out)
    table.check()
    made = prices.Prices(table)
    late = NOW.replace(hour=23)
    costs = [made.price("new", model, prices.Usage(101, 0), when) for model, when in
             (("a b", NOW), ("ax", NOW), ("n", NOW), ("n", late), ("b", NOW))]  # fmt: skip
    assert [cost and cost.total * 1_000_000 for cost in costs] == [303, 303, 404, Decimal("50.5"), None]


def plain(number: int) -> dict[str, Any]:
    """A usage that has something of everything, each part within its whole."""
    return {
        "input_tokens": 150_000 * number, "output_tokens": 70_000, "cache_read_tokens": 30_001,
        "cache_write_tokens": 7_003, "cache_write_5m_tokens": 3_001, "cache_write_1h_tokens": 1_009,
        "input_audio_tokens": 5_003, "cache_audio_read_tokens": 1_013, "output_audio_tokens": 2_003,
        "input_image_tokens": 4_001, "cache_image_read_tokens": 991, "output_image_tokens": 907,
        "input_video_tokens": 809, "output_video_tokens": 401, "output_reasoning_tokens": 10_007,
        "output_citation_tokens": 503, "audio_seconds": 61.5, "input_audio_seconds": 61.5,
        **dict.fromkeys(FEES, 17),
    }  # fmt: skip


SIMPLE = {"input_tokens": 1234, "output_tokens": 567}


@pytest.mark.slow
@pytest.mark.parametrize("usage", [SIMPLE, pytest.param(plain(1), marks=pytest.mark.slow)], ids=["simple", "plain"])
def test_every_model_under_every_name(usage: dict[str, Any]) -> None:
    priced = sum(same(provider, reference, usage, NOW, None) is not None for provider, reference in REFERENCES)
    assert len(REFERENCES) > 4000
    assert priced > 0.95 * len(REFERENCES)


@pytest.mark.slow
def test_every_unit_that_has_a_price_is_billed() -> None:
    billed = {
        key
        for provider in providers
        for model in provider.models
        if same(provider.id, model.id, plain(1), NOW, None)
        for key, value in vars(model.get_prices(NOW)).items()
        if value is not None
    }
    assert billed == set(PRICED)


def test_short_recordings() -> None:
    for model in next(one for one in providers if one.id == "groq").models:
        for unit in RECORDINGS:
            for length in (0, 3, 9.5, 10, 11):
                same("groq", model.id, {**SIMPLE, unit: length}, NOW, None)
    assert ours("groq", "whisper-large-v3", {"audio_seconds": 3}, NOW, None) is not None


def test_a_seller_of_others_models_has_no_special_prices() -> None:
    seen = set()
    for seller in providers:
        for other in seller.fallback_model_providers or ():
            for model in next(one for one in providers if one.id == other).models:
                for variant in model.price_variants or ():
                    at = [NOW] if not variant.constraint else [NOW, *edges_of(variant.constraint)]
                    seen.update(same(seller.id, model.id, SIMPLE, when, variant.when) for when in at)
    assert len(seen - {None}) > 10


def test_days_without_dashes() -> None:
    found = 0
    for provider, reference in REFERENCES:
        compact = re.sub(r"-(20\d\d)-(\d\d)-(\d\d)$", r"-\1\2\3", reference)
        if compact != reference:
            found += same(provider, compact, SIMPLE, NOW, None) is not None
    assert found > 10


@pytest.mark.slow
def test_every_price_at_every_edge_of_time_and_size() -> None:
    for provider in providers:
        for model in provider.models:
            if not isinstance(model.prices, list) and not model.price_variants:
                continue
            alternatives = [*(model.prices if isinstance(model.prices, list) else []), *(model.price_variants or [])]
            when = {NOW, *(at for one in alternatives if one.constraint for at in edges_of(one.constraint))}
            contexts = [None, *(variant.when for variant in model.price_variants or ())]
            for at in when:
                for context in contexts:
                    for number in (1, 2, 7):
                        same(provider.id, model.id, plain(number), at, context)


def edges_of(constraint: Any) -> list[datetime]:
    if isinstance(constraint, types.StartDateConstraint):
        midnight = datetime.combine(constraint.start_date, datetime.min.time(), timezone.utc)
        return [midnight, midnight - timedelta(microseconds=1)]
    return [datetime.combine(NOW, time) + timedelta(microseconds=more)
            for time in (constraint.start_time, constraint.end_time) for more in (-1, 0)]  # fmt: skip


@pytest.mark.slow
@often
@given(st.sampled_from(REFERENCES), usages, moments, st.sampled_from(CONTEXTS))
def test_generated_usages(
    reference: tuple[str, str], values: dict[str, Any], when: datetime, context: dict[str, str] | None
) -> None:
    provider, model = reference
    same(provider, model, values, when, context)


SELLERS = [provider.id for provider in providers]
names = st.one_of(
    st.sampled_from(SELLERS),
    st.sampled_from(
        ["litellm", "LiteLLM", "Bedrock", "amazon", "vertex", "together_ai", "xai", "nobody", " openai ", ""]
    ),
)
models = st.one_of(
    st.sampled_from(REFERENCES).map(lambda one: one[1]),
    st.sampled_from(REFERENCES).map(lambda one: one[1].upper()),
    st.sampled_from(REFERENCES).map("/".join),
    st.tuples(
        st.sampled_from(REFERENCES), st.sampled_from(["-20251211", "-20250230", "-20251211-v1", ":free", "x"])
    ).map(lambda one: one[0][1] + one[1]),
    st.text(max_size=8),
)


@often
@given(st.one_of(st.none(), names.filter(bool)), models)
def test_any_provider_with_any_model(provider: str | None, model: str) -> None:
    same(provider, model, {"input_tokens": 1000, "output_tokens": 77}, NOW, None)


URLS = [
    "https://api.openai.com/v1", "https://example.openai.azure.com/openai", "https://api.anthropic.com",
    "https://bedrock-runtime.us-east-1.amazonaws.com", "https://generativelanguage.googleapis.com/v1beta",
    "https://us-central1-aiplatform.googleapis.com", "https://api.groq.com/openai/v1", "https://api.x.ai/v1",
    "https://router.huggingface.co/groq/openai/v1", "https://openrouter.ai/api/v1", "https://api.mistral.ai",
    "https://api.together.xyz/v1", "https://api.deepseek.com", "https://example.org/v1", "http://127.0.0.1:8000",
]  # fmt: skip


@often
@given(st.sampled_from(URLS), models)
def test_any_address_with_any_model(url: str | None, model: str) -> None:
    same(None, model, {"input_tokens": 1000, "output_tokens": 77}, NOW, None, url)


def test_precision_of_the_thread_does_not_matter() -> None:
    import decimal

    expected = ours("openai", "gpt-4o", plain(1), NOW, None)
    with decimal.localcontext(decimal.Context(prec=2)):
        assert ours("openai", "gpt-4o", plain(1), NOW, None) == expected
    assert expected[2] > Decimal(0)
