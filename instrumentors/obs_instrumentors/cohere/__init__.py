"""Cohere's client, both versions of its API: the typed methods, below which every helper and raw mode passes.

Embedding by the first version sends batches from threads of its own, so that one is recorded where it is called.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import semconv, streams
from obs_run.core.hooks import Instrumentor, Target

from . import endpoint, v1, v2

if TYPE_CHECKING:
    from obs_run.core.operations import ModelCall, Operation
    from obs_run.core.outcomes import Call, Reader

    from .endpoint import Method


def start_operation(method: Method, call: Call) -> tuple[ModelCall, Reader]:
    """Return the operation that a call of a method means, and how its outcome is read."""
    operation = method.parse_request(call.kwargs)
    if method.reader.lazy:
        operation.stream = True  # type: ignore[attr-defined] # only inferences are streams
    endpoint.read_provider(operation, call.instance)
    return operation, method.reader


def _note_retries(operation: Operation, call: Call) -> None:
    """Read from a request how many were made before it: the client calls itself to try again."""
    count = payload.as_int(call.kwargs.get("retries"))
    if count:
        operation.extra[semconv.OBS_REQUEST_RETRIES] = count


def _targets(module: str, version: str, methods: dict[str, Method], **options: Any) -> list[Target]:
    """Return the targets of a class and its async twin; streams are generators in both."""
    result = []
    for name, method in methods.items():
        start = partial(start_operation, method)
        async_wrap = streams.wrap_call if method.reader.lazy else streams.wrap_async_call
        result.append(Target(module, f"{version}.{name}", streams.wrap_call(start), **options))
        result.append(Target(module, f"Async{version}.{name}", async_wrap(start), **options))
    return result


def _without_streams(methods: dict[str, Method]) -> dict[str, Method]:
    """Return the methods whose raw mode gives the whole answer."""
    return {name: method for name, method in methods.items() if not method.reader.lazy}


INSTRUMENTORS = (
    Instrumentor(
        "cohere",
        "cohere",
        ">=5.11,<8",
        (
            *_targets("cohere.v2.client", "V2Client", v2.METHODS),
            *_targets("cohere.v2.raw_client", "RawV2Client", _without_streams(v2.METHODS), optional=True),
            *_targets("cohere.base_client", "BaseCohere", v1.METHODS),
            *_targets("cohere.raw_base_client", "RawBaseCohere", _without_streams(v1.METHODS), optional=True),
            *_targets("cohere.client", "Client", {"embed": endpoint.EMBED}),
            Target("cohere.core.http_client", "HttpClient.request", streams.wrap_inner_call(_note_retries)),
            Target("cohere.core.http_client", "AsyncHttpClient.request", streams.wrap_inner_call(_note_retries)),
        ),
        ("chat", "text_completion", "embeddings", "rerank", "classification"),
    ),
)
