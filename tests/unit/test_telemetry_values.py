from __future__ import annotations

import json
import math
import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_run.telemetry.values import clean, decode, encode

TEXT = st.one_of(
    st.text(), st.text(st.characters(exclude_categories=())), st.sampled_from(["$bytes", "$float", "$map"])
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), TEXT, st.binary(max_size=20)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=15,
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)


def refused(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@given(VALUES)
def test_every_value_comes_back_from_valid_json_that_sqlite_holds(value: Any) -> None:
    text = encode(value)
    json.loads(text, parse_constant=refused)
    connection = sqlite3.connect(":memory:")
    (kept,) = connection.execute("SELECT json(?1) IS NOT NULL AND json_valid(?1)", (text,)).fetchone()
    (back,) = connection.execute("SELECT ?", (text,)).fetchone()
    connection.close()
    assert kept == 1
    assert same(decode(back), value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": (1, 2.5, True, None)}, '{"a":[1,2.5,true,null]}'),
        (b"\x00\xff", '{"$bytes":"AP8="}'),
        ([math.inf, -math.inf, math.nan], '[{"$float":"inf"},{"$float":"-inf"},{"$float":"nan"}]'),
        ({"$bytes": "mine"}, '{"$map":{"$bytes":"mine"}}'),
        ("é", '"é"'),
        ({1: {"x"}}, '{"1":["x"]}'),
        (object, "\"<class 'object'>\""),
    ],
)
def test_how_a_value_is_written(value: Any, text: str) -> None:
    assert encode(value) == text


def test_a_value_that_is_too_deep_is_cut() -> None:
    deep: Any = "bottom"
    for _ in range(100_000):
        deep = [deep]
    text = encode(deep)
    assert "nested too deep" in text
    assert "bottom" not in text


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_can_be_stored(text: str) -> None:
    assert clean(text).encode().decode() == clean(text)
