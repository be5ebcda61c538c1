from __future__ import annotations

from typing import Any

import pytest

from obs_run.pipeline import redact_commands
from obs_run.pipeline.redact import Redaction
from tests.unit.scrubbers import Small


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("agent.py", "--password", "hunter2", "go"), ("agent.py", "--password", "[password]", "go")),
        (("agent.py", "--password=hunter2"), ("agent.py", "--password=[password]")),
        (("agent.py", "-password", "-x"), ("agent.py", "-password", "[password]")),
        (("agent.py", "password=hunter2"), ("agent.py", "password=[password]")),
        (("agent.py", "--dropped", "x", "--dropped=y"), ("agent.py", "--dropped", "?", "--dropped=?")),
        (("agent.py", "--key", "SECRET1"), ("agent.py", "--key", "[secret]")),
        (
            ("agent.py", "--verbose", "--password", "--", "x"),
            ("agent.py", "--verbose", "--password", "[password]", "x"),
        ),
    ],
)
def test_what_an_option_names_is_scrubbed(given: tuple[str, ...], expected: tuple[str, ...]) -> None:
    told = Redaction(Small()).attributes({"process.command_args": given})
    assert told == {"process.command_args": expected}


@pytest.mark.parametrize(
    "given", [("agent.py", "--verbose", "go", "-n", "3", "="), (), ("-", "--", "--a=b"), "x --y z"]
)
def test_other_arguments_are_the_same_object(given: Any) -> None:
    assert redact_commands.arguments(given, Small()) is given


def test_a_command_line_is_told_in_its_words() -> None:
    line = "python agent.py --password 'a b' \"the end\""
    assert redact_commands.line(line, Small()) == "python agent.py --password '[password]' 'the end'"
    assert redact_commands.line("python it's", Small()) == "python it's"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "SELECT * FROM users WHERE password = 'hunter2' AND n = 5",
            "SELECT * FROM users WHERE password = ? AND n = 5",
        ),
        ("SELECT 'it''s', \"Column\"", 'SELECT ??, "Column"'),
        ("SELECT 'a\\'b', c FROM t WHERE d = 'e'", "SELECT ?"),
        ("SELECT 'no end", "SELECT ?"),
        ("DO $tag$ it's $$ all $tag$ AND $1", "DO ? AND $1"),
        ("SELECT $$x$$", "SELECT ?"),
        ("SELECT %s", "SELECT %s"),
        ('{"find": "users", "filter": {"name": "it\'s"}}', '{"find": "users", "filter": {"name": "it\'s"}}'),
    ],
)
def test_literals_of_queries_are_left_out(given: str, expected: str) -> None:
    told = Redaction(Small()).attributes({"db.query.text": given, "db.statement": given})
    assert told == {"db.query.text": expected, "db.statement": expected}
