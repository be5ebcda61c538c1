"""What has begun and not ended: a bounded registry, from which the run ends what is left."""

# No `from __future__ import annotations`: see settings.py.
from collections.abc import Callable
from typing import Any, NamedTuple

from obs_run.base import guard

_MOST = 10_000


class Ending(NamedTuple):
    """Why something is ended that nobody ended."""

    ended_by: str
    """A signal's name, "exit", "os._exit", "exec", or what happened to its owner."""
    at_ns: int | None = None
    """When it was over, nanoseconds since 1970; None for now."""


EVICTED = Ending("too many open")


class OpenRecordings:
    """Open records by their span ids, in the order of their beginning.

    Each is an object and the function that ends it: ``end(record, ending)``. Of more than ten thousand the oldest is
    ended, because an agent that never ends what it begins would fill the memory.
    """

    def __init__(self) -> None:
        self._open: dict[int, tuple[Callable[[Any, Ending], None], Any]] = {}

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def add(self, span_id: int, end: Callable[[Any, Ending], None], record: Any) -> None:
        """Remember a record; who is added under the id of another takes its place in the order."""
        self._open[span_id] = end, record
        if len(self._open) > _MOST:
            self._evict()

    def replace(self, span_id: int, end: Callable[[Any, Ending], None], record: Any) -> None:
        """Have a record that is open ended by another function; nothing where it is not known."""
        if span_id in self._open:
            self._open[span_id] = end, record

    def find(self, span_id: int) -> Any:
        """Return the record that is open under an id; None where there is none."""
        return self._open.get(span_id, (None, None))[1]

    def records(self) -> list[Any]:
        """Return those that are open, the oldest first."""
        # At once, where no other thread can come between.
        return [record for _, record in list(self._open.values())]

    def inside(self, recording: Any) -> list[Any]:
        """Return those that are open inside of ``recording``, the innermost first."""
        # At once, where no other thread can come between.
        records = [record for _, record in reversed(list(self._open.values()))]
        return [record for record in records if _is_inside(record, recording)]

    def discard(self, span_id: int) -> None:
        """Forget a record that has ended."""
        self._open.pop(span_id, None)

    def end_all(self, ending: Ending) -> None:
        """End everything that is open, the newest first, so that children end before their parents."""
        while self._open:
            try:
                _, (end, record) = self._open.popitem()
            except KeyError:  # another thread was faster
                return
            guard.call("open spans", end, record, ending)

    def forget(self) -> set[int]:
        """In a child process: leave everything to the parent, and return its span ids."""
        open_ids = set(self._open)
        self._open.clear()
        return open_ids

    def _evict(self) -> None:
        oldest = next(iter(self._open), None)
        end, record = self._open.pop(oldest, (None, None)) if oldest is not None else (None, None)
        if end is not None:
            guard.call("open spans", end, record, EVICTED)


def _is_inside(record: Any, outer: Any) -> bool:
    while record is not None:
        record = getattr(record, "outer", None)
        if record is outer:
            return True
    return False


open_recordings = OpenRecordings()
"""Those of this process."""
