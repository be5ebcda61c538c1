"""Amazon Bedrock through botocore, which boto3 and aiobotocore stand on.

Every call of every service passes one method, outside of its retries; what is not Bedrock's leaves again at once.
Bodies and streams are the client's own objects, read when the agent reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients.stream_objects import itself
from obs_run.base import payload
from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call, Reader

_SERVICES = frozenset(("bedrock-runtime", "bedrock-agent-runtime"))
_CALLS = frozenset(
    (
        "ApplyGuardrail",
        "Converse",
        "ConverseStream",
        "CountTokens",
        "InvokeAgent",
        "InvokeInlineAgent",
        "InvokeModel",
        "InvokeModelWithResponseStream",
        "Rerank",
        "Retrieve",
        "RetrieveAndGenerate",
        "RetrieveAndGenerateStream",
    )
)
_OPERATIONS = (
    "chat",
    "text_completion",
    "embeddings",
    "rerank",
    "retrieval",
    "image_generation",
    "invoke_agent",
    "moderation",
    "count_tokens",
)


def _start_operation(call: Call) -> tuple[Operation, Reader] | None:
    """Return the operation that a call means; None for everything that is not a model's or an agent's."""
    if call.argument(0, "operation_name") not in _CALLS:
        return None
    if call.instance.meta.service_model.service_name not in _SERVICES:
        return None
    # An agent that uses only other services of AWS need not load it.
    from .calls import start_operation

    return start_operation(call)


def _is_last(body: Any, piece: Any) -> bool:
    """Whether a body has been read to its end with this piece."""
    if not piece:
        return True
    length = _own_field(body, "content_length")
    count = _own_field(body, "amount_read")
    if length is not None:
        return count is not None and bool(count >= int(length))
    # A body in chunks, of unknown length: only what it is read from knows whether there is more.
    raw_stream = payload.coalesce(payload.get(body, "_raw_stream"), payload.get(body, "__wrapped__"))
    if payload.get(raw_stream, "content", "at_eof") is not None:
        return bool(raw_stream.content.at_eof())
    return payload.get(raw_stream, "closed") is True


def _own_field(body: Any, name: str) -> Any:
    """Return a private field of a StreamingBody; those of aiobotocore's, a proxy, have a prefix."""
    return payload.coalesce(payload.get(body, f"_{name}"), payload.get(body, f"_self_{name}"))


def _is_all(_body: Any, _piece: Any) -> bool:
    """Whether a body has been read to its end: always, with the lines of ``readlines``."""
    return True


def _aio_body_targets(body: str) -> tuple[Target, ...]:
    return (
        Target(_AIO_BODY, f"{body}.read", streams.wrap_async_read(itself, _is_last), optional=True),
        Target(_AIO_BODY, f"{body}.__aexit__", streams.wrap_close(itself), optional=True),
        Target(_AIO_BODY, f"{body}.close", streams.wrap_close(itself), optional=True),
    )


_BODY, _AIO_BODY = "botocore.response", "aiobotocore.response"
_EVENTS, _AIO_EVENTS = "botocore.eventstream", "aiobotocore.eventstream"

INSTRUMENTORS = (
    Instrumentor(
        "bedrock",
        "botocore",
        ">=1.34.116,<2",
        (
            Target("botocore.client", "BaseClient._make_api_call", streams.wrap_call(_start_operation)),
            Target(_BODY, "StreamingBody.read", streams.wrap_read(itself, _is_last)),
            Target(_BODY, "StreamingBody.readlines", streams.wrap_read(itself, _is_all)),
            Target(_BODY, "StreamingBody.__exit__", streams.wrap_close(itself)),
            Target(_BODY, "StreamingBody.close", streams.wrap_close(itself)),
            Target(_EVENTS, "EventStream.__iter__", streams.wrap_generator(itself)),
            Target(_EVENTS, "EventStream.close", streams.wrap_close(itself)),
        ),
        _OPERATIONS,
    ),
    Instrumentor(
        "bedrock-aio",
        "aiobotocore",
        ">=2.13,<4",
        (
            Target("aiobotocore.client", "AioBaseClient._make_api_call", streams.wrap_async_call(_start_operation)),
            *_aio_body_targets("StreamingBody"),
            *_aio_body_targets("AioHttpxStreamingBody"),
            Target(_AIO_EVENTS, "AioEventStream.__aiter__", streams.wrap_generator(itself)),
        ),
        _OPERATIONS,
    ),
)
