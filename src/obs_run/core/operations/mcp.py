"""Requests and notifications of the Model Context Protocol, on both sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from obs_run.core import semconv
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .agent import ToolCall
from .fields import Described, attribute, attribute_metadata, content
from .operation import Operation

_TOOL_CALL = "tools/call"


@sparse_dataclass
class McpCall(Operation):
    """A request or notification as the side sees it that sends it; ``name`` is the method, such as ``tools/call``."""

    name: str = field(metadata=attribute_metadata(semconv.MCP_METHOD_NAME))
    error_type: str | None = attribute(semconv.ERROR_TYPE)
    """The JSON-RPC error's code as a text, ``tool_error`` where the result says ``isError``."""
    outcome: str | None = attribute(semconv.OBS_OUTCOME)
    """Why it is over where that is neither success nor failure: ``cancelled`` by the side that asked."""
    operation_name: str | None = attribute(semconv.OPERATION_NAME)
    """``execute_tool`` on calls of tools, so that they are found among all calls of tools."""
    tool_name: str | None = attribute(semconv.TOOL_NAME)
    prompt_name: str | None = attribute(semconv.PROMPT_NAME)
    resource_uri: str | None = attribute(semconv.MCP_RESOURCE_URI)
    session_id: str | None = attribute(semconv.MCP_SESSION_ID)
    protocol_version: str | None = attribute(semconv.MCP_PROTOCOL_VERSION)
    request_id: str | None = attribute(semconv.JSONRPC_REQUEST_ID)
    """Of requests; notifications have none."""
    jsonrpc_version: str | None = attribute(semconv.JSONRPC_PROTOCOL_VERSION)
    """Only where it is not 2.0."""
    status_code: str | None = attribute(semconv.RPC_RESPONSE_STATUS_CODE)
    """The code of the JSON-RPC error, if the answer is one."""
    transport: str | None = attribute(semconv.NETWORK_TRANSPORT)
    """``pipe`` for standard input and output, ``tcp`` or ``quic`` for HTTP."""
    network_protocol: str | None = attribute(semconv.NETWORK_PROTOCOL_NAME)
    network_protocol_version: str | None = attribute(semconv.NETWORK_PROTOCOL_VERSION)

    identity: int | None = field(default=None, init=False)
    """What calls of the same tool with the same arguments share, whether or not these are recorded."""

    arguments: Any = content(semconv.TOOL_CALL_ARGUMENTS)
    result: Any = content(semconv.TOOL_CALL_RESULT)

    IS_TOOL_CALL: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Mark the call of a tool as one."""
        if self.name == _TOOL_CALL:
            self.operation_name = "execute_tool"

    def span_name(self) -> str:
        """Return the method, and the tool or prompt that it is for; a resource's address would be one name too many."""
        subject = self.tool_name or self.prompt_name
        return f"{self.name} {subject}" if subject else self.name

    def is_part_of(self, outer: Operation) -> bool:
        """Whether ``outer`` is the run of this very tool by a framework, which may put a server's name before it."""
        if self.tool_name is None or not isinstance(outer, ToolCall):
            return False
        name = outer.tool_name or ""
        before = name[: -len(self.tool_name)]
        return name.endswith(self.tool_name) and not before[-1:].isalnum()


@sparse_dataclass
class McpServerCall(McpCall):
    """A request or notification as the side sees it that answers it."""

    client_address: str | None = attribute(semconv.CLIENT_ADDRESS)
    client_port: int | None = attribute(semconv.CLIENT_PORT)

    KIND: ClassVar[str] = "SERVER"
    IS_TOOL_CALL: ClassVar[bool] = False

    def is_part_of(self, outer: Operation) -> bool:
        """Whether it is handled by the server of a framework that tells of ``outer`` itself."""
        return outer.SERVES_ITSELF


@dataclass
class McpSession(Described):
    """A client's session with a server, which is measured and has no span."""

    protocol_version: str | None = attribute(semconv.MCP_PROTOCOL_VERSION)
    transport: str | None = attribute(semconv.NETWORK_TRANSPORT)
    network_protocol: str | None = attribute(semconv.NETWORK_PROTOCOL_NAME)
    server_address: str | None = attribute(semconv.SERVER_ADDRESS)
    server_port: int | None = attribute(semconv.SERVER_PORT)
    error_type: str | None = attribute(semconv.ERROR_TYPE)


@dataclass
class McpServerSession(McpSession):
    """A server's session with a client."""
