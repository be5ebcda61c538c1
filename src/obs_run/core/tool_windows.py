"""The times in which agents run the tools that a model asked for: from the answer to the request with the results.

They are found by whoever runs in the same task or thread, or by the ids of the calls. All of it is bounded, and no step
needs a lock: each is one that no other thread comes between.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current, set_value

from obs_run.process import fork
from obs_run.process.unpatched import get_ident

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.context import Context

    from obs_run.core.operations import ToolCall, ToolResult

_MOST = 256
_CARRIED = "obs-run-tools"
_here: ContextVar[Window | None] = ContextVar("obs-run-tools", default=None)
"""The window that began last in this task or thread; tasks that begin inside of one inherit it."""


class RequestedCall:
    """A call of a tool that a model asked for, and the operation that it is."""

    __slots__ = ("call_id", "is_reported", "name", "operation")

    def __init__(self, name: str, call_id: str | None, operation: ToolCall) -> None:
        self.name = name
        self.call_id = call_id
        self.operation = operation
        self.is_reported = False
        """Whether a span of somebody else tells of it."""

    def is_answered_by(self, result: ToolResult) -> bool:
        """Whether this is the call that a result is of; without ids on both sides the name says so, or the order."""
        if self.call_id is not None and result.call_id is not None:
            return self.call_id == result.call_id
        return result.name is None or result.name == self.name


class Window:
    """One such time. It is open until the agent asks a model again, and waits until all results have come."""

    __slots__ = (
        "begun",
        "begun_ns",
        "context",
        "is_open",
        "is_single",
        "may_stay_silent",
        "names",
        "outer",
        "place",
        "recording",
        "thread_id",
        "trace_id",
        "unmade",
        "waiting",
    )

    def __init__(
        self, calls: Sequence[RequestedCall], context: Context, place: int, trace_id: int, begun: tuple[int, int]
    ) -> None:
        self.waiting = list(calls)
        self.names = frozenset(call.name for call in calls)
        self.is_single = len(calls) == 1
        self.context: Context | None = context
        """Where the spans of the tools belong: beside the call of the model. None when it is all over."""
        self.place = place
        """The id of the span that is current where the agent runs the tools."""
        self.trace_id = trace_id
        self.thread_id = get_ident()
        self.begun_ns, self.begun = begun
        self.may_stay_silent = False
        """Whether it may well be that no tool runs, and that the calls are all that the agent wanted."""
        self.is_open = True
        self.outer: Window | None = None
        """The one that was open when this began: a tool that asks a model itself."""
        self.recording: Any = None
        """The tool's recording, where something happened inside of it."""
        # Taken by whoever begins the recording: to take from a list is atomic.
        self.unmade = [True]

    def may_have_children(self) -> bool:
        """Whether what happens now belongs to its only tool, which nobody else tells of."""
        if not self.is_open or not self.is_single or self.may_stay_silent:
            return False
        return self.recording is not None or not self.is_reported()

    def is_reported(self) -> bool:
        """Whether somebody else tells of all that it waits for."""
        return all(call.is_reported for call in self.waiting.copy())

    def is_within(self, other: Window) -> bool:
        """Whether it is, or began inside of, another one."""
        window: Window | None = self
        while window is not None and window is not other:
            window = window.outer
        return window is other

    def is_at(self, place: int) -> bool:
        """Whether its tools run at a place; where no span is current, that is the thread."""
        return self.place == place and (place != 0 or self.thread_id == get_ident())

    def call_of(self, result: ToolResult) -> RequestedCall | None:
        """Return the call that a result is of; the last one where the order alone tells."""
        for call in reversed(self.waiting.copy()):
            if call.is_answered_by(result):
                return call
        return None

    def take(self, result: ToolResult) -> RequestedCall | None:
        """Return the call that a result is of, which waits no more."""
        while True:
            call = self.call_of(result)
            if call is None:
                return None
            try:
                self.waiting.remove(call)
            except ValueError:  # another thread was faster
                continue
            return call


class Windows:
    """Those of this process that wait."""

    def __init__(self) -> None:
        self.waiting: dict[int, Window] = {}
        """By their own ids; where it is empty, nobody has anything to do with tools."""
        self._open: dict[int, list[Window]] = {}
        """By their places."""
        self.reported_by: dict[int, bool] = {}
        """The spans of others that are open and tell of tools, by their ids."""
        self._silent: dict[frozenset[str], bool] = {}
        """The tools of windows that ended without results, as of agents that only want a tool's arguments."""

    def add(self, window: Window) -> list[Window]:
        """Remember a window, the current one from now on; return those that are too many."""
        window.outer = outer = self.current()
        while outer is not None:
            # What is over must not be kept by what began inside of it.
            outer.outer = _open_one(outer.outer)
            outer = outer.outer
        self.waiting[id(window)] = window
        self._open.setdefault(window.place, []).append(window)
        _here.set(window)
        too_many = len(self.waiting) - _MOST
        return list(self.waiting.values())[:too_many] if too_many > 0 else []

    def close(self, window: Window) -> None:
        """Have nothing more belong to a window; it may still wait."""
        window.is_open = False
        at_place = self._open.get(window.place, [])
        if window in at_place:
            at_place.remove(window)
        if not at_place:
            self._open.pop(window.place, None)

    def discard(self, window: Window) -> None:
        """Forget a window that waits for nothing, or in vain."""
        self.close(window)
        self.waiting.pop(id(window), None)
        # A task or thread knows its last window as long as it lives.
        window.context = window.recording = None
        if not self.waiting:
            self.reported_by.clear()

    def note_silence(self, window: Window) -> None:
        """Remember that a window ended without results; until there are some for the same tools."""
        if len(self._silent) > _MOST:
            self._silent.clear()
        self._silent[window.names] = True

    def note_answer(self, window: Window) -> None:
        """Remember that results came."""
        if self._silent:
            self._silent.pop(window.names, None)

    def was_silent(self, window: Window) -> bool:
        """Whether the last window of the same tools ended without results."""
        return window.names in self._silent

    def current(self) -> Window | None:
        """Return the innermost open window of this task or thread."""
        window = _here.get()
        carried: Window | None = get_current().get(_CARRIED)  # type: ignore[assignment]
        if carried is not None and (window is None or not window.is_within(carried)):
            # A thread of a pool may know another one from its last piece of work.
            window = carried
        return _open_one(window)

    def chain(self) -> Iterator[Window]:
        """Go through the open windows of this task or thread, the innermost first."""
        window = self.current()
        while window is not None:
            yield window
            window = _open_one(window.outer)

    def at(self, place: int) -> list[Window]:
        """Return the open windows at a place."""
        return self._open.get(place, []).copy()

    def newest_first(self) -> list[Window]:
        """Return all that wait."""
        return list(self.waiting.values())[::-1]

    def with_call(self, call_id: str) -> list[Window]:
        """Return those that wait for the result of a call with this id."""
        every = self.newest_first()
        return [each for each in every if any(call.call_id == call_id for call in each.waiting.copy())]

    def near(self, place: int) -> list[Window]:
        """Return those of this task or thread, and of a place, the nearest first."""
        here = list(self.chain())
        at_place = [window for window in here if window.place == place]
        return list(dict.fromkeys([*at_place, *here, *(each for each in self.newest_first() if each.is_at(place))]))

    def of_trace(self, trace_id: int) -> list[Window]:
        """Return those of a trace, the newest first."""
        return [window for window in self.newest_first() if window.trace_id == trace_id]

    def forget(self) -> None:
        """In a child process: what waits is the parent's."""
        for window in self.newest_first():
            self.discard(window)
        self._silent.clear()


def _open_one(window: Window | None) -> Window | None:
    """Return ``window``, or the innermost open one around it."""
    while window is not None and not window.is_open:
        window = window.outer
    return window


windows = Windows()
"""Those of this process."""


def with_window(context: Context | None) -> Context | None:
    """Return a context for a thread or a piece of work, with the window that it is begun in."""
    window = windows.current() if windows.waiting else None
    if window is None:
        return context
    return set_value(_CARRIED, window, get_current() if context is None else context)


fork.register(fork.QUEUE, "tools", in_child=windows.forget)
