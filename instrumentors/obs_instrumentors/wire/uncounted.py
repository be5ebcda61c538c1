"""Answers whose usage comes later than the call that asked for them: in the background, or after a stream was left.

What a later question for them brings is counted once, however often it is asked.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obs_run.core.operations import FetchedResponse, Inference, RemoteAgentRun, Usage

    Key = tuple[str | None, int | None, str]

SOURCE = "fetched"
"""The source of a usage that a later question brought."""
_MOST = 4096
# Each method called here is one step that no other thread comes between; a lock might be held while the process forks.
_waiting: OrderedDict[Key, object] = OrderedDict()
_counted: OrderedDict[Key, object] = OrderedDict()


def note_answer(operation: Inference | RemoteAgentRun, *, is_over: bool) -> None:
    """Note whether the usage of an answer is known, or is to be counted when somebody asks for it."""
    if operation.response_id is None:
        return
    key = _key(operation, operation.response_id)
    if is_over and operation.usage is not None:
        _waiting.pop(key, None)
        _keep(_counted, key)
    elif not is_over:
        _keep(_waiting, key)


def count_fetched(operation: FetchedResponse, usage: Usage | None, *, is_background: bool) -> bool:
    """Give an answer's usage to the question that brings it first; return whether this one does.

    An answer that was made in the background by another process counts too: nobody can have counted it.
    """
    if usage is None or operation.response_id is None:
        return False
    key = _key(operation, operation.response_id)
    mine = object()
    is_waiting = _waiting.pop(key, None) is not None
    if not is_waiting and not is_background:
        return False
    if _counted.setdefault(key, mine) is not mine:
        return False
    _shorten(_counted)
    operation.usage = usage
    operation.usage_source = SOURCE
    return True


def _key(operation: Inference | RemoteAgentRun | FetchedResponse, response_id: str) -> Key:
    return operation.server_address, operation.server_port, response_id


def _keep(ids: OrderedDict[Key, object], key: Key) -> None:
    ids[key] = True
    _shorten(ids)


def _shorten(ids: OrderedDict[Key, object]) -> None:
    if len(ids) > _MOST:
        ids.popitem(last=False)
