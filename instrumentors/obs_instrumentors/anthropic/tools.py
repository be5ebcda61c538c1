"""The client's tool runner: a run of an agent, and the tools that it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.anthropic import blocks
from obs_run.base import payload
from obs_run.core import content, ownership, streams
from obs_run.core.hooks import Target
from obs_run.core.operations import AgentRun, ToolCall
from obs_run.core.outcomes import Reader
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.core.hooks import Wrapper
    from obs_run.core.outcomes import Call

_RUNNER = "anthropic.lib.tools._beta_runner"
_FUNCTIONS = "anthropic.lib.tools._beta_functions"


@sparse_dataclass
class Run(AgentRun):
    """One loop of the tool runner."""


def start_run(call: Call) -> tuple[Run, Reader]:
    """Return the run of an agent that a loop of the runner is."""
    return Run(request_model=payload.get_text(call.instance, "_params", "model")), _RUN


def start_tool_call(call: Call) -> tuple[ToolCall, Reader]:
    """Return the call of a tool that the model asked for; a member of a toolset has no definition of its own."""
    tool_use = call.args[-1] if call.args else call.kwargs.get("tool_use")
    tool = call.args[0] if len(call.args) > 1 else call.kwargs.get("tool")
    operation = _tool_call(payload.get(tool_use, "name"), tool, payload.get(tool_use, "input"))
    operation.call_id = payload.get_text(tool_use, "id")
    return operation, _TOOL_USE


def start_function_call(call: Call) -> tuple[ToolCall, Reader] | None:
    """Return the call of a tool's function, None where it is recorded as the runner's, as with newer releases."""
    recording = ownership.current_recording()
    if recording is not None and isinstance(recording.operation, ToolCall):
        return None
    operation = _tool_call(payload.get(call.instance, "name"), call.instance, call.argument(0, "input"))
    return operation, _FUNCTION


def _tool_call(name: Any, tool: Any, arguments: Any) -> ToolCall:
    operation = ToolCall(
        tool_name=payload.as_text(name),
        tool_type="function",
        tool_description=payload.get_text(tool, "description"),
    )
    content.note_arguments(operation, arguments)
    return operation


def _read_nothing(_operation: Run, _returned: Any) -> None:
    """Leave it to the turns, which are recorded themselves, to tell what they gave."""


def _read_tool_result(operation: ToolCall, result: Any) -> None:
    """Read a ToolResultBlockParam: the runner turns the error of a tool into one."""
    if payload.get(result, "is_error"):
        operation.error_type = "tool_error"
    _read_function_result(operation, payload.get(result, "content"))


def _read_function_result(operation: ToolCall, returned: Any) -> None:
    if content.wanted():
        operation.result = returned if isinstance(returned, str) else blocks.parts(returned)


_RUN = Reader(_read_nothing, lazy=True)
_TOOL_USE = Reader(_read_tool_result)
_FUNCTION = Reader(_read_function_result)


def _runner_targets(runner: str, call: Callable[..., Wrapper]) -> Iterator[Target]:
    # The loop is a generator of either kind, its tools are coroutines in the async one.
    yield Target(_RUNNER, f"{runner}.__run__", streams.wrap_call(start_run), optional=True)
    for name in ("_run_tool", "_run_toolset_member"):
        yield Target(_RUNNER, f"{runner}.{name}", call(start_tool_call), optional=True)


TARGETS = (
    *_runner_targets("BaseSyncToolRunner", streams.wrap_call),
    *_runner_targets("BaseAsyncToolRunner", streams.wrap_async_call),
    Target(_FUNCTIONS, "BetaFunctionTool.call", streams.wrap_call(start_function_call), optional=True),
    Target(_FUNCTIONS, "BetaAsyncFunctionTool.call", streams.wrap_async_call(start_function_call), optional=True),
)
