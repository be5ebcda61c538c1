from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage
from opentelemetry.baggage import propagation
from opentelemetry.context import Context

from obs_run.coexistence import baggage as ours
from obs_run.pipeline import redact
from obs_run.pipeline.redact import Redaction
from tests.unit.scrubbers import Failing, Small

if TYPE_CHECKING:
    from collections.abc import Mapping

PROPAGATOR = propagation.W3CBaggagePropagator


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_shared", Redaction(Small()))
    monkeypatch.setattr(redact, "_is_loaded", True)
    # Whatever a test before did, it begins as the library has it.
    original = getattr(PROPAGATOR.inject, "__wrapped__", PROPAGATOR.inject)
    monkeypatch.setattr(PROPAGATOR, "inject", original)
    ours.install(propagation)


def _sent(entries: Mapping[str, Any]) -> dict[str, str]:
    context = Context()
    for name, value in entries.items():
        context = baggage.set_baggage(name, value, context)
    carrier: dict[str, str] = {}
    PROPAGATOR().inject(carrier, context)
    assert dict(baggage.get_all(context)) == entries, "the agent's own context stays as it is"
    return carrier


def test_entries_in_which_something_is_found_are_not_sent() -> None:
    entries = {"user": "ada", "key": "a SECRET1", "password": "x", "SECRET2": "y", "tenant": 7}
    assert _sent(entries) == {"baggage": "user=ada,tenant=7"}


def test_nothing_is_sent_where_nothing_is_left() -> None:
    assert _sent({"password": "x"}) == {}


def test_nothing_is_sent_without_a_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_shared", Redaction(Failing()))
    assert _sent({"user": "ada", "mood": "unlucky"}) == {}


def test_the_propagator_is_watched_once() -> None:
    watched = PROPAGATOR.inject
    ours.install(propagation)
    assert PROPAGATOR.inject is watched


def test_nothing_is_watched_where_nothing_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    original = PROPAGATOR.inject.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setattr(PROPAGATOR, "inject", original)
    monkeypatch.setenv("OBS_PRIVACY", "none")
    ours.install(propagation)
    assert PROPAGATOR.inject is original
