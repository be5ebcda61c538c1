"""Secrets where only their place tells what they are: behind an option of a command line, in the literal of a query."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obs_run.pipeline.scrubber import Scrubber

_WITHHELD = "?"
_LITERAL = re.compile(r"'[^']*(?:'|\Z)|(\$\w*\$).*?(?:\1|\Z)", re.DOTALL)


def arguments(given: Any, scrubber: Scrubber) -> Any:
    """Return a program's arguments: what ``--password x``, ``--password=x`` and ``PASSWORD=x`` name is scrubbed."""
    if not isinstance(given, (list, tuple)):
        return line(given, scrubber)
    told = list(given)
    option = None
    for place, word in enumerate(given):
        if not isinstance(word, str):
            option = None
            continue
        name, equals, value = word.partition("=")
        bare = name.lstrip("-")
        if equals and bare:
            told[place] = _named(bare, value, word, name + equals, scrubber)
            option = None
        elif word.startswith("-") and bare and not _is_secret(option, word, scrubber):
            option = bare
        else:
            told[place] = word if option is None else _named(option, word, word, "", scrubber)
            option = None
    return given if told == list(given) else tuple(told)


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


def line(given: Any, scrubber: Scrubber) -> Any:
    """Return a command line as ``arguments`` has its words."""
    if not isinstance(given, str):
        return given
    try:
        words = shlex.split(given)
    except ValueError:  # a quotation without its end
        words = given.split()
    told = arguments(tuple(words), scrubber)
    return given if told == tuple(words) else shlex.join(told)


def query(given: Any, scrubber: Scrubber) -> Any:  # noqa: ARG001 (one signature for all)
    """Return SQL with a question mark for each quoted literal, as the database conventions want it.

    Source: OpenTelemetry semantic conventions 1.41, database spans, "Sanitization of db.query.text".
    """
    if not isinstance(given, str) or given[:1] in ("{", "["):
        return given
    text = given
    if "\\'" in text:
        # Whether a backslash keeps the quotation open is the database's own affair: nothing between may be seen.
        first, last = text.index("'"), text.rindex("'")
        text = f"{text[:first]}{_WITHHELD}{text[last + 1 :]}"
    return _LITERAL.sub(_WITHHELD, text) if "'" in text or "$" in text else text
