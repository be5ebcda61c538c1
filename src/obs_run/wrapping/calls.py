"""Calls of the agent's own functions, recorded as what an entry says."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from obs_run.core import content, messages, ownership, semconv, streams
from obs_run.core.operations import AgentRun, ContractCheck, Operation, OwnCall, ToolCall
from obs_run.core.operations.own import CONTRACT_VIOLATED
from obs_run.core.outcomes import Call, Reader
from obs_run.wrapping import values
from obs_run.wrapping.entries import CONTRACT, HANDLER, RESULT, TOOL, Entry, ValuePath

if TYPE_CHECKING:
    from obs_run.core.hooks import Wrapper

_DEEPEST_RECORDING = 8


class _Handler(AgentRun):
    """What an agent does with a request that it handles."""

    contents: dict[str, Any]

    def content(self) -> dict[str, Any]:
        return {**super().content(), **self.contents}


class _Tool(ToolCall):
    """A function that the agent uses as a tool."""

    contents: dict[str, Any]

    def content(self) -> dict[str, Any]:
        return {**super().content(), **self.contents}


_OPERATIONS: dict[str, type[Any]] = {HANDLER: _Handler, TOOL: _Tool, CONTRACT: ContractCheck}


def parameters_of(function: Any, *, is_method: bool) -> values.Parameters:
    """Return the parameters of a function, as its calls give them."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return values.Parameters((), takes_more=True)
    if is_method and found and found[0].kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD:
        del found[0]
    named = [one.name for one in found if one.kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD]
    only_named = [one.name for one in found if one.kind is inspect.Parameter.KEYWORD_ONLY]
    is_open = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in found)
    return values.Parameters([*named, *only_named], takes_more=is_open)


def wrapper_for(entry: Entry, function: Any, parameters: values.Parameters) -> Wrapper:
    """Return the wrapper that records each call of a function as ``entry`` says."""
    return streams.wrap_call(_Calls(entry, function, parameters).begin)


class _Calls:
    """The calls of one function."""

    def __init__(self, entry: Entry, function: Any, parameters: values.Parameters) -> None:
        self._entry = entry
        self._function = function
        self._parameters = parameters
        is_stream = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
        # A coroutine's arguments are wrong when it is called; its work begins when it is awaited.
        is_late = is_stream or inspect.iscoroutinefunction(function)
        self._reader: Reader = Reader(self._read_result, failure=_note_failure, lazy=is_late, single_response=is_stream)
        module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", entry.name)
        self._qualified_name = f"{module}.{name}" if module else name

    def begin(self, call: Call) -> tuple[Operation, Reader] | None:
        """Return what a call is recorded as; None where a method calls that of its base class, which is the same."""
        if values.is_asking():
            return None
        mark = (self._entry, id(call.instance), self._function)
        if call.instance is not None and _is_inside_of_same(mark):
            return None
        operation = self._operation(call)
        operation.marked = mark
        operation.contents = {}
        for name, path in self._entry.attributes.items():
            if path.root != RESULT:
                _set(operation, name, self._parameters.value(path, call))
        if content.wanted():
            for name, path in self._entry.content.items():
                if path.root != RESULT:
                    operation.contents[name] = self._parameters.value(path, call)
        return operation, self._reader

    def _operation(self, call: Call) -> Any:
        entry, name = self._entry, self._name(call)
        if entry.kind == HANDLER:
            run = _Handler(agent_name=name or self._name_of_owner(call))
            run.extra[semconv.CODE_FUNCTION_NAME] = self._qualified_name
            if content.wanted():
                run.input_messages = [_as_message("user", self._parameters.all_of(call))]
            return run
        if entry.kind == TOOL:
            tool = _Tool(tool_name=name or self._function.__name__)
            content.note_arguments(tool, self._parameters.all_of(call))
            return tool
        if entry.kind == CONTRACT:
            return ContractCheck("check", function=self._qualified_name, contract=name or self._name_of_owner(call))
        return OwnCall(name or self._function.__qualname__.replace("<locals>.", ""), function=self._qualified_name)

    def _name(self, call: Call) -> str:
        pieces = self._entry.span_name
        return "".join(
            values.in_name(self._parameters.value(piece, call)) if isinstance(piece, ValuePath) else piece
            for piece in pieces
        ).strip()

    def _name_of_owner(self, call: Call) -> str:
        owner = call.instance
        if owner is None:
            return str(self._function.__name__)
        return owner.__name__ if isinstance(owner, type) else type(owner).__name__

    def _read_result(self, operation: Any, returned: Any) -> None:
        entry = self._entry
        for name, path in entry.attributes.items():
            if path.root == RESULT:
                _set(operation, name, values.follow(returned, path.keys))
        if entry.kind == CONTRACT:
            self._read_verdict(operation, returned)
        if not content.wanted():
            return
        for name, path in entry.content.items():
            if path.root == RESULT:
                operation.contents[name] = values.follow(returned, path.keys)
        if returned is None:
            return
        if entry.kind == TOOL:
            operation.result = returned
        elif entry.kind == HANDLER:
            operation.output_messages = [_as_message("assistant", returned)]

    def _read_verdict(self, operation: ContractCheck, returned: Any) -> None:
        """Read whether a contract is met: as the entry says, else by a result that is true or false."""
        met = self._entry.met
        verdict = returned if met is None else values.follow(returned, met.keys)
        if met is None and not isinstance(verdict, bool):
            # It raises where the contract is not met.
            verdict = True
        operation.is_met = verdict if isinstance(verdict, bool) else _has_items(verdict)
        if not operation.is_met:
            operation.error_type = CONTRACT_VIOLATED
            operation.error_message = f"{operation.contract}: the contract is not met"


def _has_items(verdict: Any) -> bool:
    """Return the truth of what is no bool, as far as none of the agent's code runs for that."""
    return bool(verdict) if type(verdict) in (int, float, str, bytes, list, tuple, dict, set, type(None)) else True


def _note_failure(operation: Any, _error: BaseException) -> None:
    if isinstance(operation, ContractCheck):
        operation.is_met = False


def _is_inside_of_same(mark: tuple[Entry, int, Any]) -> bool:
    """Whether the same object's method of the same entry is going on already, in a class that overrides this one."""
    entry, instance, function = mark
    recording: Any = ownership.current_recording()
    for _ in range(_DEEPEST_RECORDING):
        if recording is None:
            return False
        outer = getattr(recording.operation, "marked", None)
        if outer is not None and outer[:2] == (entry, instance):
            return outer[2] is not function
        recording = getattr(recording, "outer", None)
    return False


def _set(operation: Any, name: str, value: Any) -> None:
    if value is not None:
        operation.extra[name] = values.shown(value)


def _as_message(role: str, value: Any) -> Any:
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values() if role == "user" else (value,)
    shown = value if isinstance(value, str) else content.to_json(content.copied(value))
    return messages.message(role, messages.text(shown), finish_reason="stop" if role == "assistant" else None)
