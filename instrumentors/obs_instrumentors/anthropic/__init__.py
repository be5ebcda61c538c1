"""Anthropic's client, on the base that it shares with OpenAI's, and its tool runner.

From 1.14 on the client traces itself. We record all releases alike: the client's own span of what we record stands
back, all others (sessions, files, administration) stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_instrumentors.clients import hosts, stainless
from obs_instrumentors.clients.stainless import Dialect, closings
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
    return next((_ENDPOINTS[end] for end in stainless.ends(path) if end in _ENDPOINTS), None)


def _place(operation: Operation, client: Any) -> None:
    hosts.place(operation, client, "anthropic")
    operation.provider = _platform(type(client)) or operation.provider


def _platform(client: type) -> str | None:
    for parent in client.__mro__:
        name = parent.__name__.removeprefix("Async")
        for start, provider in _PLATFORMS.items():
            if name.startswith(start):
                return provider
    return None


def _prepare(operation: Operation, call: Call) -> None:
    operation.conversation_id = payload.get_text(call.instance, "_open_telemetry", "conversation_id")


def _response(operation: Operation, response: Any) -> None:
    request_id = payload.as_text(response.headers.get("request-id"))
    if request_id is not None:
        operation.extra[semconv.ANTHROPIC_REQUEST_ID] = request_id


def _failure(_: Endpoint, operation: Operation, error: BaseException) -> None:
    operation.error_type = payload.get_text(error, "body", "error", "type") or operation.error_type
    response = payload.get(error, "response")
    if response is not None:
        _response(operation, response)


_DIALECT = Dialect(_endpoint, _place, _failure, _prepare, _response)

INSTRUMENTORS = (
    Instrumentor(
        "anthropic",
        "anthropic",
        ">=0.40,<3",
        (
            *stainless.targets("anthropic", _DIALECT),
            *closings(_STREAMS, "MessageStream", "AsyncMessageStream"),
            *closings(_BETA_STREAMS, "BetaMessageStream", "BetaAsyncMessageStream"),
            *tools.TARGETS,
            *native.TARGETS,
        ),
        ("chat", "text_completion", "count_tokens", "create_batch", "invoke_agent", "execute_tool"),
        owner="obs-run; the client's own spans, from 1.14 on, stand back",
    ),
)
