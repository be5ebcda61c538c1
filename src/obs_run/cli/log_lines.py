"""Log lines for people: many that are nearly equal as one, and rulers of signs shortened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.core import semconv
from obs_run.telemetry.values import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from obs_run.telemetry.records import LogLine

FEWEST = 3
"""How many lines that are nearly equal stand as one."""
_VARIABLE = re.compile(r"0[xX][0-9a-fA-F]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d+(?:[.,:]\d+)*")
_RULER = re.compile(r"([^\w\s])\1{9,}")
_SHOWN_OF_RULER = 3


class Repeated(NamedTuple):
    """A log line, and the last of those after it that say nearly the same."""

    line: LogLine
    times: int
    last: LogLine


def body_text(line: LogLine) -> str:
    """Return what the line says."""
    if line.body is None or isinstance(line.body, str):
        return line.body or ""
    return encode(line.body)


def without_rulers(text: str) -> str:
    """Return ``text`` with rows of one sign shortened."""
    return _RULER.sub(lambda row: row[1] * _SHOWN_OF_RULER, text)


def folded(lines: Iterable[LogLine]) -> Iterator[Repeated]:
    """Return lines with those that follow each other and differ in numbers alone as one."""
    run: list[LogLine] = []
    for line in lines:
        if run and _template(line) != _template(run[0]):
            yield from _as_one(run)
            run = []
        run.append(line)
    yield from _as_one(run)


def _as_one(run: list[LogLine]) -> Iterator[Repeated]:
    if len(run) >= FEWEST:
        yield Repeated(run[0], len(run), run[-1])
    else:
        yield from (Repeated(line, 1, line) for line in run)


def _template(line: LogLine) -> tuple[object, ...]:
    scope = line.scope.name if line.scope is not None else None
    kind = line.attributes.get(semconv.EXCEPTION_TYPE)
    return line.severity, line.event_name, scope, line.span_id, kind, _VARIABLE.sub("#", body_text(line))
