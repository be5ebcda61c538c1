"""Requests of the Agent2Agent protocol, on both sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from obs_run.core import semconv

from .fields import attribute, attribute_metadata, content
from .operation import Operation

if TYPE_CHECKING:
    from obs_run.core.messages import Message


@dataclass(eq=False, repr=False)
class A2aCall(Operation):
    """A request as the side sees it that sends it; ``name`` is the protocol's method, such as ``GetTask``."""

    name: str = field(metadata=attribute_metadata(semconv.RPC_METHOD))
    rpc_system: str | None = attribute(semconv.RPC_SYSTEM_NAME)
    """``jsonrpc`` or ``grpc``; plain HTTP is none."""
    request_id: str | None = attribute(semconv.JSONRPC_REQUEST_ID)
    conversation_id: str | None = attribute(semconv.CONVERSATION_ID)
    """The id of the protocol's context."""
    agent_name: str | None = attribute(semconv.AGENT_NAME)
    """Of the agent that is asked, as its card says it."""
    agent_version: str | None = attribute(semconv.AGENT_VERSION)
    agent_description: str | None = attribute(semconv.AGENT_DESCRIPTION)
    task_id: str | None = attribute(semconv.OBS_A2A_TASK_ID)
    task_state: str | None = attribute(semconv.OBS_A2A_TASK_STATE)
    """The last one that was heard of: ``working``, ``input-required``, ``completed`` ..."""
    outcome: str | None = attribute(semconv.OBS_OUTCOME)
    """Why it is over where that is neither success nor failure, as of a run."""
    has_result: bool = False
    """Whether nothing more is to come, though a stream may go on."""

    IS_AGENT: ClassVar[bool] = True

    def is_answered(self) -> bool:
        """Whether nothing more is to come of it."""
        return self.has_result


@dataclass(eq=False, repr=False)
class A2aAgentCall(A2aCall):
    """A message to an agent, whose answer is waited for or streamed: ``invoke_agent`` as its client sees it."""

    operation_name: str = attribute(semconv.OPERATION_NAME, "invoke_agent")
    stream: bool | None = attribute(semconv.REQUEST_STREAM)

    input_messages: list[Message] | None = content(semconv.INPUT_MESSAGES)
    output_messages: list[Message] | None = content(semconv.OUTPUT_MESSAGES)

    def span_name(self) -> str:
        """Return what the conventions call the run of an agent."""
        return f"{self.operation_name} {self.agent_name}" if self.agent_name else self.operation_name


@dataclass(eq=False, repr=False)
class A2aServerCall(A2aCall):
    """A request as the side sees it that answers it; the agent's run is inside of it."""

    KIND: ClassVar[str] = "SERVER"
