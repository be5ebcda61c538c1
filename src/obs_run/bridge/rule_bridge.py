"""Finds the rules that lines are for; what they do is loaded with the first line that one is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.bridge.rules import SPAN
from obs_run.bridge.spans import end_left

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from logging import LogRecord
    from types import FrameType

    from obs_run.bridge.rule_engine import RuleEngine
    from obs_run.bridge.rule_index import Found, RuleIndex
    from obs_run.capture.foreign_lines import Line


class RuleBridge:
    """Applies the rules of an index to the lines of this process."""

    def __init__(self, index: RuleIndex) -> None:
        self._index = index
        self._engine: RuleEngine | None = None
        self._is_end: Callable[[str, int, FrameType | None], bool] | None = None

    def give_way_to(self, is_end: Callable[[str, int, FrameType | None], bool]) -> None:
        """Have built-in rules make no finished spans of lines that end a span which is open.

        ``is_end`` says that of a place in a file, and the frame that goes on.
        """
        self._is_end = is_end

    def observe(
        self, record: LogRecord, frame: FrameType | None, fields: Mapping[str, Any] | None = None
    ) -> Callable[[], object] | None:
        """Begin what a record begins; return what is to be done when it is captured, None where no rule is for it.

        ``fields`` came with it besides its own.
        """
        if self._engine is not None:
            self._engine.end_expired()
        found = self._index.find(record, fields)
        if found is not None and self._is_end is not None and _are_finished_spans(found):
            found = None if self._is_end(record.pathname, record.lineno, frame) else found
        if found is None:
            if self._engine is not None:
                end_left(frame)
            return None
        if self._engine is None:
            # It loads OpenTelemetry.
            from obs_run.bridge.rule_engine import RuleEngine

            self._engine = RuleEngine(self._index)
        return self._engine.read(record, found, frame)

    def observe_line(self, line: Line, frame: FrameType | None) -> Callable[[], object] | None:
        """Do the same for a line that another library writes."""
        record: Any = _RecordOfLine(line)
        return self.observe(record, frame, line.fields)


def _are_finished_spans(found: Found) -> bool:
    """Whether built-in rules make spans of a line that tells how long they took."""
    return all(rule.become == SPAN and not rule.where for rule, _ in found.read)


class _RecordOfLine:
    """A line of another library, as the logging module has its records."""

    args = ()

    def __init__(self, line: Line) -> None:
        self.pathname, self.lineno, self.funcName = line.place
        self.levelno, self.levelname, self.name = line.level, line.level_name, line.scope
        self.msg = line.text
        error = line.error
        self.exc_info = None if error is None else (type(error), error, error.__traceback__)
