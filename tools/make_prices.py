"""Write the table of prices from the data of the installed package ``genai-prices`` (``make prices``)."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices import types
from genai_prices.data import providers as bundled
from genai_prices.data_units import unit_data

HERE = Path(__file__).resolve().parent.parent
TABLE = HERE / "src" / "obs_run" / "pipeline" / "price_table.txt"
FORMAT = "obs-prices/1"
# The package bills short recordings by code and not by data: calc_price in its types.py.
SHORTEST_RECORDING = {("groq", "whisper-large-v3"): 10, ("groq", "whisper-large-v3-turbo"): 10}
CODES = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&*+=?"
MARKS = {"equals": "=", "starts_with": "^", "ends_with": "$", "contains": "*", "regex": "~"}

Codes = dict[str, str]


def match(clause: Any) -> str:
    """Write matching logic as marked words of which one must hold, or as JSON where that is not enough."""
    form = _form(clause)
    words = form[1:] if form[0] == "|" else [form]
    if all(isinstance(word, str) and not set(word) & set(" \t\n") for word in words):
        return " ".join(words)
    return _compact(form)


def _form(clause: Any) -> Any:
    ((kind, value),) = vars(clause).items()
    if kind in ("or_", "and_"):
        return ["|" if kind == "or_" else "&", *(_form(part) for part in value)]
    return MARKS[kind] + (value if kind == "regex" else value.lower())


def price(value: Any) -> str:
    """Write one price: its base, then each tier as ``>start:price``."""
    if isinstance(value, types.TieredPrices):
        return "".join([number(value.base), *(f">{tier.start}:{number(tier.price)}" for tier in value.tiers)])
    return number(value)


def number(value: Any) -> str:
    """Write a Decimal as plain digits, so that reading it gives the same number."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def prices(of: Any, codes: Codes) -> str:
    """Write the prices of one model in the order in which they are added up."""
    return " ".join(codes[key] + price(value) for key, value in vars(of).items() if value is not None)


def constraint(of: Any) -> str | None:
    """Write when a price holds: from a day (UTC), or daily between two times (UTC)."""
    if of is None:
        return None
    if isinstance(of, types.StartDateConstraint):
        return of.start_date.isoformat()
    return "-".join(_utc(time) for time in (of.start_time, of.end_time))


def _utc(time: dt.time) -> str:
    if time.tzinfo is not None:
        day = dt.datetime.combine(dt.date(1970, 1, 1), time)
        time = day.astimezone(dt.timezone.utc).time()
    return time.isoformat()


def model(provider: str, of: Any, codes: Codes) -> str:
    """Write one model: its match, its prices, and what it has of the other columns."""
    alternatives = of.prices if isinstance(of.prices, list) else [types.ConditionalPrice(prices=of.prices)]
    columns = [match(of.match), ";".join(_alternative(one, codes) for one in alternatives)]
    variants = [[one.when, _alternative(one, codes)] for one in of.price_variants or ()]
    columns.append(_compact(variants) if variants else "")
    columns.append(str(SHORTEST_RECORDING.get((provider, of.id), "")))
    columns.append(str(of.context_window or ""))
    while not columns[-1] and len(columns) > len(("match", "prices")):
        columns.pop()
    return "\t".join(columns)


def _alternative(one: Any, codes: Codes) -> str:
    holds = constraint(one.constraint)
    return (f"@{holds} " if holds else "") + prices(one.prices, codes)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def table(providers: Any, source: str, made: str) -> str:
    """Return the whole table: a head, and one line for each provider's models."""
    codes = {unit["price_key"]: code for code, unit in zip(CODES, unit_data.values(), strict=False)}
    assert len(codes) == len(unit_data), "more units than codes"
    units = {
        codes[unit["price_key"]]: [name, unit["per"], " ".join("=".join(pair) for pair in unit["dimensions"].items())]
        for name, unit in unit_data.items()
    }
    lines, heads = [], []
    for one in providers:
        line = "".join(model(one.id, entry, codes) + "\n" for entry in one.models)
        assert line.isascii(), f"{one.id}: lengths are counted in bytes"
        lines.append(line)
        matches = [match(clause) if clause else None for clause in (one.model_match, one.provider_match)]
        heads.append([one.id, one.api_pattern, *matches, one.fallback_model_providers or [], len(line)])
    shared = {"format": FORMAT, "source": source, "made": made}
    return "\n".join([_compact(shared)[:-1] + ',"units":' + _compact(units) + ","
                      + '"providers":' + _compact(heads) + "}", *[""]]) + "".join(lines)  # fmt: skip


def main() -> None:
    """Write the table; the day stays when nothing else has changed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, help="a data.json of genai-prices instead of the installed data")
    arguments.add_argument("--out", type=Path, default=TABLE)
    chosen = arguments.parse_args()
    source, providers = f"genai-prices {version('genai-prices')}", bundled
    if chosen.data:
        source = f"{chosen.data.name} of genai-prices"
        providers = types._providers_from_raw(json.loads(chosen.data.read_text("utf-8")))  # noqa: SLF001
    made = dt.datetime.now(dt.timezone.utc).date().isoformat()
    if chosen.out.exists():
        before = chosen.out.read_text("utf-8")
        dated = json.loads(before.partition("\n")[0])["made"]
        if before == table(providers, source, dated):
            made = dated
    text = table(providers, source, made)
    chosen.out.write_text(text, "utf-8")
    print(f"{chosen.out.name}: {source}, {made}, {len(text)} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
