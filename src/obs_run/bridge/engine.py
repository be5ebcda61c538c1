"""From log records to spans: what a record's statement tells, to which call of its function it belongs, and what ends.

A statement's source is read once, when it is first met; from then on a record costs a look-up where it tells nothing.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from obs_run.bridge import durations, identifiers, pairs, records, traces, words
from obs_run.bridge.evidence import Evidence
from obs_run.bridge.flow import may_follow
from obs_run.bridge.phrases import Role
from obs_run.bridge.rules import AUTOMATIC, LONGEST_TEXT
from obs_run.bridge.sites import Sites
from obs_run.bridge.spans import (
    COROUTINE,
    GENERATOR,
    LEFT_BY_EXCEPTION,
    OpenSpan,
    end_left,
    ensure_activation,
    find_activation,
    left_by,
)
from obs_run.capture import foreign_lines
from obs_run.capture.log_capture import read_message
from obs_run.context import current_context
from obs_run.core import ownership, recorder, span_events
from obs_run.core.control_flow import outcome_of
from obs_run.core.operations import LoggedRequest, LoggedWork
from obs_run.core.semconv import OBS_BRIDGE_RULE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from logging import LogRecord
    from types import FrameType

    from obs_run.bridge.phrases import Phrase
    from obs_run.bridge.sites import Site
    from obs_run.bridge.source import Statement
    from obs_run.bridge.spans import Activation

_MOST_KEYED = 10_000
_MOST_DETACHED = 1_000
_LEAST_ALIKE = 2
_SURE = 3
_EXITS = ("__exit__", "__aexit__")
_HANDLER = re.compile(
    r"_*(?:on_|handle|process_?(?:message|request|msg|command|event|job|task)|dispatch|callback|consume)"
)
_MESSAGE_HANDLER = re.compile(r"_*(?:on|handle|process)_?(?:message|request|msg|command|event|update|webhook)s?$")
_BY_PLACE = frozenset((Evidence.PLACE, Evidence.RESULT, Evidence.HEAD, Evidence.EXIT))
_HANDLING = frozenset(("process", "handl", "serv"))
_REQUEST_LINE = re.compile(r"(?:^|[\s\]:|])(?:\0|GET|POST|PUT|PATCH|DELETE|HEAD) (\0|/)")
"""A method and a path, with which a server tells of an HTTP request."""
_REQUEST_STEMS = frozenset(map(words.stem, words.REQUESTS))


class Bridge:
    """Opens and ends spans by the log records of this process."""

    def __init__(self, kinds: frozenset[Evidence]) -> None:
        self._sites = Sites(kinds)
        self._tells_durations = Evidence.DURATION in kinds
        self._keyed: dict[tuple[str, str], list[OpenSpan]] = {}
        self._detached: list[OpenSpan] = []

    # What a record is

    def observe(self, record: LogRecord, frame: FrameType | None) -> Callable[[], object] | None:
        """Begin what a record tells that begins; return what is to be done when it has been captured."""
        if self._sites.is_silent(record.pathname, record.lineno):
            return None
        caller = records.frame_of(record, frame)
        if caller is None:
            return None
        helper = records.helper_of(caller, frame)
        if helper is not None:
            self._sites.add_helper(helper)
        return self.read_line(caller, lambda: read_message(record), lambda: records.fields_of(record))

    def read_line(
        self, frame: FrameType, message: Callable[[], str], fields: Callable[[], Mapping[str, str]]
    ) -> Callable[[], object] | None:
        """Do the same for a line that ``frame`` writes now; its text and its fields are made where they are needed."""
        found = self._sites.find(frame)
        if found is None:
            return None
        site, frame = found
        statement = site.statement
        if statement is None:
            return None
        text = message()[:LONGEST_TEXT]
        logged = LoggedLine(self, site, statement, frame, text, {**fields(), **site.values_in(text)})
        logged.fail_left()
        end_left(frame)
        logged.begin()
        return logged.finish

    def is_end(self, path: str, line: int, frame: FrameType | None) -> bool:
        """Whether a line from a place ends a span that is open in its call of a function."""
        caller = foreign_lines.frame_at(path, line, frame)
        activation = None if caller is None else find_activation(caller)
        if activation is None:
            return False
        return any(line in span.start.end_lines and not span.is_over for span in activation.spans)

    # Calls of functions

    def end_all(
        self, activation: Activation, error: BaseException | None = None, /, *, has_raised: bool = False
    ) -> None:
        """End what was begun in a call of a function that has been left."""
        while activation.spans:
            span = activation.spans.pop()
            if span.start.ends_elsewhere and not (span.is_over or span.has_failed or has_raised or error is not None):
                self._detach(span)
            else:
                self.close(span, "return", error, has_raised=has_raised)

    def _detach(self, span: OpenSpan) -> None:
        """Leave a span open whose end another function tells."""
        if not span.start.is_entered:
            span.leave()
        self._detached.append(span)
        if len(self._detached) > _MOST_DETACHED:
            self.close(self._detached.pop(0), "return")

    # What begins and ends

    def open(self, logged: LoggedLine, start: pairs.Start) -> None:
        """Begin the span that a line tells of."""
        statement, frame = logged.statement, logged.frame
        if _has_no_outcome(statement, start):
            return
        activation = ensure_activation(frame)
        if activation is None:
            return
        around = self._make_room(activation, statement, logged.values) or self._around(logged)
        recording = _begin(logged, start, around)
        if recording is None:
            return
        span = OpenSpan(recording, statement, start, logged.values)
        span.owner = _owner_of(frame) if start.ends_elsewhere else 0
        activation.spans.append(span)
        activation.when_left(self, self.end_all)
        self._note_keys(span)
        # Who reads a generator is not inside of it; the block of a context manager is.
        if not frame.f_code.co_flags & GENERATOR or logged.site.function.is_context_manager:
            span.enter()

    def _around(self, logged: LoggedLine) -> Any:
        """Return the context that a line's work belongs to, where that is not the current one."""
        here = current_context.current()
        context = ownership.outer_while(_is_over, here)
        inside: Any = ownership.recording_in(context)
        around = set()
        while inside is not None:
            around.add(id(inside))
            inside = getattr(inside, "outer", None)
        for span in reversed(self._detached):
            if identifiers.share_id(span.values, logged.values) and id(span.recording) not in around:
                return span.recording.context
        # A thread that was started inside of it goes on when its end has been told.
        return None if context is here else context

    def _make_room(self, activation: Activation, statement: Statement, values: Mapping[str, str]) -> Any:
        """End what another beginning in the same call ends; return the context of the one to begin, None for here."""
        around = None
        for span in reversed(activation.spans[:]):
            is_same = span.statement is statement
            if span.is_over:
                self._take(activation, span)
            elif is_same and identifiers.ids_differ(span.values, values):
                around = span.around
            elif (
                is_same
                or span.statement.loops[: len(statement.loops)] != statement.loops[: len(span.statement.loops)]
                or (
                    span.statement.order > statement.order
                    and span.statement.loops
                    and statement.loops == span.statement.loops
                )
            ):
                self._take(activation, span, "next")
        return around

    def _take(self, activation: Activation, span: OpenSpan, how: str = "line") -> None:
        activation.spans.remove(span)
        self.close(span, how)

    def end(self, logged: LoggedLine, phrase: Phrase) -> None:
        """End the span whose end a line tells."""
        span = self._ended_by(logged, phrase)
        if span is None:
            is_finished = phrase.measured and self._tells_durations and self._tell_finished(logged, phrase)
            if not is_finished:
                span_events.add_event(phrase.name or logged.message, {OBS_BRIDGE_RULE: AUTOMATIC})
            return
        statement = logged.statement
        error = sys.exc_info()[1] if statement.is_final else None
        if error is not None and _passes(error, logged.frame) and outcome_of(error, {}) is None:
            span.fail(recorder.describe_error(error), logged.message, statement.line, recorder.now())
        elif not statement.is_final:
            span.overcome()
        span.end(statement.line, recorder.now())
        self._close_detached(span)

    def _tell_finished(self, logged: LoggedLine, phrase: Phrase) -> bool:
        """Tell of what is over and took as long as its line says, though none told of its beginning; False if none."""
        seconds = durations.find(logged.message)
        if seconds is None:
            return False
        operation = LoggedWork(
            name=phrase.name or "work",
            rule=AUTOMATIC,
            evidence=Evidence.DURATION.value,
            key=identifiers.shown_key(logged.values),
            file=logged.frame.f_code.co_filename,
            function=logged.frame.f_code.co_name,
            end="line",
            end_line=logged.statement.line,
        )
        recording = recorder.start(operation, begun=recorder.now() - int(seconds * 1e9))
        if recording is not None:
            recording.end()
        return True

    def fail(self, logged: LoggedLine, phrase: Phrase) -> None:
        """Note that what a line tells of has failed; where it handles an exception, all that was begun in its block."""
        error = sys.exc_info()[1]
        if error is not None and outcome_of(error, {}) is not None:
            return
        failure = None if error is None else recorder.describe_error(error)
        for span in self._failed_by(logged, phrase):
            about = pairs.likeness(span.start.phrase, phrase)
            if span.has_failed and about <= span.failed_likeness and not _is_told_on(logged, span, about):
                continue
            span.failed_likeness = about
            goes_on = _has_later_outcome(logged, span)
            span.fail(failure, logged.message, logged.statement.line, recorder.now(), goes_on=goes_on)
            self._close_detached(span)

    def fail_left(self, logged: LoggedLine, phrase: Phrase) -> None:
        """Note that what a line tells of has failed, where the exception being handled has left the call of it."""
        error = sys.exc_info()[1]
        if error is None or outcome_of(error, {}) is not None:
            return
        spans = (span for activation in left_by(error, logged.frame) for span in activation.spans)
        open_spans = [span for span in spans if not (span.is_over or span.has_failed)]
        told = [span for span in open_spans if _is_told_of(span, logged, phrase)]
        if told:
            # Of several the outermost is what the caller called.
            best = max(reversed(told), key=lambda span: span.start.phrase.likeness(phrase))
            own = (pairs.likeness(span.start.phrase, phrase) for span in _failing_in_call(logged))
            if max(own, default=0) >= pairs.likeness(best.start.phrase, phrase):
                # The line is about what its own function began; the other ends with the call that was left.
                return
            best.fail(recorder.describe_error(error), logged.message, logged.statement.line, recorder.now())

    def _close_detached(self, span: OpenSpan) -> None:
        if span in self._detached:
            self._detached.remove(span)
            self.close(span, "line")

    def _ended_by(self, logged: LoggedLine, phrase: Phrase) -> OpenSpan | None:
        """Return the open span that a line tells the end of: in the same call, with the same ids, or in a caller."""
        activation = find_activation(logged.frame)
        line = logged.statement.line
        if activation is not None:
            best, likely = None, 0
            for span in reversed(activation.spans):
                here = span.start.end_lines.get(line, 0)
                if here > likely and not identifiers.ids_differ(span.values, logged.values):
                    best, likely = span, here
            if best is not None:
                self._end_inside(activation, best)
                return best
        return self._by_key(logged, phrase) or self._in_callers(logged, phrase) or self._detached_one(logged, phrase)

    def _detached_one(self, logged: LoggedLine, phrase: Phrase) -> OpenSpan | None:
        """Return the newest span that waits for its end from another function, and is told of by these words."""
        owner = _owner_of(logged.frame)
        found = None
        for span in reversed(self._detached):
            if span.start.is_entered:
                if span.owner == owner and logged.frame.f_code.co_name in _EXITS:
                    return span
            elif (
                not identifiers.ids_differ(span.values, logged.values)
                and span.start.phrase.likeness(phrase) >= _LEAST_ALIKE
            ):
                if identifiers.share_id(span.values, logged.values):
                    return span
                found = found or span
        return found

    def _end_inside(self, activation: Activation, outer: OpenSpan) -> None:
        """End what was begun later in the same call, in a loop that is over."""
        place = activation.spans.index(outer)
        for span in reversed(activation.spans[place + 1 :]):
            if len(span.statement.loops) > len(outer.statement.loops):
                self._take(activation, span, "next")

    def _by_key(self, logged: LoggedLine, phrase: Phrase) -> OpenSpan | None:
        for name, value in logged.values.items():
            if not identifiers.is_id(name):
                continue
            for span in reversed(self._keyed.get((name, value), ())):
                # What its own function tells the end of is ended by another only where both say of what.
                least = pairs.GENERIC if span.start.ends else 0
                if not span.is_over and pairs.likeness(span.start.phrase, phrase) > least:
                    return span
        return None

    def _in_callers(self, logged: LoggedLine, phrase: Phrase) -> OpenSpan | None:
        if phrase.is_generic():
            return None
        for frame in _stack(logged.frame.f_back):
            activation = find_activation(frame)
            if activation is None:
                continue
            for span in reversed(activation.spans):
                if not span.is_over and not span.start.ends and span.start.phrase.likeness(phrase) >= _SURE:
                    return span
        return None

    def _failed_by(self, logged: LoggedLine, phrase: Phrase) -> list[OpenSpan]:
        open_spans = _failing_in_call(logged)
        guarded = _guarded_by_handler(logged.statement, open_spans)
        if guarded:
            return [*guarded, *_left_with(logged, phrase, open_spans, guarded)]
        if open_spans:
            about = [span for span in open_spans if pairs.likeness(span.start.phrase, phrase)]
            return (about or open_spans)[:1]
        found = self._by_key(logged, phrase) or self._detached_one(logged, phrase)
        return [] if found is None else [found]

    def _note_keys(self, span: OpenSpan) -> None:
        for name, value in span.values.items():
            if identifiers.is_id(name) and len(self._keyed) < _MOST_KEYED:
                self._keyed.setdefault((name, value), []).append(span)

    def close(self, span: OpenSpan, how: str, error: BaseException | None = None, *, has_raised: bool = False) -> None:
        """End a span for good."""
        for name, value in span.values.items():
            same = self._keyed.get((name, value))
            if same is not None and span in same:
                same.remove(span)
                if not same:
                    self._keyed.pop((name, value), None)
        is_left = has_raised and error is None and not (span.is_over or span.has_failed)
        if is_left:
            span.fail(None, LEFT_BY_EXCEPTION, None, None)
        span.finish(how, None if span.is_over or span.has_failed else error)


class LoggedLine:
    """What one record tells, and where."""

    __slots__ = ("_bridge", "frame", "message", "site", "statement", "values")

    def __init__(
        self,
        bridge: Bridge,
        site: Site,
        statement: Statement,
        frame: FrameType,
        message: str,
        values: Mapping[str, str],
    ) -> None:
        self._bridge = bridge
        self.site = site
        self.statement = statement
        self.frame = frame
        self.message = message
        self.values = values

    def begin(self) -> None:
        """Begin what begins, unless it does so in the place of what this record ends."""
        start = self._start()
        if start is not None and not self._ends_something():
            self._bridge.open(self, start)

    def fail_left(self) -> None:
        """Note the failure of what began in a call that is left by now."""
        phrase = self.site.plan.failures.get(self.statement.order)
        if phrase is not None and self.statement.handlers:
            self._bridge.fail_left(self, phrase)

    def finish(self) -> None:
        """End what is over, and begin what follows upon it."""
        order, plan = self.statement.order, self.site.plan
        if order in plan.failures:
            self._bridge.fail(self, plan.failures[order])
        if order in plan.ends:
            self._bridge.end(self, plan.ends[order])
        start = self._start()
        if start is not None and self._ends_something():
            self._bridge.open(self, start)

    def _start(self) -> pairs.Start | None:
        return self.site.plan.starts.get(self.statement.order)

    def _ends_something(self) -> bool:
        order, plan = self.statement.order, self.site.plan
        return order in plan.failures or order in plan.ends


def _has_no_outcome(statement: Statement, start: pairs.Start) -> bool:
    """Whether nothing could end what begins but its function; of a request, and of an iteration, the next one does."""
    is_request = start.phrase.role is Role.RECEIVED and (bool(statement.loops) or start.work > 1)
    is_followed = is_request or (start.phrase.is_iteration and bool(statement.loops))
    return start.is_alone() and not is_followed and not start.is_function


def _begin(logged: LoggedLine, start: pairs.Start, around: Any) -> Any:
    """Begin to record what a line tells, in the context ``around``, None for here."""
    statement, frame, phrase = logged.statement, logged.frame, start.phrase
    is_handler = start.evidence in _BY_PLACE and _MESSAGE_HANDLER.match(frame.f_code.co_name) is not None
    is_told_request = phrase.role is Role.RECEIVED or is_handler or _is_handled(statement, frame, phrase)
    # What is received amid other work is a part of that.
    context = current_context.current() if around is None else around
    is_request = is_told_request and ownership.recording_in(context) is None
    kind = LoggedRequest if is_request else LoggedWork
    operation = kind(
        name=phrase.name or phrase.role.name.lower(),
        rule=AUTOMATIC,
        evidence=None if start.evidence is None else start.evidence.value,
        key=identifiers.shown_key(logged.values),
        file=frame.f_code.co_filename,
        line=statement.line,
        function=frame.f_code.co_name,
    )
    return traces.begin(operation, around, is_certain=False) if is_request else recorder.start(operation, around)


def _failing_in_call(logged: LoggedLine) -> list[OpenSpan]:
    """Return the open spans of the same call whose failure a line may tell, the newest first."""
    activation = find_activation(logged.frame)
    if activation is None:
        return []
    return [
        span
        for span in reversed(activation.spans)
        if not span.is_over
        and logged.statement.line in span.start.failure_lines
        and not identifiers.ids_differ(span.values, logged.values)
    ]


def _guarded_by_handler(failed: Statement, open_spans: list[OpenSpan]) -> list[OpenSpan]:
    """Return those that began in the block that is guarded by the exception handler of a line."""
    if not failed.handlers:
        return []
    _, first, last = failed.handlers[-1]
    return [span for span in open_spans if first <= span.statement.line <= last]


def _left_with(
    logged: LoggedLine, phrase: Phrase, open_spans: list[OpenSpan], inside: list[OpenSpan]
) -> list[OpenSpan]:
    """Return what was begun before a block that failed, and fails with it.

    It is told of by a line that leaves the function for good, or that comes in the place of all its ends.
    """
    failed = logged.statement
    others = [span for span in open_spans if span not in inside]
    alike = [span for span in others if pairs.likeness(span.start.phrase, phrase) >= _LEAST_ALIKE]
    return alike if failed.leaves else [span for span in alike if _are_ends_guarded(failed, span, logged)]


def _are_ends_guarded(failed: Statement, span: OpenSpan, logged: LoggedLine) -> bool:
    """Whether all lines that tell of an end stand in the block that an exception has left, and none follows."""
    _, first, last = failed.handlers[-1]
    ends = span.start.end_lines
    return bool(ends) and all(first <= line <= last for line in ends) and not _has_later_outcome(logged, span)


def _is_told_of(span: OpenSpan, logged: LoggedLine, phrase: Phrase) -> bool:
    """Whether a line of a caller tells of what was begun in a call, by its words or by a value of both."""
    if identifiers.ids_differ(span.values, logged.values):
        return False
    if span.start.phrase.likeness(phrase) >= _SURE:
        return True
    has_same_value = bool(set(span.values.values()) & set(logged.values.values()))
    return has_same_value and span.start.phrase.likeness(phrase) >= _LEAST_ALIKE


def _is_told_on(logged: LoggedLine, span: OpenSpan, about: int) -> bool:
    """Whether a line goes on to tell of the failure that another one told of before in the same block."""
    line = span.recording.operation.end_line
    told = None if line is None else logged.site.function.at(line)
    if told is None or about < span.failed_likeness:
        return False
    return told.blocks == logged.statement.blocks and bool(logged.statement.handlers) and logged.statement.leaves


def _has_later_outcome(logged: LoggedLine, span: OpenSpan) -> bool:
    """Whether another line that tells how a span comes out may follow upon one of its failure."""
    function, failed = logged.site.function, logged.statement
    lines = {*span.start.end_lines, *span.start.failure_lines}
    later = (each for each in function.statements[failed.order + 1 :] if each.line in lines)
    return any(may_follow(failed, each, span.start.phrase) for each in later)


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _passes(error: BaseException, frame: FrameType) -> bool:
    """Whether an exception that is being raised passes through a frame."""
    left = error.__traceback__
    while left is not None:
        if left.tb_frame is frame:
            return True
        left = left.tb_next
    return False


def _owner_of(frame: FrameType) -> int:
    """Return what tells the object whose method a frame runs from others, 0 for none."""
    code = frame.f_code
    if not code.co_argcount or code.co_varnames[0] != "self":
        return 0
    return id(frame.f_locals.get("self"))


def _is_over(recording: Any) -> bool:
    operation = recording.operation
    return isinstance(operation, LoggedWork) and (recording.is_ended or operation.end is not None)


def _is_handled(statement: Statement, frame: FrameType, phrase: Phrase) -> bool:
    """Whether a line tells that a message is worked on, where one comes after the other."""
    is_served = _HANDLER.match(frame.f_code.co_name) is not None or bool(frame.f_code.co_flags & COROUTINE)
    if _is_request_line(statement, is_served=is_served):
        return True
    if statement.is_endless and not phrase.verb and phrase.name == "call":
        return True  # "--> name", where requests are served
    is_handling = phrase.verb in _HANDLING and bool(phrase.nouns & _REQUEST_STEMS)
    return is_handling and (statement.is_endless or _HANDLER.match(frame.f_code.co_name) is not None)


def _is_request_line(statement: Statement, *, is_served: bool) -> bool:
    """Whether a line has the method and the path of a request; who sends one tells of a URL.

    ``is_served`` says that its function may be one that serves; else the path must come with the request.
    """
    text, names = statement.template
    match = _REQUEST_LINE.search(text)
    if match is None:
        return False
    if match.group(1).startswith("/"):
        return is_served
    place = text.count(words.VALUE, 0, match.start(1))
    return names[place : place + 1] == ("path",)
