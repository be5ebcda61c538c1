"""Has each line read by rules, and where no rule is for it by the automatic part, whichever library wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.bridge.spans import end_left
from obs_run.capture import foreign_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import LogRecord
    from types import FrameType

    from obs_run.bridge.engine import Bridge
    from obs_run.bridge.rule_bridge import RuleBridge
    from obs_run.capture.foreign_lines import Line

    Finish = Callable[[], object]


class LineReader:
    """Reads the lines of this process."""

    def __init__(self, by_rules: RuleBridge | None, automatic: Bridge | None) -> None:
        self._by_rules = by_rules
        self._automatic = automatic
        if by_rules is not None and automatic is not None:
            by_rules.give_way_to(automatic.is_end)

    def observe(self, record: LogRecord, frame: FrameType | None) -> Finish | None:
        """Begin what a record tells that begins; return what is to be done when it has been captured."""
        # The text of structlog's record is rendered, and has its fields in it.
        noted_line = foreign_lines.find_line(record.pathname, record.lineno, "structlog")
        finish = None
        if self._by_rules is not None:
            finish = None if noted_line is None else self._by_rules.observe_line(noted_line, frame)
            finish = finish or self._by_rules.observe(record, frame)
        if finish is not None or self._automatic is None:
            return finish
        if noted_line is None:
            return self._automatic.observe(record, frame)
        return self._read_automatically(noted_line, foreign_lines.frame_at(*noted_line.place[:2], frame))

    def read(self, line: Line, frame: FrameType) -> Finish | None:
        """Do the same for a line that ``frame`` writes now, past the logging module."""
        finish = None if self._by_rules is None else self._by_rules.observe_line(line, frame)
        return finish or self._read_automatically(line, frame)

    def _read_automatically(self, line: Line, frame: FrameType | None) -> Finish | None:
        if self._automatic is None or frame is None:
            return None
        return self._automatic.read_line(frame, lambda: line.text, lambda: foreign_lines.plain_fields(line.fields))

    def end_left(self, frame: FrameType) -> None:
        """End what was begun in calls that the exception being handled has left."""
        end_left(frame)
