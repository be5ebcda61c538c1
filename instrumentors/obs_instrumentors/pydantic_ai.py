"""Pydantic AI: runs of agents, model calls and tools, by the spans of its own.

Chosen: adopt. Its instrumentation is switched on for all agents that say nothing of it, and writes to a tracer of ours;
so does what an agent switches on itself for the process's provider. Its metrics stay off: ours say the same.
"""

from __future__ import annotations

import json
from contextlib import suppress
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, SetUp, Target
from obs_run.core.recording_tracers import Vocabulary, providers, wrap_providers
from obs_run.core.span_attributes import operation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import AgentRun, Operation
    from obs_run.core.outcomes import Call

_VERSIONS = (6, 5, 3)
"""Forms of the library's spans, the best first."""
_NAMES = {
    "model_name": semconv.REQUEST_MODEL,
    semconv.SYSTEM: semconv.PROVIDER_NAME,
    "tool_arguments": semconv.TOOL_CALL_ARGUMENTS,
    "tool_response": semconv.TOOL_CALL_RESULT,
}
_OLDER_NAMES = {
    "agent run": "invoke_agent",
    "running tool": "execute_tool",
    "running output function": "execute_tool",
}
"""What spans are called whose attributes do not say what they are of."""
_RETRIES = ("ToolRetryError", "ModelRetry")
_INTERRUPTIONS = {"CallDeferred": "interrupted", "ApprovalRequired": "interrupted"}
_is_resumed: ContextVar[bool] = ContextVar("obs-run-pydantic-ai", default=False)


def note_run(call: Call) -> None:
    """Note whether a run goes on with what one before it waited for."""
    _is_resumed.set(call.kwargs.get("deferred_tool_results") is not None)


def operation(name: str, attributes: Mapping[str, Any]) -> Operation | None:
    """Return what a span tells of."""
    told = operation_of(_OLDER_NAMES.get(name, name), attributes)
    if told is None:
        return None
    if told.IS_AGENT and _is_resumed.get():
        _is_resumed.set(False)
        told.extra[semconv.OBS_RESUMED] = True
    return told


def read(told: Any, name: str, value: Any) -> None:
    """Read what the library says in words of its own."""
    if name == "pydantic_ai.all_messages" and told.IS_AGENT:
        _read_messages(told, json.loads(value))
    elif name == "model_request_parameters" and told.IS_MODEL_CALL:
        names = [payload.get_text(tool, "name") for tool in payload.get_list(json.loads(value), "output_tools")]
        told.output_tools = frozenset(name for name in names if name is not None)


def _read_messages(run: AgentRun, said: list[Any]) -> None:
    last = said[-1] if said else {}
    answers = payload.get_text(last, "role") == "assistant"
    parts = payload.get_list(last, "parts") if answers else []
    if any(part.get("type") == "tool_call" for part in parts):
        # Somebody else is to run the tool, or to allow it.
        run.outcome = "interrupted"
    if content.wanted():
        asked = max((index for index, each in enumerate(said) if _is_prompt(each)), default=-1)
        run.input_messages = [_conventional(each) for each in said[: asked + 1]]
        run.output_messages = [_conventional(last)] if answers else None


def _is_prompt(message: Mapping[str, Any]) -> bool:
    """Whether it is what somebody asked, and not what tools answered."""
    kinds = {part.get("type") for part in payload.get_list(message, "parts")}
    return payload.get_text(message, "role") == "user" and kinds != {"tool_call_response"}


def _conventional(message: Mapping[str, Any]) -> dict[str, Any]:
    return {**message, "parts": [_part(each) for each in payload.get_list(message, "parts")]}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") == "tool_call_response" and "result" in part:
        return messages.tool_call_response(part.get("id"), part["result"])
    return part


def failure(told: Operation, raised: BaseException) -> BaseException:
    """Return what the agent's code raised, where the library has the model try again because of it."""
    if told.IS_AGENT:
        told.outcome = None  # type: ignore[attr-defined]
    while type(raised).__name__ in _RETRIES:
        inner = raised.__cause__ or raised.__context__
        if inner is None:
            break
        raised = inner
    return raised


_VOCABULARY = Vocabulary(
    "pydantic_ai",
    operation,
    names=_NAMES,
    read=read,
    failure=failure,
    outcomes=_INTERRUPTIONS,
    has_metrics=True,
)


def switch_on(module: Any) -> Callable[[], object]:
    """Have the library trace all agents that say nothing of it themselves."""
    agent = module.Agent
    before = agent._instrument_default  # noqa: SLF001 (nothing public tells it)
    if before is not False:
        return lambda: None
    settings = _settings()
    agent.instrument_all(settings)

    def take_back() -> None:
        if agent._instrument_default is settings:  # noqa: SLF001
            agent.instrument_all(before)

    return take_back


def _settings() -> Any:
    kind = import_module("pydantic_ai.models.instrumented").InstrumentationSettings
    wanted = {"include_content": content.wanted(), **providers(_VOCABULARY)}
    for version in _VERSIONS:
        with suppress(ValueError):
            return kind(version=version, **wanted)
    return kind(**wanted)


INSTRUMENTORS = (
    Instrumentor(
        "pydantic-ai",
        "pydantic-ai-slim",
        ">=1.60,<3",
        (
            Target(
                "pydantic_ai.models.instrumented",
                "InstrumentationSettings.__init__",
                wrap_providers(_VOCABULARY),
            ),
            Target("pydantic_ai.agent", "Agent.iter", wrap_before(note_run)),
        ),
        ("invoke_agent", "chat", "execute_tool", "embeddings"),
        owner="pydantic-ai, through obs-run",
        set_up=SetUp("pydantic_ai", switch_on),
    ),
)
