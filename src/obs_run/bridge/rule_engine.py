"""Makes spans, events and attributes of the records that rules are for."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from obs_run.bridge import records, rules, traces
from obs_run.bridge.rule_scopes import Scopes, frame_of_statement
from obs_run.bridge.rule_spans import OpenSpans, RuleSpan, end_by_timeout
from obs_run.bridge.spans import LEFT_BY_EXCEPTION, end_left
from obs_run.core import recorder, span_events
from obs_run.core.control_flow import outcome_of
from obs_run.core.operations import LoggedCount, LoggedDuration, LoggedRequest, LoggedValue, LoggedWork
from obs_run.core.semconv import OBS_BRIDGE_RULE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from logging import LogRecord
    from types import FrameType
    from typing import Any

    from opentelemetry.context import Context

    from obs_run.bridge.rule_index import Found, RuleIndex
    from obs_run.bridge.rules import Rule

_ENDS = (rules.END, rules.FAILURE)
_AT_ONCE = (rules.START, rules.EVENT, rules.ATTRIBUTE, rules.METRIC)


class RuleEngine:
    """Does what rules say of the records that they are for."""

    def __init__(self, index: RuleIndex) -> None:
        self._index = index
        self._spans = OpenSpans()
        self._scopes = Scopes(index.rules)

    def end_expired(self) -> None:
        """End the spans whose time is over."""
        deadline = self._spans.next_deadline
        if deadline is None or deadline > recorder.now():
            return
        for span in self._spans.expired(recorder.now()):
            if self._spans.remove(span):
                end_by_timeout(span)

    def read(self, record: LogRecord, found: Found, frame: FrameType | None) -> Callable[[], object]:
        """Begin what a record begins; return what is to be done when it has been captured."""
        # Not the innermost frame, which waits for what is returned here: it would keep all others alive.
        frame = records.frame_of(record, frame)
        if not any(rule.become in _ENDS for rule, _ in found.read):
            # What ends a span says more of its end.
            end_left(frame)
        waiting: list[_Line] = []
        for rule, groups in found.read:
            line = _Line(self, rule, groups, found, record, frame)
            if waiting or rule.become not in _AT_ONCE:
                # A line that ends something is inside of that; what it begins comes after.
                waiting.append(line)
            else:
                self.apply(line)
        return partial(self._apply_all, waiting, frame)

    def _apply_all(self, lines: list[_Line], frame: FrameType | None) -> None:
        for line in lines:
            self.apply(line)
        end_left(frame)

    def apply(self, line: _Line) -> None:
        """Do what the rule of a line says."""
        become = line.rule.become
        if become == rules.START:
            self._begin(line)
        elif become in _ENDS:
            self._end(line)
        elif become == rules.SPAN:
            self._make_span(line)
        elif become == rules.EVENT:
            self._add_event(line)
        elif become == rules.ATTRIBUTE:
            self._describe(line)
        elif become == rules.METRIC:
            _measure(line)

    def _begin(self, line: _Line) -> None:
        rule, frame = line.rule, line.calling_frame()
        key = rule.key_of(line.groups)
        scope = self._scopes.scope_of(rule, frame)
        around = self._parent(line) or self._beside_same(rule, key, frame)
        if rule.is_trace:
            recording = traces.begin(line.operation(key), around, is_certain=True)
        else:
            recording = recorder.start(line.operation(key), around)
        if not isinstance(recording, recorder.Recording):
            return
        span = RuleSpan(rule, recording, key, frame, scope)
        self._spans.add(span)
        span.end_with(frame, partial(self._leave_call, span))
        span.enter(frame)

    def _leave_call(
        self, span: RuleSpan, _activation: object, error: BaseException | None, *, has_raised: bool
    ) -> None:
        """End a span whose call has been left, unless it goes on elsewhere."""
        is_failed = has_raised if error is None else outcome_of(error, {}) is None
        if (span.scope == rules.PROCESS and not is_failed) or not self._spans.remove(span):
            return
        span.recording.operation.end = "return"
        if is_failed and error is None:
            span.fail(None, LEFT_BY_EXCEPTION)
        span.recording.end(error if is_failed else None)

    def _parent(self, line: _Line) -> Context | None:
        """Return the context of the open span that a rule names as the parent, None for what is current."""
        name = line.rule.parent
        rule = None if name is None else self._index.rule(name)
        span = None if rule is None else self._spans.find((rule.name,), rule.key_of(line.groups))
        return None if span is None else span.recording.context

    def _beside_same(self, rule: Rule, key: Mapping[str, str], frame: FrameType | None) -> Context | None:
        """End or step beside a span of the same rule that goes on, unless this one is begun by a call inside of it."""
        around = None
        for span in self._spans.current():
            if span.rule is not rule or span.is_around(frame):
                continue
            is_next = rule.is_trace and span.scope == rules.FUNCTION and span.is_of_call(frame)
            if span.key != key and not is_next:
                around = span.recording.around
            else:
                self._close(span, "next")
        return around

    def _end(self, line: _Line) -> None:
        span = self._subject(line)
        if span is None:
            # It may tell how long it took; else this makes an event.
            self._make_span(line)
            return
        operation = span.recording.operation
        operation.end_line = line.record.lineno
        more = {name: value for name, value in line.groups.items() if name.lower() not in span.key}
        operation.extra.update(line.rule.attributes_of(more))
        if line.rule.become == rules.FAILURE:
            error = _error_of(line.record)
            span.fail(None if error is None else recorder.describe_error(error), line.found.text)
        self._close(span, "line")

    def _subject(self, line: _Line) -> RuleSpan | None:
        """Return the open span that a line is about: of the rules it names, else the innermost one here."""
        if not line.rule.of:
            return next(iter(self._spans.current()), None)
        return self._spans.find(line.rule.of, line.rule.key_of(line.groups))

    def _close(self, span: RuleSpan, how: str) -> None:
        """End a span, and what is left open inside of it here that has no key to be ended by."""
        here = self._spans.current()
        for inner in here[: here.index(span)] if span in here else ():
            if not inner.key and self._spans.remove(inner):
                inner.recording.operation.end = "parent"
                inner.recording.end()
        if self._spans.remove(span):
            span.recording.operation.end = how
            span.recording.end()

    def _make_span(self, line: _Line) -> None:
        seconds = line.rule.seconds(line.groups, line.found.text)
        if seconds is None:
            self._add_event(line)
            return
        operation = line.operation(line.rule.key_of(line.groups))
        operation.end = "line"
        over = recorder.now()
        recording = recorder.start(operation, self._parent(line), begun=over - int(seconds * 1e9))
        if isinstance(recording, recorder.Recording):
            recording.over_at(over)
            recording.end()

    def _add_event(self, line: _Line) -> None:
        attributes = {OBS_BRIDGE_RULE: line.rule.name, **line.rule.attributes_of(line.groups)}
        span_events.add_event(line.rule.shown_name(line.groups), attributes)

    def _describe(self, line: _Line) -> None:
        span = self._subject(line)
        if span is not None:
            span.recording.operation.extra.update(line.rule.attributes_of(line.groups))


class _Line:
    """A record that a rule is for."""

    __slots__ = ("bridge", "found", "frame", "groups", "record", "rule")

    def __init__(
        self, bridge: RuleEngine, rule: Rule, groups: dict[str, str], found: Found, record: LogRecord,
        frame: FrameType | None,
    ) -> None:  # fmt: skip
        self.bridge = bridge
        self.rule = rule
        self.groups = groups
        self.found = found
        self.record = record
        self.frame = frame

    def calling_frame(self) -> FrameType | None:
        """Return the frame of the function whose line it is."""
        return frame_of_statement(self.frame, self.rule)

    def operation(self, key: Mapping[str, str]) -> Any:
        """Return the work that it tells of."""
        kind = LoggedRequest if self.rule.is_trace else LoggedWork
        operation = kind(
            name=self.rule.shown_name(self.groups),
            rule=self.rule.name,
            key=", ".join(f"{name}={value}" for name, value in key.items()) or None,
            file=self.record.pathname,
            line=self.record.lineno,
            function=self.record.funcName,
        )
        operation.extra.update(self.rule.attributes_of(self.groups))
        return operation


def _measure(line: _Line) -> None:
    """Record the figure of a line: a duration, what its group "value" holds, or one more."""
    rule, value = line.rule, line.rule.value(line.groups)
    if rule.metric == rules.COUNTER:
        recorder.measure(LoggedCount(rule.name), 1.0 if value is None else value)
    elif value is not None:
        recorder.measure(LoggedValue(rule.name), value)
    else:
        seconds = rule.seconds(line.groups, line.found.text)
        if seconds is not None:
            recorder.measure(LoggedDuration(rule.name), seconds)


def _error_of(record: LogRecord) -> BaseException | None:
    """Return the exception that a record was given, or that is being handled."""
    given = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return given if isinstance(given, BaseException) else sys.exc_info()[1]
