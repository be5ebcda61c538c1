"""What agents of one's own do, told in the conventions' words: runs, workflows, steps, tool calls and model calls.

Unlike other spans these count: runs sum up what happens inside (``obs.run.*``), and budgets hold for them.
"""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from obs_run.base import guard
from obs_run.base.functions import innermost, is_decorable, observe_calls
from obs_run.base.lenient import lenient
from obs_run.base.payload import as_count, as_int
from obs_run.context.current_context import ContextScope, enter, leave
from obs_run.core import content, messages, recorder
from obs_run.core.control_flow import end_with_outcome, outcome_of
from obs_run.core.operations import AgentRun, Inference, Step, ToolCall, Usage, Workflow
from obs_run.tracing import attribute_values
from obs_run.tracing.vocabulary import from_otel

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context
    from typing_extensions import Self

    from obs_run.context.current_context import Entry
    from obs_run.core.messages import Message
    from obs_run.core.nesting import NestedInvocation
    from obs_run.core.recorder import Recording
    from obs_run.tracing.vocabulary import SpanContext

    F = TypeVar("F", bound=Callable[..., Any])

WorkT = TypeVar("WorkT", bound="RecordedWork")


class RecordedWork:
    """A piece of an agent's work that is going on; with nothing to record it, all of its methods do nothing."""

    __slots__ = ("_operation", "_recording")

    def __init__(self, operation: Any) -> None:
        self._operation = operation
        self._recording: Recording | NestedInvocation | None = None

    @property
    def context(self) -> SpanContext | None:
        """The ids of its span, None where it is not recorded."""
        if self._recording is None:
            return None
        ids = self._recording.span.get_span_context()
        return from_otel(ids.trace_id, ids.span_id, 0, int(ids.trace_flags))

    @lenient
    def set_tag(self, key: str, value: Any) -> None:
        """Put an attribute of one's own on the span."""
        if self._recording is not None:
            guard.call("span", self._set_tag, self._recording, key, value)

    def _set_tag(self, recording: Recording | NestedInvocation, key: str, value: Any) -> None:
        tags = attribute_values.mapping({key: value})
        recording.span.set_attributes(attribute_values.all_exported(tags))

    @lenient
    def fail(self, message: str, error_type: str = "error") -> None:
        """Have it end as failed though no exception leaves it."""
        self._operation.error_type = attribute_values.text(error_type)
        self._operation.error_message = attribute_values.text(message)

    def begin(self) -> Self:
        """Begin to record it; raises ``BudgetExceeded`` where a budget that stops runs is used up."""
        self._recording = recorder.start(self._operation)
        return self

    def running(self) -> AbstractContextManager[Any]:
        """Return what makes it current."""
        recording = self._recording
        return nullcontext() if recording is None else ContextScope(recording.context)

    def inside(self, context: Context) -> Context:
        """Return the context of what happens in it; ``context`` where it is not recorded."""
        return context if self._recording is None else self._recording.context

    def end(self, error: BaseException | None, result: Any) -> None:
        """End it as a function did: with an error, or with a result."""
        if error is None and result is not None:
            guard.call("span", self._note_returned, result)
        self.leave(error)

    def leave(self, error: BaseException | None) -> None:
        """End it; cancellation and a generator that is closed early are outcomes, not errors."""
        recording: Any = self._recording
        if recording is None:
            return
        outcome = None if error is None else outcome_of(error, {})
        if outcome is not None:
            guard.call("span", end_with_outcome, recording, outcome)
        else:
            recording.end(error)

    def note_called(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Take what a function is called with."""

    def _note_returned(self, result: Any) -> None:
        """Take what a function returned."""


class _Conversing(RecordedWork):
    """What is asked and answers: content, and so kept only where content is wanted."""

    __slots__ = ()

    @lenient
    def set_input(self, asked: Any) -> None:
        """Tell what was asked: a text, or messages as dicts of ``role`` and ``content`` or ``parts``."""
        if content.wanted():
            self._operation.input_messages = guard.call("span", _as_messages, "user", asked)

    @lenient
    def set_output(self, answer: Any) -> None:
        """Tell what was answered, in the same forms."""
        if content.wanted():
            self._operation.output_messages = guard.call("span", _as_messages, "assistant", answer)

    @lenient
    def set_usage(self, input_tokens: int | None = None, output_tokens: int | None = None) -> None:
        """Tell the tokens that were used: of a run in all, where its model calls are not recorded."""
        self._operation.usage = Usage(input_tokens=as_count(input_tokens), output_tokens=as_count(output_tokens))

    def note_called(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Take the one text that a function is called with as what is asked, else all of its arguments."""
        if not content.wanted() or self._operation.input_messages is not None:
            return
        arguments = _arguments(function, args, kwargs)
        texts = [value for value in arguments.values() if isinstance(value, str)]
        self.set_input(texts[0] if len(texts) == len(arguments) == 1 else arguments)

    def _note_returned(self, result: Any) -> None:
        if self._operation.output_messages is None:
            self.set_output(result)


class RecordedRun(_Conversing):
    """A run of an agent or a workflow."""

    __slots__ = ()


class RecordedModelCall(_Conversing):
    """A call of a model."""

    __slots__ = ()

    @lenient
    def set_response_model(self, model: str) -> None:
        """Tell the model that answered, which prices go by."""
        self._operation.response_model = attribute_values.text(model)


class RecordedToolCall(RecordedWork):
    """A call of a tool."""

    __slots__ = ()

    @lenient
    def set_arguments(self, arguments: Any) -> None:
        """Tell what it is called with, which also tells identical calls; content."""
        guard.call("span", content.note_arguments, self._operation, arguments)

    @lenient
    def set_result(self, result: Any) -> None:
        """Tell what it gave; content."""
        if content.wanted():
            self._operation.result = result

    def note_called(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Take the arguments by their names."""
        if self._operation.identity is None:
            self.set_arguments(_arguments(function, args, kwargs))

    def _note_returned(self, result: Any) -> None:
        if self._operation.result is None:
            self.set_result(result)


class WorkScope(Generic[WorkT]):
    """A block of an agent's work for ``with`` and ``async with``, in which it is current; a decorator for functions."""

    __slots__ = ("_entries", "_make")

    def __init__(self, make: Callable[[str | None], WorkT]) -> None:
        self._make = make
        self._entries: list[Entry] = []

    def __enter__(self) -> WorkT:
        """Begin it and make it current."""
        work = self._make(None).begin()
        enter(self, work.inside, self._entries, work)
        return work

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        """End it, with the error that it is left by."""
        entry = leave(self, self._entries)
        if entry is not None:
            entry.carried.leave(error)

    async def __aenter__(self) -> WorkT:
        """Begin it and make it current."""
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        """End it, with the error that it is left by."""
        self.__exit__(kind, error, at)

    def __call__(self, function: F) -> F:
        """Return ``function`` with such a recording of each call, named like the function unless a name was given."""
        inner = innermost(function)
        name = getattr(inner, "__name__", type(inner).__name__)

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> WorkT:
            work = self._make(name)
            guard.call("span", work.note_called, function, args, kwargs)
            return work.begin()

        return observe_calls(function, begin)


@overload
def trace_agent(name: F) -> F: ...
@overload
def trace_agent(
    name: str | None = None,
    agent_id: str | None = None,
    version: str | None = None,
    description: str | None = None,
    model: str | None = None,
    conversation_id: str | None = None,
) -> WorkScope[RecordedRun]: ...
@lenient
def trace_agent(
    name: Any = None,
    agent_id: Any = None,
    version: Any = None,
    description: Any = None,
    model: Any = None,
    conversation_id: Any = None,
) -> Any:
    """Record a run of an agent (``invoke_agent``): a block of ``with``, or with ``@`` each call of a function.

    ``model`` is for agents all of whose calls go to one model. Runs of one ``conversation_id`` are linked.
    """
    known = _texts(
        agent_id=agent_id,
        agent_version=version,
        agent_description=description,
        request_model=model,
        conversation_id=conversation_id,
    )
    return _scope(name, lambda named: RecordedRun(AgentRun(agent_name=named, **known)))


@overload
def trace_workflow(name: F) -> F: ...
@overload
def trace_workflow(name: str | None = None, conversation_id: str | None = None) -> WorkScope[RecordedRun]: ...
@lenient
def trace_workflow(name: Any = None, conversation_id: Any = None) -> Any:
    """Record a run of several agents or steps (``invoke_workflow``), as a block or with ``@``."""
    known = _texts(conversation_id=conversation_id)
    return _scope(name, lambda named: RecordedRun(Workflow(workflow_name=named, **known)))


@overload
def trace_step(name: F) -> F: ...
@overload
def trace_step(name: str | None = None, number: int | None = None) -> WorkScope[RecordedWork]: ...
@lenient
def trace_step(name: Any = None, number: Any = None) -> Any:
    """Record one step of a run, as a block or with ``@``."""
    whole_number = as_int(number)
    return _scope(name, lambda named: RecordedWork(Step(step_name=named, step_number=whole_number)))


@overload
def trace_tool(name: F) -> F: ...
@overload
def trace_tool(
    name: str | None = None, call_id: str | None = None, description: str | None = None
) -> WorkScope[RecordedToolCall]: ...
@lenient
def trace_tool(name: Any = None, call_id: Any = None, description: Any = None) -> Any:
    """Record a tool that an agent runs (``execute_tool``), as a block or with ``@``, which takes what is passed."""
    known = _texts(call_id=call_id, tool_description=description)
    return _scope(name, lambda named: RecordedToolCall(ToolCall(tool_name=named, **known)))


@lenient
def trace_model_call(model: str, provider: str | None = None) -> WorkScope[RecordedModelCall]:
    """Record a call of a model (``chat``) that no instrumented library makes, as a block or with ``@``."""
    function: Any = model if is_decorable(model) else None
    known = _texts(request_model=model if function is None else None, provider=provider)
    scope = WorkScope(lambda _: RecordedModelCall(Inference("chat", **known)))
    if function is None:
        return scope
    guard.warn_once("trace_model_call: which model is called? @trace_model_call(model) says it; recorded without")
    decorated: WorkScope[RecordedModelCall] = scope(function)
    return decorated


def _scope(name: Any, make: Callable[[str | None], WorkT]) -> Any:
    """Return the scope of what ``make`` makes of a name; where ``name`` is the function that is decorated, that one."""
    if is_decorable(name):
        return WorkScope(make)(name)
    if name is None:
        return WorkScope(make)
    text = attribute_values.text(name)
    return WorkScope(lambda _: make(text))


def _texts(**values: Any) -> dict[str, Any]:
    return {name: None if value is None else attribute_values.text(value) for name, value in values.items()}


def _arguments(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what a function is called with by the names of its parameters, without a method's object."""
    inner = innermost(function)
    try:
        bound = inspect.signature(inner).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {**{str(number): value for number, value in enumerate(args)}, **kwargs}
    return {name: value for name, value in bound.items() if name not in ("self", "cls")}


def _as_messages(role: str, value: Any) -> list[Message]:
    finish_reason = "stop" if role == "assistant" else None
    if isinstance(value, list) and value and all(isinstance(item, dict) and "role" in item for item in value):
        return [_as_message(item) for item in value]
    shown = value if isinstance(value, str) else attribute_values.as_json(attribute_values.plain(value))
    return [messages.message(role, messages.text(shown), finish_reason=finish_reason)]


def _as_message(told: dict[str, Any]) -> Message:
    role = str(told["role"])
    finish_reason = told.get("finish_reason") or ("stop" if role == "assistant" else None)
    parts = told.get("parts")
    if not isinstance(parts, list):
        body = told.get("content", "")
        parts = [
            messages.text(body if isinstance(body, str) else attribute_values.as_json(attribute_values.plain(body)))
        ]
    return messages.message(role, *parts, finish_reason=finish_reason)
