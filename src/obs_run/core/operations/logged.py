"""Work of which only the agent's log lines tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from obs_run.core import semconv

from .fields import Described, attribute
from .operation import Operation


@dataclass(eq=False, repr=False)
class LoggedWork(Operation):
    """A piece of work between the line that tells of its beginning and the one that tells of its end.

    ``name`` is the first line in short. No convention knows such spans.
    """

    rule: str | None = attribute(semconv.OBS_BRIDGE_RULE)
    """By which rule it was recognised."""
    evidence: str | None = attribute(semconv.OBS_BRIDGE_EVIDENCE)
    """What speaks for it that its lines belong together, where no rule of anybody's says so."""
    key: str | None = attribute(semconv.OBS_BRIDGE_KEY)
    """The values that the lines share, as ``task_id=7``."""
    file: str | None = attribute(semconv.CODE_FILE_PATH)
    line: int | None = attribute(semconv.CODE_LINE_NUMBER)
    function: str | None = attribute(semconv.CODE_FUNCTION_NAME)
    end: str | None = attribute(semconv.OBS_BRIDGE_END)
    """How its end is known: ``line``, or where that is a guess ``return``, ``next``, ``timeout``."""
    end_line: int | None = attribute(semconv.OBS_BRIDGE_END_LINE)

    KIND: ClassVar[str] = "INTERNAL"


@dataclass(eq=False, repr=False)
class LoggedRequest(LoggedWork):
    """A message that was received, until it is answered or the next one comes; it begins a trace of its own."""

    KIND: ClassVar[str] = "CONSUMER"


@dataclass(eq=False, repr=False)
class LoggedDuration(Described):
    """How long something took, as a line tells; it has no span."""

    rule: str | None = attribute(semconv.OBS_BRIDGE_RULE)


@dataclass(eq=False, repr=False)
class LoggedValue(LoggedDuration):
    """A figure that a line tells."""


@dataclass(eq=False, repr=False)
class LoggedCount(LoggedDuration):
    """So many of what a line tells."""
