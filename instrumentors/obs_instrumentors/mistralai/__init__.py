"""Mistral's client, with its variants for Azure and for Vertex AI.

Each method of a resource is one call, whose request is read where the client sends it. The client traces itself where
it is told to, in releases before 2.5 wherever a provider of spans is set: of the calls that are recorded here it
makes no spans of its own for that provider.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.clients.stream_objects import itself
from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target

from . import calls, native

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where the client's modules are, and who answers it.
_PACKAGES = {
    "mistralai": "mistral_ai",
    "mistralai.client": "mistral_ai",
    "mistralai_azure": "azure.ai.inference",
    "mistralai.azure.client": "azure.ai.inference",
    "mistralai_gcp": "gcp.vertex_ai",
    "mistralai.gcp.client": "gcp.vertex_ai",
}


def _targets(package: str, provider: str) -> Iterator[Target]:
    for resource, methods in calls.METHODS.items():
        module, _, name = resource.rpartition(".")
        # The variants have few of the resources' methods, and not every release has all of them.
        for method, (make, reader) in methods.items():
            start = partial(calls.start_operation, make, reader, provider)
            yield Target(f"{package}.{module}", f"{name}.{method}", streams.wrap_call(start), optional=True)
            yield Target(f"{package}.{module}", f"{name}.{method}_async", streams.wrap_async_call(start), optional=True)
    yield Target(
        f"{package}._hooks.sdkhooks", "SDKHooks.before_request", streams.wrap_inner_call(speakeasy.note_request)
    )
    yield Target(f"{package}._hooks.tracing", "get_traced_request_and_span", native.REQUEST_WITHOUT_SPAN)
    streaming = f"{package}.utils.eventstreaming"
    yield Target(streaming, "EventStream.__next__", streams.wrap_next(itself))
    yield Target(streaming, "EventStream.__exit__", streams.wrap_close(itself))
    yield Target(streaming, "EventStreamAsync.__anext__", streams.wrap_anext(itself))
    yield Target(streaming, "EventStreamAsync.__aexit__", streams.wrap_close(itself))


INSTRUMENTORS = (
    Instrumentor(
        "mistralai",
        "mistralai",
        ">=1.5,<4",
        tuple(target for package, provider in _PACKAGES.items() for target in _targets(package, provider)),
        ("chat", "text_completion", "embeddings", "moderation", "ocr"),
    ),
)
