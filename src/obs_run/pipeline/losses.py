"""The one loss path: telemetry that was dropped, refused or left behind is counted by reason, and said."""

# No `from __future__ import annotations`: see settings.py.
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, NewType

from obs_run.base import guard
from obs_run.pipeline.signals import Signal
from obs_run.process.unpatched import allocate_lock, time

Reason = NewType("Reason", str)

QUEUE_FULL = Reason("queue full (OBS_QUEUE_BYTES)")
"""More waited for the export thread than the queue holds; the oldest went."""
BUFFER_FULL = Reason("buffer full (OBS_QUEUE_BYTES)")
"""More waited for a destination that is away than its buffer holds; the oldest went."""
NOT_ENCODED = Reason("could not be encoded")
"""A failure of ours, or a value that no protocol can say."""
EXPORTER_FAILED = Reason("exporter failed")
"""An exporter of the SDK's kind (store, console) said so or raised."""
NO_DESTINATION = Reason("destination could not be set up")
"""What the settings or the agent say of the destination is of no use."""
NOT_DELIVERED = Reason("not delivered before exit")
"""The process left before the destination took it."""
SPOOL_FULL = Reason("spool full (OBS_SPOOL_BYTES)")
"""More waited on the disk than the spool holds; the oldest went."""
SPOOL_OLD = Reason("too old in the spool (OBS_SPOOL_KEEP)")
"""It waited on the disk for longer than anybody wants to hear of it."""
SPOOL_DAMAGED = Reason("damaged in the spool")
"""What was half written as the power failed, or changed since; a place that nothing is known of counts as one."""
SPOOL_DROPPED = Reason("dropped from the spool")
"""Somebody deleted it."""
PARTLY_REFUSED = Reason("refused by destination in part")
"""The destination took the request, and said that some of it was of no use to it (OTLP's partial success)."""


_REFUSED = "refused by destination (status "


def refused(status: str) -> Reason:
    """Return the reason of a request that the destination will never take; ``status`` is one of its protocol's."""
    return Reason(f"{_REFUSED}{status})")


class Loss(NamedTuple):
    """What losses are counted by; a signal or destination of None is any."""

    reason: Reason
    signal: Signal | None
    destination: str | None


class Refusal:
    """What a destination says of requests that it will never take, whatever signals they are of."""

    def __init__(self, text: str, advice: str, since: float) -> None:
        self.text = text
        self.advice = advice
        self.since = since
        self.signals: dict[Signal, None] = {}
        self.is_said = False

    def line(self, address: str) -> str:
        """Return the line for the user."""
        *others, last = [signal for signal in _SIGNALS if signal in self.signals]
        names = f"{', '.join(others)} and {last}" if others else last
        return f"obs-run: {address} refused {names}: {self.text}; {self.advice}"


_SIGNALS: tuple[Signal, ...] = ("traces", "logs", "metrics")
_SECONDS_BETWEEN_LINES = 60.0
_SECONDS_FOR_OTHER_SIGNALS = 5.0
"""A refusal of one signal is mostly one of all, and a short run is over by then: they are said in one line."""
_MOST_PENDING = 256
_PATIENCE = 0.1
_FINAL_PATIENCE = 1.0
"""At the end nobody says it later, and on a busy machine the one who counts may be held up."""


class Losses:
    """Counts what was lost, from any thread and from signal handlers, and says it in one line now and then."""

    def __init__(self) -> None:
        # Appending is atomic, so whoever loses something waits for nobody, whatever it was interrupted in.
        self._pending: deque[tuple[int, Loss]] = deque()
        self._repeated: deque[tuple[int, Signal, str]] = deque()
        self._kept: deque[tuple[int, str, str]] = deque()
        self._lock = allocate_lock()
        self._untaken_repeated: dict[tuple[str, str], int] = {}
        self._untaken: dict[Loss, int] = {}
        self._all: dict[Loss, int] = {}
        self._total = 0
        self._total_said = 0
        self._refused_said = 0
        self._say_next = 0.0
        self._refusals: dict[tuple[str, str], Refusal] = {}

    def refuse(self, address: str, status: str, text: str, advice: str, signal: Signal) -> None:
        """Remember what ``address`` says of requests that it refuses, to be said once for each status."""
        refusal = self._refusals.get((address, status))
        if refusal is None:
            refusal = self._refusals.setdefault((address, status), Refusal(text, advice, time.monotonic()))
        refusal.signals[signal] = None

    def count(self, number: int, reason: Reason, signal: Signal | None = None, destination: str | None = None) -> None:
        """Count ``number`` spans, log records or metric exports as lost."""
        if number <= 0:
            return
        self._pending.append((number, Loss(reason, signal, destination)))
        if len(self._pending) > _MOST_PENDING:
            self._add_pending(patience=0)

    def count_repeated(self, number: int, signal: Signal, destination: str) -> None:
        """Count items that were sent again after an attempt that may have arrived."""
        self._repeated.append((number, signal, destination))
        if len(self._repeated) > _MOST_PENDING:
            self._add_pending(patience=0)

    def keep(self, number: int, address: str, failure: str) -> None:
        """Note items that wait on the disk as the process ends, and why they were not delivered."""
        self._kept.append((number, address, failure))

    def counter(self, signal: Signal, destination: str) -> Callable[[int, Reason], None]:
        """Return a function that counts a number and a reason for one signal on its way to one destination."""
        return partial(self._count_for, signal, destination)

    def _count_for(self, signal: Signal, destination: str, number: int, reason: Reason) -> None:
        self.count(number, reason, signal, destination)

    def take_counts(self) -> dict[Loss, int]:
        """Return what was lost since the last call."""
        if not self._add_pending():
            return {}
        counts, self._untaken = self._untaken, {}
        return counts

    def take_repeated(self) -> dict[tuple[str, str], int]:
        """Return what may have arrived twice since the last call."""
        if not self._add_pending():
            return {}
        counts, self._untaken_repeated = self._untaken_repeated, {}
        return counts

    def report(self, *, final: bool = False) -> None:
        """Say what was lost until now, if there is anything new and, unless this is the end, the last line is old."""
        if not self._add_pending(_FINAL_PATIENCE if final else _PATIENCE):
            return
        now = time.monotonic()
        self._say_refusals(now, final=final)
        if final:
            self._say_kept()
        if self._total == self._total_said:
            return
        if not self._say_next and all(_has_line_of_its_own(loss) for loss in self._all):
            # Why is said already, and how much can wait.
            self._say_next = now + _SECONDS_BETWEEN_LINES
        is_due = now >= self._say_next
        if not is_due and (not final or self._are_told()):
            return
        self._say_next = now + _SECONDS_BETWEEN_LINES
        self._total_said = self._total
        self._refused_said = self._refused()
        guard.warn(f"obs-run: {self._total} spans, log records or metric exports were dropped: {_described(self._all)}")

    def _say_refusals(self, now: float, *, final: bool) -> None:
        for (address, _), refusal in tuple(self._refusals.items()):
            if refusal.is_said:
                continue
            if final or now >= refusal.since + _SECONDS_FOR_OTHER_SIGNALS:
                refusal.is_said = True
                guard.warn(refusal.line(address))

    def _say_kept(self) -> None:
        kept: dict[str, tuple[int, str]] = {}
        while self._kept:
            number, address, failure = self._kept.popleft()
            before, first_failure = kept.get(address, (0, ""))
            kept[address] = before + number, first_failure or failure
        for address, (number, failure) in kept.items():
            why = f" ({failure})" if failure else ""
            guard.warn(
                f"obs-run: {number} spans, log records or metric exports wait in the spool for {address}{why}; "
                "the next program that reaches it sends them, or: obsctl spool replay"
            )

    def _are_told(self) -> bool:
        """Whether all that was lost since the last line is what lines about refusals tell, or will."""
        if not self._refusals:
            return False
        return self._total - self._total_said == self._refused() - self._refused_said

    def _refused(self) -> int:
        return sum(number for loss, number in self._all.items() if loss.reason.startswith(_REFUSED))

    def after_fork(self) -> None:
        """In a child process: what was lost before is the parent's to say."""
        # Another thread of the parent may have held it.
        self._lock = allocate_lock()
        self._pending.clear()
        self._untaken.clear()
        self._all.clear()
        self._total = self._total_said = self._refused_said = 0
        self._say_next = 0.0
        self._refusals.clear()
        self._repeated.clear()
        self._kept.clear()
        self._untaken_repeated.clear()

    def _add_pending(self, patience: float = _PATIENCE) -> bool:
        """Add up what was counted; False if somebody else, perhaps interrupted by the caller, is at it."""
        if not self._lock.acquire(timeout=patience):
            return False
        try:
            while self._pending:
                number, loss = self._pending.popleft()
                self._untaken[loss] = self._untaken.get(loss, 0) + number
                self._all[loss] = self._all.get(loss, 0) + number
                self._total += number
            while self._repeated:
                number, signal, destination = self._repeated.popleft()
                key = (signal, destination)
                self._untaken_repeated[key] = self._untaken_repeated.get(key, 0) + number
        finally:
            self._lock.release()
        return True


def _has_line_of_its_own(loss: Loss) -> bool:
    return loss.reason == EXPORTER_FAILED or loss.reason.startswith(_REFUSED)


def _described(counts: dict[Loss, int]) -> str:
    """Return the numbers by reason, signal and destination, the largest first."""
    largest_first = sorted(counts.items(), key=lambda counted: -counted[1])
    return "; ".join(_one_described(loss, number) for loss, number in largest_first)


def _one_described(loss: Loss, number: int) -> str:
    text = f"{number} {loss.reason}"
    if loss.signal is not None:
        text += f", {loss.signal}"
    if loss.destination is not None:
        text += f" to {loss.destination}"
    return text
