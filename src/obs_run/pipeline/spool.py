"""OTLP requests on disk, for a destination that is away: bounded, in order, shared by the processes of a user.

One folder a destination, in it segments (``files/segment.py``): a process writes its own, and reads on those of
processes that are gone. What is in a request was scrubbed before it was encoded; headers and credentials are never
here.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from obs_run.base import guard
from obs_run.files.segment import ENDING, Segment
from obs_run.files.shared_file import make_folder
from obs_run.pipeline import losses
from obs_run.pipeline.spool_folder import close_to_others, describe, described, files, files_of
from obs_run.process.unpatched import RLock, getpid, time, urandom

if TYPE_CHECKING:
    from pathlib import Path

    from obs_run.files.segment import Head
    from obs_run.pipeline.losses import Losses, Reason
    from obs_run.pipeline.spool_folder import OtlpEndpoint

_SEGMENT_BYTES = 4 << 20
_LEAST_SEGMENTS = 8
"""How many the bound holds: the oldest goes as a whole."""
_SECONDS_BETWEEN_LOOKS = 30.0
_SECONDS_BETWEEN_SUMS = 1.0
_GZIP = 1
_GZIP_BITS = 16 + zlib.MAX_WBITS
_LARGEST_BODY = 256 << 20


class Stored:
    """A request in the spool."""

    __slots__ = ("_head", "_segment", "is_tried")

    def __init__(self, segment: OpenSegment, head: Head) -> None:
        self._segment = segment
        self._head = head
        self.is_tried = head.is_tried
        """Whether it may have arrived already."""

    @property
    def items(self) -> int:
        """How many spans, log records or collections of metrics are in it."""
        return self._head.items

    def is_there(self) -> bool:
        """Whether it is still ours to send; else it was given up and counted, or left to others."""
        return self._head.place in self._segment.waiting and self._segment.file.is_open()

    def is_older_than(self, moment: float) -> bool:
        """Whether it was written before ``moment``, by the clock of the day."""
        return self._head.time < moment

    def read(self, *, as_gzip: bool) -> bytes | None:
        """Return its body, compressed or not; None if it is damaged or cannot be read."""
        try:
            body = self._segment.file.read(self._head)
        except OSError:
            return None
        if body is None or as_gzip == bool(self._head.flags & _GZIP):
            return body
        try:
            return compressed(body) if as_gzip else zlib.decompressobj(_GZIP_BITS).decompress(body, _LARGEST_BODY)
        except zlib.error:
            return None

    def note_tried(self) -> None:
        """Note that it is being sent: who finds it so later does not know whether it arrived."""
        self.is_tried = True
        with suppress(OSError):
            self._segment.file.note_tried(self._head)

    def note_waiting(self) -> None:
        """Note that it has not arrived."""
        self.is_tried = False
        with suppress(OSError):
            self._segment.file.note_waiting(self._head)

    def finish(self) -> None:
        """Take it out of the spool; the file goes with its last request."""
        with suppress(OSError):
            self._segment.file.note_done(self._head)
        self._segment.forget(self._head.place)


class OpenSegment:
    """A segment that this process has, and which of its requests still wait."""

    def __init__(self, spool: Spool, file: Segment, endpoint: OtlpEndpoint) -> None:
        self._spool = spool
        self.file = file
        self.endpoint = endpoint
        self.waiting: dict[int, int] = {}
        """Place -> number of items."""

    def forget(self, place: int) -> None:
        """Take a request out; delete the file with the last of them."""
        with self._spool.lock:
            self.waiting.pop(place, None)
            if not self.waiting:
                self._spool.delete(self)


class Spool:
    """The folder, its bounds, and the segments that this process has open; used by any thread."""

    def __init__(self, folder: Path, most_bytes: int, keep: float, lost: Losses) -> None:
        self.folder = folder
        self.keep = keep
        self.lost = lost
        self.lock = RLock()
        self.open: dict[Path, OpenSegment] = {}
        """By path."""
        self.segment_bytes = min(_SEGMENT_BYTES, most_bytes // _LEAST_SEGMENTS)
        self._most_bytes = most_bytes
        self._bytes = 0
        self._summed = -_SECONDS_BETWEEN_SUMS
        self._is_failing = False

    def of(self, endpoint: OtlpEndpoint) -> DestinationSpool:
        """Return the spool of one destination."""
        return DestinationSpool(self, endpoint, self.folder / endpoint.folder())

    def add(self, segment: OpenSegment) -> None:
        """Note a segment that this process has opened."""
        self.open[segment.file.path] = segment

    def delete(self, segment: OpenSegment) -> None:
        """Delete a segment of this process."""
        with self.lock:
            self.open.pop(segment.file.path, None)
            self._bytes -= segment.file.size
            guard.call("spool", segment.file.delete)

    def close(self, segment: OpenSegment) -> None:
        """Leave a segment to others."""
        with self.lock:
            self.open.pop(segment.file.path, None)
            segment.waiting.clear()
            segment.file.close()

    def has_open(self, path: Path) -> bool:
        """Whether this process has the segment at ``path``; not one whose descriptor the agent has closed."""
        segment = self.open.get(path)
        if segment is not None and not segment.file.is_open():
            self.close(segment)
            segment = None
        return segment is not None

    def grow(self, number: int) -> None:
        """Note that so many bytes were added."""
        self._bytes += number

    def has_room(self, number: int) -> bool:
        """Whether ``number`` bytes more fit; the oldest segments that nobody else has go for it, counted."""
        if time.monotonic() - self._summed >= _SECONDS_BETWEEN_SUMS:
            self._bytes = sum(size for _, size in files(self.folder))
            self._summed = time.monotonic()
        if number > self._most_bytes:
            return False
        if self._bytes + number <= self._most_bytes:
            return True
        for path, size in files(self.folder):
            if self._give_up(path):
                self._bytes -= size
            if self._bytes + number <= self._most_bytes:
                return True
        return False

    def _give_up(self, path: Path) -> bool:
        own = self.open.get(path)
        try:
            segment = own or self.claimed(path, described(path.parent))
            if segment is None:
                return False
            self.lose(segment, losses.SPOOL_FULL)
            self.open.pop(path, None)
            segment.file.delete()
        except OSError:
            return False
        return True

    def claimed(self, path: Path, endpoint: OtlpEndpoint) -> OpenSegment | None:
        """Return a segment of a process that is gone; what is damaged in it is counted. None if there is nothing."""
        file = Segment.claim(path)
        if file is None:
            return None
        segment = OpenSegment(self, file, endpoint)
        for head in file.heads():
            if head is None:
                self.count(1, losses.SPOOL_DAMAGED, endpoint)
            else:
                segment.waiting[head.place] = head.items
        return segment

    def lose(self, segment: OpenSegment, reason: Reason) -> None:
        """Count what waits in a segment as lost."""
        self.count(sum(segment.waiting.values()), reason, segment.endpoint)
        segment.waiting.clear()

    def count(self, number: int, reason: Reason, endpoint: OtlpEndpoint) -> None:
        """Count items as lost."""
        self.lost.count(number, reason, endpoint.signal, endpoint.address)  # type: ignore[arg-type]

    def failed(self, error: OSError) -> None:
        """Say once that nothing can be written, until something was."""
        if not self._is_failing:
            self._is_failing = True
            guard.warn(f"obs-run: the spool {self.folder} cannot be written ({error.strerror or error}); see OBS_SPOOL")

    def worked(self) -> None:
        """Note that something was written."""
        self._is_failing = False

    def after_fork(self) -> None:
        """In a child: what is open is the parent's, and the locks with it."""
        self.lock = RLock()
        for segment in self.open.values():
            segment.waiting = {}
            segment.file.close()
        self.open = {}


class DestinationSpool:
    """What waits on the disk for one destination."""

    def __init__(self, spool: Spool, endpoint: OtlpEndpoint, folder: Path) -> None:
        self._spool = spool
        self.folder = folder
        self._endpoint = endpoint
        self._written: OpenSegment | None = None
        self._claimed: list[Stored] = []
        self._next_look = 0.0

    def store(self, body: bytes, items: int, *, is_gzip: bool, is_tried: bool = False) -> Stored | None:
        """Write a request behind the others of this process; None where there is no room or no disk."""
        if not is_gzip:
            body = compressed(body)
        with self._spool.lock:
            try:
                segment = self._segment_for(len(body))
                if segment is None:
                    return None
                before = segment.file.size
                head = segment.file.append(body, items, _GZIP, time.time(), is_tried=is_tried)
            except OSError as error:
                self._spool.failed(error)
                return None
            self._spool.grow(segment.file.size - before)
            segment.waiting[head.place] = items
        self._spool.worked()
        return Stored(segment, head)

    def next_claimed(self) -> Stored | None:
        """Return the oldest request that another process left; None if there is none."""
        while self._claimed:
            if self._claimed[-1].is_there():
                return self._claimed[-1]
            self._claimed.pop()
        now = time.monotonic()
        if now < self._next_look:
            return None
        with self._spool.lock:
            found = guard.call("spool", self._claim_next)
        if not found:
            self._next_look = now + _SECONDS_BETWEEN_LOOKS
        return self._claimed[-1] if self._claimed else None

    def has_claimed(self) -> bool:
        """Whether a request that another process left is in our hands."""
        return bool(self._claimed)

    def is_expired(self, stored: Stored) -> bool:
        """Whether a request waited longer than it is kept."""
        return bool(self._spool.keep) and stored.is_older_than(time.time() - self._spool.keep)

    def lose(self, stored: Stored, reason: Reason) -> None:
        """Take a request out, and count it as lost."""
        if stored.is_there():
            self._spool.count(stored.items, reason, self._endpoint)
            stored.finish()

    def close(self) -> None:
        """Leave to others what waits on the disk."""
        with self._spool.lock:
            self._written = None
            self._claimed = []
            for segment in tuple(self._spool.open.values()):
                if segment.endpoint == self._endpoint:
                    self._end(segment)

    def after_fork(self) -> None:
        """In a child: begin anew."""
        self._spool.after_fork()
        self._written = None
        self._claimed = []

    def _end(self, segment: OpenSegment) -> None:
        if segment.waiting:
            self._spool.close(segment)
        else:
            self._spool.delete(segment)

    def _segment_for(self, length: int) -> OpenSegment | None:
        """Return the segment to write to, a new one where that is full or gone."""
        if not self._spool.has_room(length):
            return None
        segment = self._written
        if segment is not None and not self._may_grow(segment, length):
            segment = None
        if segment is None:
            segment = self._new_segment()
        self._written = segment
        return segment

    def _may_grow(self, segment: OpenSegment, length: int) -> bool:
        """Whether a segment takes one more request; let go of it otherwise."""
        if not segment.file.is_open():
            # All of it was sent; or the agent closed all descriptors, and whoever claims it has it now.
            self._spool.close(segment)
            self._next_look = 0.0
            return False
        if not segment.file.is_there():
            self._spool.lose(segment, losses.SPOOL_DROPPED)
            self._spool.close(segment)
            return False
        return segment.file.size + length <= self._spool.segment_bytes

    def _new_segment(self) -> OpenSegment:
        self._prepare()
        # In the order of their making, whoever makes them.
        name = f"{time.time_ns():020d}-{getpid()}-{urandom(4).hex()}{ENDING}"
        segment = OpenSegment(self._spool, Segment.create(self.folder / name), self._endpoint)
        self._spool.add(segment)
        return segment

    def _prepare(self) -> None:
        """Have the folder, the user's alone, with what it is for written into it."""
        make_folder(self._spool.folder)
        close_to_others(self._spool.folder)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        close_to_others(self.folder)
        with suppress(FileExistsError):
            describe(self.folder, self._endpoint)

    def _claim_next(self) -> bool:
        for path, _ in files_of(self.folder):
            if self._spool.has_open(path):
                continue
            close_to_others(self.folder)
            segment = self._spool.claimed(path, self._endpoint)
            if segment is None:
                continue
            self._spool.add(segment)
            if not segment.waiting:
                self._spool.delete(segment)
                continue
            heads = [head for head in segment.file.heads() if head is not None and head.place in segment.waiting]
            self._claimed = [Stored(segment, head) for head in reversed(heads)]
            return True
        return False


def compressed(body: bytes) -> bytes:
    """Return ``body`` as gzip; the module gzip would ask the agent's clock for the time."""
    compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP_BITS)
    return compressor.compress(body) + compressor.flush()
