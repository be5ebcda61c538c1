"""Runs of agents and workflows, and what happens inside of them: steps, tools, hand-offs, memory."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from obs_run.core import semconv
from obs_run.core.run_statistics import RunStatistics
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .fields import attribute, content
from .model import ModelCall
from .operation import Attributes, GenAiOperation, is_count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obs_run.core.messages import Message, Part, ToolDefinition

    from .operation import Operation, Usage
    from .tools import ToolResult


@sparse_dataclass
class _Run(GenAiOperation):
    """A run that sums up what the model calls inside used."""

    outcome: str | None = attribute(semconv.OBS_OUTCOME)
    """Why it is over where that is neither success nor failure: ``interrupted``, ``cancelled``, ``abandoned``."""
    usage: Usage | None = None
    """What the framework says the whole run used; what the calls inside used is added up where it says nothing."""
    reported_cost: float | None = None
    """US dollars that the framework says the whole run cost; what the calls inside cost is added up as well."""
    statistics: RunStatistics = field(default_factory=RunStatistics, init=False)
    """What is counted of all that happens inside."""
    has_result: bool = False
    """Whether it has come to its result, though there may be more to read of its stream."""

    IS_RUN: ClassVar[bool] = True
    TOTALS: ClassVar[tuple[str, str]] = (semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS)
    """The names of the tokens of the whole run."""

    def take_over(self, before: Operation) -> None:
        """Take over what was counted so far, too."""
        super().take_over(before)
        if isinstance(before, _Run):
            self.statistics = before.statistics

    def is_answered(self) -> bool:
        """Whether nothing more is to come of it."""
        return self.has_result

    def attributes(self) -> Attributes:
        """Return every known field, and the tokens of the whole run."""
        attributes = super().attributes()
        for name, tokens in zip(self.TOTALS, self._total_tokens(), strict=True):
            if is_count(tokens):
                attributes[name] = tokens
        return attributes

    def pricing(self) -> Attributes:
        """Return what the framework says that the run cost."""
        return {} if self.reported_cost is None else {"cost": {"total": self.reported_cost}}

    def usage_besides_calls(self) -> Usage | None:
        """Return what the framework says that the run used and the calls inside do not; None where it says nothing."""
        if self.usage is None:
            return None
        told = zip(self._total_tokens(), self._inner_total(), strict=True)
        more = [None if total is None else max(0, total - (inner or 0)) for total, inner in told]
        return type(self.usage)(input_tokens=more[0], output_tokens=more[1])

    def _total_tokens(self) -> tuple[int | None, int | None]:
        if self.usage is not None:
            return self.usage.input_tokens, self.usage.output_tokens
        return self._inner_total()

    def _inner_total(self) -> tuple[int | None, int | None]:
        return self.statistics.input_tokens, self.statistics.output_tokens


@sparse_dataclass
class AgentRun(_Run):
    """One run of an agent inside this process: ``invoke_agent``."""

    name: str = "invoke_agent"
    agent_id: str | None = attribute(semconv.AGENT_ID)
    agent_name: str | None = attribute(semconv.AGENT_NAME)
    agent_version: str | None = attribute(semconv.AGENT_VERSION)
    agent_description: str | None = attribute(semconv.AGENT_DESCRIPTION)
    request_model: str | None = attribute(semconv.REQUEST_MODEL)
    """Only where all of the agent's calls go to one model."""
    output_type: str | None = attribute(semconv.OUTPUT_TYPE)
    finish_reasons: list[str] | None = attribute(semconv.RESPONSE_FINISH_REASONS)

    system_instructions: list[Part] | None = content(semconv.SYSTEM_INSTRUCTIONS)
    input_messages: list[Message] | None = content(semconv.INPUT_MESSAGES)
    output_messages: list[Message] | None = content(semconv.OUTPUT_MESSAGES)
    tool_definitions: list[ToolDefinition] | None = content(semconv.TOOL_DEFINITIONS)

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "agent_name"
    IS_AGENT: ClassVar[bool] = True


@sparse_dataclass
class RemoteAgentRun(ModelCall):
    """One run of an agent that a service hosts: ``invoke_agent`` as its client sees it."""

    name: str = "invoke_agent"
    agent_id: str | None = attribute(semconv.AGENT_ID)
    agent_name: str | None = attribute(semconv.AGENT_NAME)
    agent_version: str | None = attribute(semconv.AGENT_VERSION)
    agent_description: str | None = attribute(semconv.AGENT_DESCRIPTION)
    stream: bool | None = attribute(semconv.REQUEST_STREAM)
    output_type: str | None = attribute(semconv.OUTPUT_TYPE)
    response_id: str | None = attribute(semconv.RESPONSE_ID)
    """The id by which the service knows the run."""
    finish_reasons: list[str] | None = attribute(semconv.RESPONSE_FINISH_REASONS)
    tool_calls: list[str] | None = attribute(semconv.OBS_TOOL_CALLS)
    """Names of the functions that the agent hands back to its caller."""
    tool_call_ids: list[str | None] | None = field(default=None, init=False)
    tool_results: Iterable[ToolResult] | None = field(default=None, init=False)
    """What the request brings of such functions; read once, as the call starts, or never."""
    stream_end: str | None = attribute(semconv.OBS_RESPONSE_STREAM_END)
    executed_tools: list[ExecutedTool] = field(default_factory=list, init=False)
    """What the service says that it ran for the agent."""

    system_instructions: list[Part] | None = content(semconv.SYSTEM_INSTRUCTIONS)
    input_messages: list[Message] | None = content(semconv.INPUT_MESSAGES)
    output_messages: list[Message] | None = content(semconv.OUTPUT_MESSAGES)
    tool_definitions: list[ToolDefinition] | None = content(semconv.TOOL_DEFINITIONS)

    SUBJECT: ClassVar[str | None] = "agent_name"
    IS_AGENT: ClassVar[bool] = True
    ASKS_FOR_TOOLS: ClassVar[bool] = True
    IS_TURN: ClassVar[bool] = True


@sparse_dataclass
class AgentCreation(GenAiOperation):
    """An agent that a service is to keep: ``create_agent``."""

    name: str = "create_agent"
    agent_id: str | None = attribute(semconv.AGENT_ID)
    agent_name: str | None = attribute(semconv.AGENT_NAME)
    agent_version: str | None = attribute(semconv.AGENT_VERSION)
    agent_description: str | None = attribute(semconv.AGENT_DESCRIPTION)
    request_model: str | None = attribute(semconv.REQUEST_MODEL)

    system_instructions: list[Part] | None = content(semconv.SYSTEM_INSTRUCTIONS)

    SUBJECT: ClassVar[str | None] = "agent_name"
    IS_AGENT: ClassVar[bool] = True


@sparse_dataclass
class Workflow(_Run):
    """One run of a workflow of several agents or steps: ``invoke_workflow``."""

    name: str = "invoke_workflow"
    workflow_name: str | None = attribute(semconv.WORKFLOW_NAME)
    """As the user calls it; the name of a framework's class says nothing."""

    input_messages: list[Message] | None = content(semconv.INPUT_MESSAGES)
    output_messages: list[Message] | None = content(semconv.OUTPUT_MESSAGES)

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "workflow_name"
    # The conventions have no tokens on a workflow.
    TOTALS: ClassVar[tuple[str, str]] = (semconv.OBS_USAGE_INPUT_TOKENS, semconv.OBS_USAGE_OUTPUT_TOKENS)


@sparse_dataclass
class Step(GenAiOperation):
    """One step of a workflow or agent: a node of a graph, a task of a crew. No convention knows them: ``step``."""

    name: str = "step"
    step_name: str | None = attribute(semconv.OBS_STEP_NAME)
    step_type: str | None = attribute(semconv.OBS_STEP_TYPE)
    """The framework's word for its steps: ``node``, ``task``, ``component``."""
    step_number: int | None = attribute(semconv.OBS_STEP_NUMBER)
    agent_name: str | None = attribute(semconv.AGENT_NAME)
    outcome: str | None = attribute(semconv.OBS_OUTCOME)
    """Why it is over where that is neither success nor failure, as of a run."""

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "step_name"
    IS_STEP: ClassVar[bool] = True


@sparse_dataclass
class Plan(GenAiOperation):
    """The phase in which an agent decides what it will do: ``plan``. The model call that decides it is inside."""

    name: str = "plan"
    agent_name: str | None = attribute(semconv.AGENT_NAME)

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "agent_name"


@sparse_dataclass
class ToolCall(GenAiOperation):
    """A tool that the agent runs: ``execute_tool``."""

    name: str = "execute_tool"
    tool_name: str | None = attribute(semconv.TOOL_NAME)
    tool_type: str | None = attribute(semconv.TOOL_TYPE)
    tool_description: str | None = attribute(semconv.TOOL_DESCRIPTION)
    call_id: str | None = attribute(semconv.TOOL_CALL_ID)
    agent_name: str | None = attribute(semconv.AGENT_NAME)
    outcome: str | None = attribute(semconv.OBS_OUTCOME)
    """Why it is over where that is neither success nor failure, as of a run."""

    identity: int | None = field(default=None, init=False)
    """What calls of the same tool with the same arguments share, whether or not these are recorded."""

    arguments: Any = content(semconv.TOOL_CALL_ARGUMENTS)
    result: Any = content(semconv.TOOL_CALL_RESULT)

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "tool_name"
    IS_TOOL_CALL: ClassVar[bool] = True


@sparse_dataclass
class ExecutedTool(ToolCall):
    """A tool that a service ran, as it tells in its answer: how long that took only the service knows."""

    begun: int | None = None
    """When its call was told, by ``recorder.now()``."""
    over: int | None = None
    """When its result was told."""


@sparse_dataclass
class Handoff(GenAiOperation):
    """An agent that hands the conversation over to another one. No convention knows it: ``handoff``."""

    name: str = "handoff"
    agent_name: str | None = attribute(semconv.AGENT_NAME)
    """The agent that hands over."""
    to_agent: str | None = attribute(semconv.OBS_HANDOFF_TO_AGENT)
    """The agent that takes over."""

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "to_agent"


@sparse_dataclass
class Memory(GenAiOperation):
    """A call of an agent's memory: ``search_memory``, ``create_memory``, ``update_memory`` and their kin.

    ``upsert_memory`` is a call that leaves it to the memory whether it creates, changes or merges records.
    """

    store_id: str | None = attribute(semconv.MEMORY_STORE_ID)
    record_id: str | None = attribute(semconv.MEMORY_RECORD_ID)
    """The record that the call is for, where it is a certain one."""
    record_count: int | None = attribute(semconv.MEMORY_RECORD_COUNT)
    """How many records were returned, written or deleted."""

    query_text: str | None = content(semconv.MEMORY_QUERY_TEXT)
    records: list[dict[str, Any]] | None = content(semconv.MEMORY_RECORDS)
    """The records: dicts of ``content`` and, where known, ``id``, ``score`` and ``metadata``."""
