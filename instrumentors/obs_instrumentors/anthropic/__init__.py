"""Anthropic's client, on the base that it shares with OpenAI's, and its tool runner.

From 1.14 on the client traces itself. We record all releases alike: the client's own span of what we record stands
back, all others (sessions, files, administration) stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_instrumentors.clients import hosts, stainless
from obs_instrumentors.clients.stainless import Dialect, close_targets
from obs_instrumentors.wire.anthropic import messages
from obs_run.base import payload
from obs_run.core import semconv
from obs_run.core.hooks import Instrumentor

from . import completions, native, tools

if TYPE_CHECKING:
    from typing import Any

    from obs_instrumentors.wire.endpoint import Endpoint
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_ENDPOINTS: dict[str, Endpoint] = {
    "/messages": messages.ENDPOINT,
    "/messages/count_tokens": messages.COUNT,
    "/messages/batches": messages.BATCH,
    "/complete": completions.ENDPOINT,
}
# Other platforms by their clients; "Claude Platform on AWS" and on Google Cloud are run by Anthropic.
_PLATFORMS = {
    "AnthropicBedrock": "aws.bedrock",
    "AnthropicVertex": "gcp.vertex_ai",
    "AnthropicFoundry": "azure.ai.inference",
}
_STREAMS = "anthropic.lib.streaming._messages"
_BETA_STREAMS = "anthropic.lib.streaming._beta_messages"


def _endpoint(method: str, path: str) -> Endpoint | None:
    if method != "post":
        return None
    for suffix in stainless.path_suffixes(path):
        if suffix in _ENDPOINTS:
            return _ENDPOINTS[suffix]
    return None


def _read_provider(operation: Operation, client: Any) -> None:
    hosts.read_provider(operation, client, "anthropic")
    operation.provider = _platform(type(client)) or operation.provider


def _platform(client: type) -> str | None:
    """Return who answers a client by its class, as its endpoint may be a gateway of the agent's own."""
    for parent in client.__mro__:
        name = parent.__name__.removeprefix("Async")
        for start, provider in _PLATFORMS.items():
            if name.startswith(start):
                return provider
    return None


def _read_conversation(operation: Operation, call: Call) -> None:
    """Read the conversation that the agent set for the client's own telemetry, which newer releases have."""
    operation.conversation_id = payload.get_text(call.instance, "_open_telemetry", "conversation_id")


def _read_headers(operation: Operation, response: Any) -> None:
    request_id = payload.as_text(response.headers.get("request-id"))
    if request_id is not None:
        operation.extra[semconv.ANTHROPIC_REQUEST_ID] = request_id


def _read_failure(_: Endpoint, operation: Operation, error: BaseException) -> None:
    """Read an APIError, whose body names its kind."""
    operation.error_type = payload.get_text(error, "body", "error", "type") or operation.error_type
    response = payload.get(error, "response")
    if response is not None:
        _read_headers(operation, response)


_DIALECT = Dialect(_endpoint, _read_provider, _read_failure, _read_conversation, _read_headers)

INSTRUMENTORS = (
    Instrumentor(
        "anthropic",
        "anthropic",
        ">=0.40,<3",
        (
            *stainless.targets("anthropic", _DIALECT),
            *close_targets(_STREAMS, "MessageStream", "AsyncMessageStream"),
            *close_targets(_BETA_STREAMS, "BetaMessageStream", "BetaAsyncMessageStream"),
            *tools.TARGETS,
            *native.TARGETS,
        ),
        ("chat", "text_completion", "count_tokens", "create_batch", "invoke_agent", "execute_tool"),
        owner="obs-run; the client's own spans, from 1.14 on, stand back",
    ),
)
