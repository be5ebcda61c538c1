"""The client's tool runner: a run of an agent, and the tools that it calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.anthropic import blocks
from obs_run.base import payload
from obs_run.core import content, ownership, streams
from obs_run.core.hooks import Target
from obs_run.core.operations import AgentRun, ToolCall
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_RUNNER = "anthropic.lib.tools._beta_runner"
_FUNCTIONS = "anthropic.lib.tools._beta_functions"


@dataclass
class Run(AgentRun):
    """One loop of the tool runner."""


def start_run(call: Call) -> tuple[Run, Reader]:
    """Return the run of an agent that a loop of the runner is."""
    return Run(request_model=payload.get_text(call.instance, "_params", "model")), _RUN


def start_tool_call(call: Call) -> tuple[ToolCall, Reader]:
    """Return the call of a tool that the model asked for; a member of a toolset has no definition of its own."""
    asked = call.args[-1] if call.args else call.kwargs.get("tool_use")
    tool = call.args[0] if len(call.args) > 1 else call.kwargs.get("tool")
    operation = _tool(payload.get(asked, "name"), tool, payload.get(asked, "input"))
    operation.call_id = payload.get_text(asked, "id")
    return operation, _ASKED


def start_function_call(call: Call) -> tuple[ToolCall, Reader] | None:
    """Return the call of a tool's function, None where the runner has told of it, as newer ones do."""
    recording = ownership.owner()
    if recording is not None and isinstance(recording.operation, ToolCall):
        return None
    return _tool(payload.get(call.instance, "name"), call.instance, call.argument(0, "input")), _CALLED


def _tool(name: Any, tool: Any, given: Any) -> ToolCall:
    return ToolCall(
        tool_name=payload.as_text(name),
        tool_type="function",
        tool_description=payload.get_text(tool, "description"),
        arguments=given if content.wanted() else None,
    )


def _no_answer(_operation: Run, _returned: Any) -> None:
    """Leave it to the turns to tell what they gave."""


def _answered(operation: ToolCall, result: Any) -> None:
    if payload.get(result, "is_error"):
        operation.error_type = "tool_error"
    _called(operation, payload.get(result, "content"))


def _called(operation: ToolCall, returned: Any) -> None:
    if content.wanted():
        operation.result = returned if isinstance(returned, str) else blocks.parts(returned)


_RUN = Reader(_no_answer, lazy=True)
_ASKED = Reader(_answered)
_CALLED = Reader(_called)

TARGETS = (
    Target(_RUNNER, "BaseSyncToolRunner.__run__", streams.call(start_run), optional=True),
    Target(_RUNNER, "BaseAsyncToolRunner.__run__", streams.call(start_run), optional=True),
    *(
        Target(_RUNNER, f"{runner}.{name}", wrapper(start_tool_call), optional=True)
        for runner, wrapper in (("BaseSyncToolRunner", streams.call), ("BaseAsyncToolRunner", streams.async_call))
        for name in ("_run_tool", "_run_toolset_member")
    ),
    Target(_FUNCTIONS, "BetaFunctionTool.call", streams.call(start_function_call), optional=True),
    Target(_FUNCTIONS, "BetaAsyncFunctionTool.call", streams.async_call(start_function_call), optional=True),
)
