"""Traces drawn in text: a line a span, a character a microsecond, depth by indentation.

::

    a   |==========         the root
      b | ===   client      a child of kind client
      ?c|      ===          a child whose parent is missing
      d |   ===~            one without an end
      e |  ===  @host       one of another host
"""

from __future__ import annotations

import re
from typing import Any

from obs_run.analysis import trace_tree
from obs_run.telemetry.records import KINDS, Span

UNIT = 1000
AT = 1_790_000_000_000_000_000
_LINE = re.compile(r"(?P<indent> *)(?P<lost>\??)(?P<name>\w+) *\|(?P<before> *)(?P<bar>=*)(?P<open>~?)(?P<rest>.*)")


def span(span_id: str, start: float, end: float | None, parent: str | None = None, **fields: Any) -> Span:
    """Return a span of so many units from the moment of the tests."""
    given: dict[str, Any] = {
        "trace_id": "1" * 32,
        "span_id": span_id,
        "parent_id": parent,
        "name": span_id,
        "kind": "internal",
        "start_ns": AT + int(start * UNIT),
        "end_ns": None if end is None else AT + int(end * UNIT),
        "status": "unset",
        "status_text": None,
        "unfinished": end is None,
        "service": "agent",
    }
    return Span(**(given | fields))


def spans(drawn: str) -> list[Span]:
    """Return the spans of a drawing."""
    above: list[tuple[int, str]] = []
    made = []
    for text in drawn.strip("\n").splitlines():
        line = _LINE.fullmatch(text.rstrip())
        assert line, text
        depth = len(line["indent"])
        above = [(place, name) for place, name in above if place < depth]
        parent = "missing" if line["lost"] else above[-1][1] if above else None
        above.append((depth, line["name"]))
        start = len(line["before"])
        fields: dict[str, Any] = {}
        for word in line["rest"].split():
            if word.startswith("@"):
                fields["resource"] = {"host.name": word[1:]}
            else:
                assert word in KINDS, word
                fields["kind"] = word
        end = None if line["open"] else start + len(line["bar"])
        made.append(span(line["name"], start, end, parent, **fields))
    return made


def tree(drawn: str) -> trace_tree.Tree:
    """Return the tree of a drawing."""
    return trace_tree.build(spans(drawn))
