"""What a client asks for: entries of streams, and what it pops of lists and sorted sets once there is something.

A list carries no trace, and may be a queue of jobs, the place for an answer, or a lock: what is popped of those that
the user calls queues is worked on, all else is waited for.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from obs_run.base import payload
from obs_run.base.steps import Step
from obs_run.core import handled_messages, message_carriers, named_keys, recorder
from obs_run.core.operations import MessageOperation, MessageProcess, MessageReceive

from . import clients
from .entries import Entry, note_to

if TYPE_CHECKING:
    from contextvars import Token

    from obs_run.core.handled_messages import HandledMessage
    from obs_run.core.outcomes import Call

_TIMEOUTS = ("TimeoutError", "CancelledError")

_unacknowledged: WeakKeyDictionary[HandledMessage, set[str | None]] = WeakKeyDictionary()
"""The ids of entries that were read for a group, and are worked on."""
_sources: WeakKeyDictionary[HandledMessage, tuple[int, frozenset[str]]] = WeakKeyDictionary()
"""What those that are worked on were read from: the id of the pool, and the names of streams or lists."""


class _Command(NamedTuple):
    """What a command asks for."""

    name: str
    sources: tuple[str, ...]
    blocks: bool
    group: str | None = None
    consumer: str | None = None
    is_queue: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether it reads entries."""
        return self.name.startswith("x")


class _Scope:
    """The command while it is under way: what is read of streams is noted, and the waiting is current."""

    __slots__ = ("_token", "_waiting", "noted")

    def __init__(self, waiting: Any) -> None:
        self.noted: list[Entry] = []
        self._waiting = waiting
        self._token: Token[list[Entry] | None] | None = None

    def __enter__(self) -> None:
        """Begin."""
        self._token = note_to.set(self.noted)
        if self._waiting is not None:
            self._waiting.__enter__()

    def __exit__(self, *error: object) -> None:
        """End."""
        if self._waiting is not None:
            self._waiting.__exit__(*error)
        if self._token is not None:
            note_to.reset(self._token)


class _ReadStep(Step):
    """A command that reads messages; ``waiting`` records it where it waits inside of other work."""

    __slots__ = ("_begun", "_client", "_command", "_scope", "_waiting")

    def __init__(self, client: Any, command: _Command, waiting: Any) -> None:
        self._scope = _Scope(waiting)
        super().__init__(self._scope)
        self._begun = recorder.now()
        self._client = client
        self._command = command
        self._waiting = waiting

    def read_returned(self, returned: Any) -> Any:
        """Have the agent work on what came."""
        handled = self._received(returned)
        if self._waiting is not None:
            self._waiting.end()
        if handled is not None:
            _sources[handled] = _source(self._client, self._command)
            if self._command.group is not None:
                _unacknowledged[handled] = {entry.id for entry in self._scope.noted}
            handled.make_current()
        return returned

    def end(self, error: BaseException) -> None:
        """Note that it failed."""
        if self._waiting is not None:
            self._waiting.end(error)
        elif type(error).__name__ not in _TIMEOUTS:
            operation = _described(MessageReceive(name=self._command.name), self._client, self._command, None)
            operation.batch_size = 0
            recorder.measure(operation, 0, error)

    def _received(self, returned: Any) -> HandledMessage | None:
        noted, command, client = self._scope.noted, self._command, self._client
        if not returned or (command.is_stream and not noted):
            return None
        operation = _described(MessageProcess(), client, command, _source_of(returned, command))
        senders = [entry.sender for entry in noted] or [{}]
        if self._waiting is not None:
            self._waiting.operation.batch_size = len(senders)
        elif not clients.may_receive(client, operation.destination_template):
            return None
        if command.is_stream:
            _read_entries(operation, noted)
            return handled_messages.receive_news(operation, senders, client, self._waiting)
        if command.is_queue:
            operation.body_size = _popped_size(returned)
            return handled_messages.receive_batch(operation, senders, client)
        if self._waiting is None:
            self._record_waiting(operation.destination)
        return None

    def _record_waiting(self, source: str | None) -> None:
        """Record that something was waited for, which came: polling in vain is no work."""
        operation = _described(MessageReceive(name=self._command.name), self._client, self._command, source)
        operation.batch_size = 1
        recording = recorder.start(operation, begun=self._begun)
        if recording is not None:
            recording.end()


def _read_entries(operation: MessageOperation, noted: list[Entry]) -> None:
    if len(noted) > 1:
        operation.batch_size = len(noted)
        return
    [entry] = noted
    operation.message_id = entry.id
    operation.body_size = entry.size
    milliseconds = (entry.id or "").partition("-")[0]
    if milliseconds.isdecimal():
        operation.queue_time = message_carriers.seconds_since(int(milliseconds) * 1000)


def _popped_size(returned: Any) -> int | None:
    """Return the size of a single value, alone or behind the name of its list."""
    value = returned
    if isinstance(returned, (list, tuple)):
        value = returned[1] if len(returned) > 1 else None
    return len(value) if isinstance(value, (str, bytes)) else None


def _source_of(returned: Any, command: _Command) -> str | None:
    """Return where something came from, where that is one stream or list."""
    if len(command.sources) == 1:
        return command.sources[0]
    if isinstance(returned, dict):
        return clients.name_of(next(iter(returned))) if len(returned) == 1 else None
    first = payload.as_list(returned)[:1]
    if first and isinstance(first[0], (list, tuple)):
        return clients.name_of(first[0][0]) if len(returned) == 1 else None
    return clients.name_of(first[0]) if first else None


def _described(operation: Any, client: Any, command: _Command, source: str | None) -> Any:
    name = source if source is not None or len(command.sources) != 1 else command.sources[0]
    clients.describe(client, operation, name)
    operation.consumer_group, operation.client_id = command.group, command.consumer
    return operation


def _begin(client: Any, command: _Command) -> Step | None:
    if clients.is_pipeline(client) or clients.is_own_protocol():
        return None
    before = handled_messages.here()
    if before is not None and _sources.get(before) == _source(client, command):
        before.end()
    waiting = None
    if command.blocks and not command.is_queue and handled_messages.is_inside_work():
        operation = _described(MessageReceive(name=command.name), client, command, None)
        if clients.may_receive(client, operation.destination_template):
            waiting = recorder.start(operation)
    return _ReadStep(client, command, waiting)


def _source(client: Any, command: _Command) -> tuple[int, frozenset[str]]:
    return id(clients.pool_of(client)), frozenset(command.sources)


def note_disconnect(call: Call) -> None:
    """Note that a pool is closed: the work on what was read by it is over."""
    for handled, (pool, _) in list(_sources.items()):
        if pool == id(call.instance):
            handled.end()
    clients.measure_rest(call.instance)


def note_acknowledged(call: Call) -> None:
    """Note that entries are acknowledged: with the last one of those that were read together the work is over."""
    pool, name = id(clients.pool_of(call.instance)), clients.name_of(call.argument(0, "name"))
    done = {clients.name_of(each) for each in call.args[2:]}
    for handled, waiting in list(_unacknowledged.items()):
        if _sources.get(handled) == (pool, frozenset((name,))) and waiting & done:
            waiting.difference_update(done)
            if not waiting:
                handled.end()


def begin_xread(call: Call) -> Step | None:
    """Begin ``xread``."""
    blocks = call.argument(2, "block") is not None
    return _begin(call.instance, _Command("xread", _names(call.argument(0, "streams")), blocks))


def begin_xreadgroup(call: Call) -> Step | None:
    """Begin ``xreadgroup``."""
    blocks = call.argument(4, "block") is not None
    group, consumer = (clients.name_of(call.argument(*one)) for one in ((0, "groupname"), (1, "consumername")))
    names = _names(call.argument(2, "streams"))
    return _begin(call.instance, _Command("xreadgroup", names, blocks, group, consumer))


def _begin_claim(command: str, call: Call) -> Step | None:
    group, consumer = (clients.name_of(call.argument(*one)) for one in ((1, "groupname"), (2, "consumername")))
    return _begin(
        call.instance, _Command(command, _names(call.argument(0, "name")), blocks=False, group=group, consumer=consumer)
    )


begin_xclaim = partial(_begin_claim, "xclaim")
begin_xautoclaim = partial(_begin_claim, "xautoclaim")


def _begin_pop(command: str, position: int, name: str, call: Call) -> Step | None:
    return _pop(call, command, call.argument(position, name))


def _pop(call: Call, command: str, keys: Any) -> Step | None:
    names = _names(keys)
    is_queue = named_keys.pattern_of(names, "OBS_REDIS_QUEUES") is not None
    return _begin(call.instance, _Command(command, names, blocks=True, is_queue=is_queue))


begin_blpop = partial(_begin_pop, "blpop", 0, "keys")
begin_brpop = partial(_begin_pop, "brpop", 0, "keys")
begin_brpoplpush = partial(_begin_pop, "brpoplpush", 0, "src")
begin_blmove = partial(_begin_pop, "blmove", 0, "first_list")
begin_bzpopmin = partial(_begin_pop, "bzpopmin", 0, "keys")
begin_bzpopmax = partial(_begin_pop, "bzpopmax", 0, "keys")
begin_bzmpop = partial(_begin_pop, "bzmpop", 2, "keys")


def begin_blmpop(call: Call) -> Step | None:
    """Begin ``blmpop``, which has its lists behind what else it is given."""
    return _pop(call, "blmpop", list(call.args[2:]))


def _names(keys: Any) -> tuple[str, ...]:
    """Return the names of what is read from: one, or several in a list or mapping, which may be read again."""
    several = keys if isinstance(keys, (list, tuple, dict, set)) else [keys]
    names = [clients.name_of(key) for key in several]
    return tuple(name for name in names if name is not None)
