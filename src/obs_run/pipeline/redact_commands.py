"""Secrets where only their place tells what they are: behind an option of a command line, in the literal of a query."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obs_run.pipeline.scrubber import Scrubber

_WITHHELD = "?"
_LITERAL = re.compile(r"'[^']*(?:'|\Z)|(\$\w*\$).*?(?:\1|\Z)", re.DOTALL)


def arguments(words: Any, scrubber: Scrubber) -> Any:
    """Return a program's arguments: what ``--password x``, ``--password=x`` and ``PASSWORD=x`` name is scrubbed."""
    if not isinstance(words, (list, tuple)):
        return line(words, scrubber)
    result = list(words)
    option = None
    for place, word in enumerate(words):
        if not isinstance(word, str):
            option = None
            continue
        name, equals, value = word.partition("=")
        bare = name.lstrip("-")
        if equals and bare:
            result[place] = _named(bare, value, word, name + equals, scrubber)
            option = None
        elif word.startswith("-") and bare and not _is_secret(option, word, scrubber):
            option = bare
        else:
            result[place] = word if option is None else _named(option, word, word, "", scrubber)
            option = None
    return words if result == list(words) else tuple(result)


def _named(name: str, value: str, word: str, before: str, scrubber: Scrubber) -> str:
    one = {name: value}
    scrubbed = scrubber.attributes(one)
    return word if scrubbed is one else f"{before}{scrubbed.get(name, _WITHHELD)}"


def _is_secret(option: str | None, word: str, scrubber: Scrubber) -> bool:
    """Whether a word that looks like an option is the value of the one before: passwords may begin with a dash."""
    if option is None:
        return False
    one = {option: word}
    return scrubber.attributes(one) is not one


def line(command_line: Any, scrubber: Scrubber) -> Any:
    """Return a command line as ``arguments`` has its words."""
    if not isinstance(command_line, str):
        return command_line
    try:
        words = shlex.split(command_line)
    except ValueError:  # a quotation without its end
        words = command_line.split()
    scrubbed = arguments(tuple(words), scrubber)
    return command_line if scrubbed == tuple(words) else shlex.join(scrubbed)


def query(statement: Any, scrubber: Scrubber) -> Any:  # noqa: ARG001 (one signature for all)
    """Return SQL with a question mark for each quoted literal, as the database conventions want it.

    Source: OpenTelemetry semantic conventions 1.41, database spans, "Sanitization of db.query.text".
    """
    if not isinstance(statement, str) or statement[:1] in ("{", "["):
        return statement
    text = statement
    if "\\'" in text:
        # Whether a backslash keeps the quotation open is the database's own affair: nothing between may be seen.
        first, last = text.index("'"), text.rindex("'")
        text = f"{text[:first]}{_WITHHELD}{text[last + 1 :]}"
    return _LITERAL.sub(_WITHHELD, text) if "'" in text or "$" in text else text
