"""What is around model calls: programs, agents, modules, tools, retrievers, evaluations and parallel runs."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages, ownership
from obs_run.core.operations import AgentRun, Retrieval, Step, ToolCall, Workflow
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing
from obs_run.core.tool_calls import function_call, read_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.messages import Message
    from obs_run.core.outcomes import Call

_AGENTS = frozenset(("CodeAct", "ReAct", "ReActV2", "RLM"))
_NO_NAMES = ("Signature", "StringSignature")
"""What the library calls a signature that nobody named."""
_MOST_PARTS = 100
_LIBRARY = "dspy."


def start_module(call: Call) -> tuple[AgentRun | Workflow | Step, Reader[Any]]:
    """Read the call of a module: an agent, the outermost one, or a part of another."""
    module = call.instance
    callers = payload.as_list(import_module("dspy.dsp.utils.settings").settings.caller_modules)
    name = _name(module, callers)
    if _is_agent(module):
        operation: AgentRun | Workflow = AgentRun()
        operation.agent_name = name
    elif callers:
        return Step(step_name=name or type(module).__name__, step_type="module"), _NOTHING
    else:
        operation = Workflow(workflow_name=name)
    if content.wanted():
        asked = call.kwargs if not call.args else [*call.args, *([call.kwargs] if call.kwargs else [])]
        operation.input_messages = [_message("user", asked)]
    return operation, Reader(partial(_read_prediction, module))


def _is_agent(module: Any) -> bool:
    kinds = type(module).__mro__
    return any(kind.__name__ in _AGENTS and kind.__module__.startswith(_LIBRARY) for kind in kinds)


def _name(module: Any, callers: list[Any]) -> str | None:
    """Return what the user calls a module: the part of another, the class or the signature that it is."""
    part = next((name for name, each in _parts(callers[-1]) if each is module), None) if callers else None
    if part is not None:
        return part
    kind = type(module)
    if not kind.__module__.startswith(_LIBRARY):
        return kind.__name__
    name = payload.get_text(payload.get(module, "signature"), "__name__")
    return None if name in _NO_NAMES else name


def _parts(module: Any) -> Iterator[tuple[str, Any]]:
    """Give what a module consists of by the names that the library's own ``named_predictors`` has for it."""
    for name, value in vars(module).items():
        yield name, value
        if isinstance(value, (list, tuple)) and len(value) < _MOST_PARTS:
            yield from ((f"{name}[{number}]", each) for number, each in enumerate(value))
        elif isinstance(value, dict) and len(value) < _MOST_PARTS:
            yield from ((f"{name}[{key!r}]", each) for key, each in value.items())


def _read_prediction(module: Any, operation: AgentRun | Workflow, prediction: Any) -> None:
    """Read a ``Prediction``; of what an agent did on its way there, the spans inside tell."""
    if not content.wanted():
        return
    fields = payload.get(prediction, "_store")
    wanted = payload.get(module, "signature", "output_fields")
    if isinstance(fields, dict) and isinstance(wanted, dict):
        fields = {name: value for name, value in fields.items() if name in wanted or name == "reasoning"}
    said = _message("assistant", prediction if fields is None else fields)
    operation.output_messages = [{**said, "finish_reason": "stop"}]


def _message(role: str, said: Any) -> Message:
    """Return a message that is a text, where there is but one."""
    values = list(said.values()) if isinstance(said, dict) else said
    only = values[0] if isinstance(values, list) and len(values) == 1 else values
    return messages.message(role, messages.text(only if isinstance(only, str) else content.to_json(said)))


def start_parallel(call: Call) -> tuple[Workflow | Step, Reader[Any]]:  # noqa: ARG001 (each is alike)
    """Read the call of ``Parallel.forward``, in which each module runs by itself."""
    return _frame("Parallel"), _NOTHING


def start_evaluation(call: Call) -> tuple[Workflow | Step, Reader[Any]]:  # noqa: ARG001 (as above)
    """Read the call of ``Evaluate``, which has a program answer many examples."""
    return _frame("Evaluate"), _NOTHING


def _frame(name: str) -> Workflow | Step:
    """Return what is around several runs; there the name of the library's class says what they are for."""
    if ownership.current_recording() is None:
        return Workflow(workflow_name=name)
    return Step(step_name=name, step_type="module")


def start_tool(call: Call) -> tuple[ToolCall, Reader[Any]] | None:
    """Read the call of a ``Tool``, but for those by which the library has an agent say that it is done."""
    tool = call.instance
    if str(payload.get(tool, "func", "__module__")).startswith(f"{_LIBRARY}predict."):
        return None
    about = payload.get_text(tool, "name"), payload.get_text(tool, "desc")
    return function_call(*about, dict(call.kwargs)), Reader(read_result)


def start_retrieval(call: Call) -> tuple[Retrieval, Reader[Any]] | None:
    """Read the call of a retriever, unless another one calls it."""
    around = ownership.current_recording()
    if around is not None and isinstance(around.operation, Retrieval):
        return None
    operation = Retrieval(
        data_source=type(call.instance).__name__,
        top_k=payload.as_int(payload.coalesce(call.argument(1, "k"), payload.get(call.instance, "k"))),
    )
    if content.wanted():
        operation.query_text = payload.as_text(call.argument(0, "query"))
    return operation, Reader(_read_passages)


def _read_passages(operation: Retrieval, found: Any) -> None:
    """Read the passages: texts, or what has one and its score."""
    passages = payload.as_list(payload.coalesce(payload.get(found, "passages"), found))
    operation.returned = len(passages)
    scores = [payload.get_float(each, "score") for each in passages]
    if all(score is not None for score in scores):
        operation.scores = [score for score in scores if score is not None] or None
    if content.wanted():
        operation.documents = [_document(str(number), each) for number, each in enumerate(passages)]


def _document(number: str, passage: Any) -> dict[str, Any]:
    text = passage if isinstance(passage, str) else payload.get(passage, "text")
    score = payload.get_float(passage, "score")
    return {"id": number, "content": text, **({} if score is None else {"score": score})}


_NOTHING: Reader[Any] = Reader(read_nothing)
