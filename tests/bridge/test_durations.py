from __future__ import annotations

import pytest

from obs_run.bridge import durations

PARSED = {
    "3.2s": 3.2,
    "120 ms": 0.12,
    "1h 2min": 3720.0,
    "1m 3.5s": 63.5,
    "0:01:05.5": 65.5,
    "3,2 Sekunden": 3.2,
    "12µs": 12e-6,
    "450 msecs": 0.45,
    "1 day, 0:00:01": 86401.0,
    "1e-3 s": 1e-3,
    "5 minutes": 300.0,
    "2 hours": 7200.0,
    "0:12": 12.0,
    "2 parsecs": None,
    "": None,
    "s": None,
    "5": None,
    "999 days": None,
    "10 tokens": None,
    "1s 2": None,
}
FOUND = {
    "Loaded in 3.2s": 3.2,
    "took 120 ms": 0.12,
    "GET / 200 (12ms)": 0.012,
    "Task done in 1m 3s.": 63.0,
    "Dream cycle completed in 3.20 seconds": 3.2,
    "Duration: 12.30ms": 0.0123,
    "finished in 0:00:12": 12.0,
    "Response took 0.5s, timeout 5s": 0.5,
    "Instant response time: 0.123s": 0.123,
    "[0.35s] ok": 0.35,
    "timeout: 5s": None,
    "retrying in 2s": None,
    "uptime 5 h": None,
    "Avg response time: 0.1s": None,
    "idle for 5s": None,
    "sleeping for 30 minutes": None,
    "X complete, sleeping for 30 minutes": None,
    "Failed after 3 attempts": None,
    "in 3 steps": None,
    "timed out after 30 s": None,
    "next run in 5s": None,
    "waiting up to 3s": None,
    "ETA: in 5 min": None,
    "completed in 200 tokens": None,
    "Recording for 5 seconds": None,
}


@pytest.mark.parametrize("text", PARSED)
def test_durations_are_parsed(text: str) -> None:
    assert durations.parse(text) == pytest.approx(PARSED[text])


@pytest.mark.parametrize("text", FOUND)
def test_measured_durations_are_found_and_look_alikes_are_not(text: str) -> None:
    assert durations.find(text) == pytest.approx(FOUND[text])


def test_a_bare_number_has_the_unit_that_is_given() -> None:
    assert durations.parse("250", "ms") == 0.25
