"""Who asks the CLI, what it says, and what it asks back for."""

from __future__ import annotations

import sys
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run.base import payload
from obs_run.core.operations import McpCall
from obs_run.core.outcomes import Reader
from obs_run.core.part_calls import OwnServer

from .turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token

    from obs_run.core.callback_runs import Run
    from obs_run.core.outcomes import Call

_CALL = "tools/call"
_TOOL_USE_ID = "claudecode/toolUseId"
_asking: ContextVar[Turns | None] = ContextVar("obs-run-claude-agent-sdk", default=None)
_turns: WeakKeyDictionary[Any, Turns] = WeakKeyDictionary()
"""By the SDK's objects that speak with a CLI."""


class _Asking:
    """A call by which a CLI is started, and what is asked of it at once."""

    def __init__(self, options: Any, prompt: Any, *, is_one_call: bool) -> None:
        self._turns = Turns(options, is_one_call=is_one_call)
        self._prompt = prompt
        self._is_question = prompt is not None
        self._run: Run | None = None
        self._token: Token[Turns | None] | None = None

    def __enter__(self) -> None:
        """Be there for what the call makes, and within the agent's run if that is all of the call."""
        self._token = _asking.set(self._turns)
        if self._is_question and self._run is None:
            self._run = self._turns.ask(self._prompt)
        if self._run is not None and self._run.is_recorded:
            self._run.recording.__enter__()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Go on without; what the call could not begin is over."""
        if self._run is not None and self._run.is_recorded:
            self._run.recording.__exit__(kind, error, traceback)
        if self._token is not None:
            # One that is let go of is closed in whatever context, where there is nothing to reset.
            with suppress(ValueError):
                _asking.reset(self._token)
        if error is not None and not isinstance(error, StopAsyncIteration):
            self._turns.end(error)


def asking(call: Call) -> _Asking:
    """Return the scope of ``InternalClient.process_query``."""
    return _Asking(call.argument(1, "options"), call.argument(0, "prompt"), is_one_call=True)


def connecting(call: Call) -> _Asking:
    """Return the scope of ``ClaudeSDKClient.connect``."""
    return _Asking(payload.get(call.instance, "options"), call.argument(0, "prompt"), is_one_call=False)


def ask(call: Call) -> Callable[[Any], object] | None:
    """Read a question, ``ClaudeSDKClient.query``, and return what reads one that comes in pieces."""
    turns = _turns.get(payload.get(call.instance, "_query"))
    if turns is None:
        return None
    turns.ask(call.argument(0, "prompt"))
    return turns.hear


def say(call: Call) -> Callable[[Any], object] | None:
    """Return what reads the questions that the CLI is told one by one: ``Query.stream_input``."""
    turns = _turns.get(call.instance)
    return None if turns is None else turns.hear


def listen(query: Any) -> Callable[[Any], object]:
    """Return what reads the messages of a CLI."""
    turns = _turns[query] = _asking.get() or Turns(None)
    return turns.read


def interrupt(call: Call) -> None:
    """Read that the user wants the agent to stop: ``Query.interrupt``."""
    _turns[call.instance].interrupt()


def close(call: Call) -> None:
    """End what goes on, because nobody listens any more: ``Query.close``."""
    turns = _turns.get(call.instance)
    if turns is not None:
        turns.leave(sys.exc_info()[1])


def closing(call: Call) -> OwnServer:  # noqa: ARG001 (each is one)
    """Return the scope of ``SdkMcpBridge.aclose``."""
    return OwnServer()


def asked_back(call: Call) -> Any:
    """Return the recording of what the CLI asks this process for: ``Query._handle_control_request``."""
    turns = _turns.get(call.instance)
    request = payload.get(call.argument(0, "request"), "request")
    if turns is None:
        return None
    tool_id = payload.get_text(request, "tool_use_id")
    if payload.get(request, "subtype") == "mcp_message":
        message = payload.get(request, "message")
        if payload.get(message, "method") != _CALL:
            return OwnServer()
        tool_id = _id_of_tool(turns, payload.get_text(request, "server_name"), message)
    return turns.recording_of(tool_id)


def _id_of_tool(turns: Turns, server: str | None, message: Any) -> str | None:
    params = payload.get(message, "params")
    told = payload.get_text(params, "_meta", _TOOL_USE_ID)
    if told is not None:
        return told
    return turns.tool_named(f"mcp__{server}__{payload.get(params, 'name')}", payload.get(params, "arguments"))


def begin_tool_call(call: Call) -> tuple[McpCall, Reader[Any]] | None:
    """Return the operation of the call of a tool in this process, which is a part of the tool."""
    message = call.argument(1, "message")
    if payload.get(message, "method") != _CALL:
        return None
    request_id = payload.get(message, "id")
    operation = McpCall(
        _CALL,
        tool_name=payload.get_text(message, "params", "name"),
        request_id=None if request_id is None else str(request_id),
    )
    return operation, Reader(_read_nothing)


def _read_nothing(_operation: Any, _returned: Any) -> None:
    """Leave it to the CLI's message, which tells what the model gets."""


def carry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Put the trace into ``_meta`` of a copy of the message."""
    message: Mapping[str, Any] = call.argument(1, "message")
    params = payload.get(message, "params") or {}
    meta = params.get("_meta") or {}
    added = fields(meta)
    if added:
        call.replace(1, "message", {**message, "params": {**params, "_meta": {**meta, **added}}})
