"""What the methods of both versions have in common: who answers, embeddings and reranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import cohere
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import messages
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import ModelCall


@dataclass(frozen=True)
class Method:
    """A method of the client: from its arguments to an operation, and from what comes back into it."""

    parse_request: Callable[[dict[str, Any]], ModelCall]
    reader: Reader


_CLOUDS = {"Bedrock": "aws.bedrock", "Sagemaker": "aws.sagemaker", "Oci": "oci"}
"""Clients that send the same calls elsewhere, by the words in their names; their base URL means nothing."""


def read_provider(operation: ModelCall, client: Any) -> None:
    """Say on the operation who answers and where."""
    class_names = " ".join(parent.__name__ for parent in type(client).__mro__)
    for word, provider in _CLOUDS.items():
        if word in class_names:
            operation.provider = provider
            return
    operation.provider = "cohere"
    read_server_address(operation, payload.get(client, "_client_wrapper").get_base_url())


def system_instructions(text: Any) -> list[messages.Part] | None:
    """Return the instructions that a request puts before the conversation."""
    instructions = payload.as_text(text)
    return None if instructions is None else [messages.text(instructions)]


EMBED = Method(cohere.parse_embedding_request, Reader(cohere.read_embedding_response))
RERANK = Method(cohere.parse_rerank_request, Reader(cohere.read_rerank_response))
