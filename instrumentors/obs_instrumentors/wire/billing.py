"""What is paid for beside tokens, and what an answer says that it cost."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from obs_run.base import payload

if TYPE_CHECKING:
    from obs_run.core.operations import ModelCall

_TICKS_A_DOLLAR = 10**10  # xAI's unit of money
_SEARCHES = (
    # Anthropic's name, which OpenRouter has too, and Perplexity's.
    ("server_tool_use", "web_search_requests"),
    ("num_search_queries",),
    # xAI's.
    ("server_side_tool_usage_details", "web_search_calls"),
)
_SOCIAL_SEARCHES = ("server_side_tool_usage_details", "x_search_calls")
_CITATIONS = "citation_tokens"
_COST_FIELDS = frozenset({"cost", "cost_in_usd_ticks", "estimated_cost"})
_UNIT_FIELDS = frozenset({*(path[0] for path in _SEARCHES), _SOCIAL_SEARCHES[0], _CITATIONS})


def read_cost(operation: ModelCall, raw_usage: dict[str, Any]) -> None:
    """Read the money in US dollars that a provider says it takes, in the place of a price by the table."""
    if _COST_FIELDS.isdisjoint(raw_usage):
        return
    told = raw_usage.get("cost")
    cost: dict[str, float] = {}
    if _amount(told) is not None:
        cost["total"] = _amount(told) or 0.0
        upstream = _amount(payload.get(raw_usage, "cost_details", "upstream_inference_cost"))
        if upstream is not None and payload.get(raw_usage, "is_byok") is True:
            # With a key of the agent's own OpenRouter takes a fee, and the provider its price.
            cost["total"] += upstream
    elif told is not None:
        for side, name in (("total", "total_cost"), ("input", "input_tokens_cost"), ("output", "output_tokens_cost")):
            amount = _amount(payload.get(told, name))
            if amount is not None:
                cost[side] = amount
    else:
        ticks = _amount(payload.get(raw_usage, "cost_in_usd_ticks"))
        total = _amount(payload.get(raw_usage, "estimated_cost")) if ticks is None else ticks / _TICKS_A_DOLLAR
        if total is not None:
            cost["total"] = total
    if "total" in cost:
        operation.reported_cost = cost


def _amount(value: Any) -> float | None:
    amount = payload.as_float(value)
    return amount if amount is not None and isfinite(amount) and amount >= 0 else None


def read_units(operation: ModelCall, raw_usage: dict[str, Any]) -> None:
    """Read the searches and citations that a usage tells beside its tokens."""
    if _UNIT_FIELDS.isdisjoint(raw_usage):
        return
    for path in _SEARCHES:
        add_units(operation, "web_searches", payload.get_int(raw_usage, *path))
    add_units(operation, "social_searches", payload.get_int(raw_usage, *_SOCIAL_SEARCHES))
    add_units(operation, "output_citation_tokens", payload.get_int(raw_usage, _CITATIONS))


def add_units(operation: ModelCall, unit: str, count: float | None) -> None:
    """Note how much was used of a unit that the table of prices knows, in the place of what was noted before."""
    if count is not None and count > 0:
        operation.billed_units = {**(operation.billed_units or {}), unit: count}


def add_seconds(operation: ModelCall, seconds: float | None) -> None:
    """Note how long the recording is that the model heard; the table has prices under both names."""
    add_units(operation, "audio_seconds", seconds)
    add_units(operation, "input_audio_seconds", seconds)
