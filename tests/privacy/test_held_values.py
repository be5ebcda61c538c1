"""Finding exact strings by a piece and a hash."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from obs_run.base import held_values

if TYPE_CHECKING:
    from collections.abc import Iterator


VALUES = ["quiet-Otter-77", "otter=river.walks", "x" * 19 + "1", "p@ss/w0rd+1", "Abcdefgh-ijKL"]
COMMON = ["development", "true", "12345678", "2026-11-29", "/etc/ssl/key.pem", "https://a.example/x1", "not-needed", ""]


@pytest.fixture(autouse=True)
def _none_held() -> Iterator[None]:
    held = dict(held_values.noted), {piece: set(values) for piece, values in held_values._by_piece.items()}
    held_values.forget()
    yield
    held_values.forget()
    held_values.noted.update(held[0])
    held_values._by_piece.update(held[1])


def masked(text: str) -> str:
    """Return ``text`` with a star for each held value."""
    return held_values.masked(text, "*")


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_found_wherever_it_stands(value: str) -> None:
    held_values.hold(value)
    assert masked(f"{value} and {value}{value}, not {value[:-1]}") == f"* and **, not {value[:-1]}"
    assert masked("nothing here") == "nothing here"
    assert masked(f"ümläut {value}") == "ümläut *"


def test_a_value_is_found_as_addresses_have_it() -> None:
    held_values.hold("p@ss/w0rd+1")
    assert masked("https://x/?p=p%40ss%2Fw0rd%2B1") == "https://x/?p=*"


@pytest.mark.parametrize(
    "value",
    [
        "development",
        "true",
        "12345678",
        "2026-11-29",
        "/etc/ssl/key.pem",
        "https://a.example/x1",
        "not-needed",
        "",
        "EMPTY",
    ],
)
def test_what_stands_elsewhere_too_is_not_held(value: str) -> None:
    held_values.hold(value)
    assert masked(f"a {value} b") == f"a {value} b"


@pytest.mark.parametrize("value", [None, 7, ["quiet-Otter-77"], b"quiet-Otter-77", object()])
def test_what_is_no_text_is_ignored(value: object) -> None:
    held_values.hold(value)
    assert masked("quiet-Otter-77") == "quiet-Otter-77"


def test_of_very_many_values_the_last_are_held() -> None:
    before = held_values.changes()
    for number in range(1000):
        held_values.hold(f"quiet-Otter-{number:04}")
    assert held_values.changes() == before + 1000
    assert masked("quiet-Otter-0999") == "*"
    assert masked("quiet-Otter-0001") == "quiet-Otter-0001"
    assert len(held_values.noted) < 300


@pytest.mark.slow
def test_the_time_grows_with_the_length_and_no_faster() -> None:
    held_values.hold("aB1" * 300)

    def seconds(length: int) -> float:
        text = ("aB1" * length)[:length]
        began = time.thread_time()
        list(held_values.find(text.encode()))
        return time.thread_time() - began

    short = seconds(12_000)
    assert seconds(96_000) < max(0.5, 24 * short)
