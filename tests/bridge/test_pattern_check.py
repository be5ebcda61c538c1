from __future__ import annotations

import re
import time

import pytest

from obs_run.bridge import pattern_check
from obs_run.bridge.pattern_check import DangerousError

HARMLESS = [
    r"Executing task (?P<task_id>\w+): (?P<what>.*)",
    r"Task (?P<n>[\w.]+)\[(?P<id>[0-9a-f-]+)\] succeeded in (?P<duration>[\d.]+s): (.*)",
    r'^(?P<ip>\S+) - - \[(?P<t>[^\]]+)\] "(?P<m>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<s>\d{3}) (\d+|-)$',
    r"in (?P<duration>\d+(?:\.\d+)? ?(?:ms|s|min))",
    r"(?:\w+, )*\w+ done",
    r"^\[(?P<id>[^\]]+)\] (?P<m>GET|POST|PUT) (?P<p>\S+)$",
    r"Setup of domain (.+) took (?P<duration>[\d.]+) seconds",
    r"Loaded model '(?P<m>[^']*)' in (?P<duration>[\d.]+ seconds)",
    r"(a|b)*c",
    r"(?i)loading (?P<x>.*?) from (?P<y>.*)$",
    r"(?:(?:\d{1,3}\.){3}\d{1,3}) ok",
    r"^(\w+\.)*\w+ ok",
]
DANGEROUS = [
    r"(a+)+$",
    r"(a|a)*b",
    r"(a|aa)+$",
    r"(.*)*x",
    r"(\w+\s?)*:",
    r"(.*),(.*),(.*),(.*),(.*)$",
    r"(x+x+)+y",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r".*.*.*.*=.*",
    r"(?:\w+)*done",
    r"(\s*\w*\s*)*end",
    r"\d+\d+\d+\d+x",
    r"(a?){30}a{30}",
    r"(?:a|b|ab)*c",
    r"(?:.{1,50}){1,50}x",
    r"(?:(a)|\1)*b",
    "a" * 2000,
]


@pytest.mark.parametrize("pattern", HARMLESS)
def test_patterns_as_people_write_them_pass(pattern: str) -> None:
    pattern_check.check(pattern)
    # And rightly so.
    for text in ("a" * 2000, "Setup of domain " * 125, "loading a from " * 133, "1." * 1000, "a, " * 666, " " * 2000):
        began = time.process_time()
        re.search(pattern, text)
        assert time.process_time() - began < 5


@pytest.mark.parametrize("pattern", DANGEROUS)
def test_patterns_that_may_run_away_are_refused(pattern: str) -> None:
    with pytest.raises(DangerousError):
        pattern_check.check(pattern)


@pytest.mark.parametrize("pattern", ["[[a]", "[a--b]", "[[", "[[\\", "a(", "(?P<1>a)"])
def test_no_pattern_and_one_that_python_warns_of(pattern: str) -> None:
    with pytest.raises(re.error):
        pattern_check.check(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^Task (?P<n>\w+)\[(\d+)\] succeeded in ", "] succeeded in "),
        (r"(?:GET|POST) /", " /"),
        (r"(?P<a>Executing) task", "Executing"),
        (r"(?:optional)?x", "x"),
        (r"(?i)loading", ""),
        (r"\d+", ""),
    ],
)
def test_what_every_match_holds(pattern: str, text: str) -> None:
    assert pattern_check.required_text(pattern) == text
