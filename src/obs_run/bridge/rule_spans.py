"""Spans that rules have begun and nothing has ended yet."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

from obs_run.bridge.rules import PROCESS
from obs_run.bridge.spans import GENERATOR, end_left_by, ensure_activation, find_activation, note_failure
from obs_run.core import ownership, recorder
from obs_run.core.open_recordings import EVICTED, Ending, open_recordings
from obs_run.process import fork
from obs_run.process.unpatched import get_ident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType

    from opentelemetry.context import Context

    from obs_run.bridge.rules import Rule
    from obs_run.bridge.spans import Activation, WhenLeft
    from obs_run.core.sink import ErrorRecord

MOST_OPEN = 1_000


class RuleSpan:
    """A span that a rule has begun."""

    __slots__ = ("activation", "code", "deadline", "frame_id", "key", "recording", "rule", "scope", "task", "thread")

    def __init__(
        self, rule: Rule, recording: Any, key: Mapping[str, str], frame: FrameType | None, scope: str = PROCESS
    ) -> None:
        self.rule = rule
        self.scope = scope
        self.activation: Callable[[], Activation | None] | None = None
        """Gives the call that it was begun in, while that goes on; it must not be kept from being left."""
        self.recording = recording
        self.key = key
        self.thread = get_ident()
        self.task = _task_id()
        self.frame_id = id(frame)
        """Tells, with the code, whether the call that it was begun in still goes on; the frame itself is not kept."""
        self.code = None if frame is None else frame.f_code
        self.deadline = None if rule.timeout is None else recorder.now() + int(rule.timeout * 1e9)

    def is_of(self, rules: Iterable[str], key: Mapping[str, str]) -> bool:
        """Whether it was begun by one of ``rules``, and its key has nothing else than ``key`` where both tell."""
        return self.rule.name in rules and all(self.key.get(name, value) == value for name, value in key.items())

    def is_around(self, frame: FrameType | None) -> bool:
        """Whether the call that it was begun in has called, by whatever way, the one of ``frame``."""
        caller = None if frame is None else frame.f_back
        while caller is not None:
            if id(caller) == self.frame_id and caller.f_code is self.code:
                return True
            caller = caller.f_back
        return False

    def end_with(self, frame: FrameType | None, end: WhenLeft) -> None:
        """Have it ended when the call of ``frame`` is left."""
        activation = None if frame is None else ensure_activation(frame)
        if activation is not None:
            activation.when_left(self, end)
            self.activation = weakref.ref(activation)

    def is_of_call(self, frame: FrameType | None) -> bool:
        """Whether it was begun in the very call of ``frame``."""
        activation = None if self.activation is None or frame is None else self.activation()
        return activation is not None and frame is not None and activation is find_activation(frame)

    def fail(self, failure: ErrorRecord | None, message: str) -> None:
        """Note that it has failed."""
        note_failure(self.recording.operation, failure, message)

    def forget_call(self) -> None:
        """Have it not ended by its call: it is over."""
        activation = None if self.activation is None else self.activation()
        if activation is not None:
            activation.forget(self)

    def enter(self, frame: FrameType | None) -> None:
        """Make it what happens now, unless in a generator, whose reader is not inside of it."""
        if frame is None or not frame.f_code.co_flags & GENERATOR:
            self.recording.__enter__()

    def leave(self) -> None:
        """Have what follows happen outside of it."""
        self.recording.__exit__(None, None, None)


class OpenSpans:
    """The open spans of this process, in the order of their beginning."""

    def __init__(self) -> None:
        self._open: dict[int, RuleSpan] = {}
        self._keyed: dict[tuple[str, tuple[tuple[str, str], ...]], dict[int, RuleSpan]] = {}
        self.next_deadline: int | None = None
        fork.register(fork.USER_API, "bridge", in_child=self._forget)

    def _forget(self) -> None:
        """In a child process: they are the parent's to end."""
        self._open, self._keyed, self.next_deadline = {}, {}, None

    def add(self, span: RuleSpan) -> None:
        """Remember a span; of too many the oldest is ended."""
        number = _number(span)
        self._open[number] = span
        self._keyed.setdefault(_full_key(span), {})[number] = span
        open_recordings.replace(number, self._end_left, span)
        if span.deadline is not None and (self.next_deadline is None or span.deadline < self.next_deadline):
            self.next_deadline = span.deadline
        if len(self._open) > MOST_OPEN:
            oldest = next(iter(list(self._open.values())), None)
            if oldest is not None:
                self.remove(oldest)
                oldest.recording.end_unfinished(EVICTED)

    def remove(self, span: RuleSpan) -> bool:
        """Forget a span that is ended and no more current; return whether nobody else did."""
        number = _number(span)
        is_mine = self._open.pop(number, None) is not None
        key = _full_key(span)
        same = self._keyed.get(key)
        if same is not None:
            same.pop(number, None)
            if not same:
                self._keyed.pop(key, None)
        if is_mine:
            span.forget_call()
            span.leave()
        return is_mine

    def current(self, context: Context | None = None) -> list[RuleSpan]:
        """Return the spans that are current here, the innermost first."""
        recording: Any = ownership.current_recording() if context is None else ownership.recording_in(context)
        found: list[RuleSpan] = []
        while recording is not None and len(found) < MOST_OPEN:
            span = self._open.get(recording.span.get_span_context().span_id)
            if span is not None:
                found.append(span)
            recording = recording.outer
        return found

    def find(self, rules: tuple[str, ...], key: Mapping[str, str]) -> RuleSpan | None:
        """Return the open span of one of ``rules`` that a line with ``key`` is about.

        That is one that is current here; else the newest with the key, wherever it was begun; without a key the newest
        of the same task or thread.
        """
        for span in self.current():
            if span.is_of(rules, key):
                return span
        if key:
            for rule in rules:
                same = self._keyed.get((rule, tuple(sorted(key.items()))))
                if same:
                    return next(reversed(list(same.values())), None)
        return self._newest(rules, key)

    def _newest(self, rules: tuple[str, ...], key: Mapping[str, str]) -> RuleSpan | None:
        thread, task = get_ident(), _task_id()
        for span in reversed(list(self._open.values())):
            if not span.is_of(rules, key):
                continue
            if key and span.key.keys() & key.keys():
                return span
            if span.thread == thread and span.task == task:
                return span
        return None

    def expired(self, now: int) -> Iterator[RuleSpan]:
        """Yield the spans whose time is over, the newest first."""
        deadlines = []
        for span in reversed(list(self._open.values())):
            if span.deadline is None:
                continue
            if span.deadline <= now:
                yield span
            else:
                deadlines.append(span.deadline)
        self.next_deadline = min(deadlines, default=None)

    def _end_left(self, span: RuleSpan, ending: Ending) -> None:
        """End a span that is left when the process goes, or that there is no more room for."""
        error = getattr(sys, "last_value", None)
        if error is not None and span.activation is not None:
            # What ends the program has left its call, too.
            end_left_by(error, None)
        if self._open.pop(_number(span), None) is None:
            return
        if span.deadline is not None and span.deadline <= recorder.now():
            end_by_timeout(span)
        else:
            span.recording.end_unfinished(ending)


def end_by_timeout(span: RuleSpan) -> None:
    """End a span at the moment at which its time was over."""
    span.recording.operation.end = "timeout"
    span.recording.over_at(span.deadline)
    span.recording.end()


def _number(span: RuleSpan) -> int:
    number: int = span.recording.span.get_span_context().span_id
    return number


def _full_key(span: RuleSpan) -> tuple[str, tuple[tuple[str, str], ...]]:
    return span.rule.name, tuple(sorted(span.key.items()))


def _task_id() -> int:
    """Return a number for the task of asyncio that runs here, 0 outside of any."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return 0
    try:
        return id(asyncio.current_task())
    except (RuntimeError, AttributeError):
        return 0
