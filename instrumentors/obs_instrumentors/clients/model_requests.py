"""Requests of models that an agent sends by HTTP itself: recognised by path and body, in the formats of ``wire``."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from obs_instrumentors.clients import hosts, http_answers
from obs_instrumentors.wire import cohere, cohere_chat, ollama
from obs_instrumentors.wire.anthropic import messages
from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.google import answers, methods
from obs_instrumentors.wire.openai import chat, completions, embeddings, responses
from obs_run.base.json_text import from_json
from obs_run.core import client_secrets, operations

if TYPE_CHECKING:
    from obs_instrumentors.clients.transports import Request, Started, Transport
    from obs_run.core.operations import ModelCall


class Format(NamedTuple):
    """How a path is spoken to: who answers where the host does not tell, and what a body has that means a model."""

    provider: str
    endpoint: Endpoint
    fields: tuple[tuple[str, ...], ...]
    """Of each of these the body has at least one."""
    streams_unasked: bool = False
    """Whether the answer is a stream where the body says nothing of one."""


_MODEL = ("model",)
_INPUT = ("input", "prompt")
_CHAT = Format("openai", chat.ENDPOINT, (("messages",),))
_COMPLETION = Format("openai", completions.ENDPOINT, (_MODEL, ("prompt",)))
_EMBEDDING = Format("openai", embeddings.ENDPOINT, (_MODEL, ("input",)))
_RESPONSE = Format("openai", responses.ENDPOINT, (_MODEL, ("input", "prompt", "previous_response_id")))
_COHERE_EMBEDDING = Format(
    "cohere",
    Endpoint(cohere.parse_embedding_request, cohere.read_embedding_response),
    (_MODEL, ("texts", "images", "inputs")),
)
_FORMATS: dict[str, Format | None] = {
    "/chat/completions": _CHAT,
    # It has a prompt and answers as a chat does, which neither format reads.
    "/fim/completions": None,
    "/completions": _COMPLETION,
    "/v1/responses": _RESPONSE,
    "/openai/responses": _RESPONSE,
    "/v1/messages": Format("anthropic", messages.ENDPOINT, (_MODEL, ("messages",))),
    "/api/chat": Format(ollama.PROVIDER, ollama.ENDPOINTS["/api/chat"], (_MODEL, ("messages",)), streams_unasked=True),
    "/api/generate": Format(
        ollama.PROVIDER, ollama.ENDPOINTS["/api/generate"], (_MODEL, ("prompt",)), streams_unasked=True
    ),
    "/api/embed": Format(ollama.PROVIDER, ollama.ENDPOINTS["/api/embed"], (_MODEL, _INPUT)),
    "/api/embeddings": Format(ollama.PROVIDER, ollama.ENDPOINTS["/api/embeddings"], (_MODEL, ("prompt",))),
    "/embeddings": _EMBEDDING,
    "/v2/chat": Format("cohere", cohere_chat.ENDPOINT, (_MODEL, ("messages",))),
    "/v1/embed": _COHERE_EMBEDDING,
    "/v2/embed": _COHERE_EMBEDDING,
    "/rerank": Format(
        "cohere",
        Endpoint(cohere.parse_rerank_request, cohere.read_rerank_response),
        (_MODEL, ("query",), ("documents",)),
    ),
}
"""By the last two parts of the path, before the last one alone."""
_DEPLOYMENTS = "deployments"
"""Azure names the model in the path, behind this."""
_STREAM_METHOD, _PREDICT_METHOD = "streamGenerateContent", ":predict"
_GOOGLES_MODELS = ("/publishers/google/models/", "/v1beta/models/")


def start(transport: Transport, request: Request) -> Started:
    """Return the operation that a request means and how its answer is read; None where it is no model call of ours."""
    body = from_json(request.body)
    if not isinstance(body, dict):
        return None
    parts = urlsplit(request.url)
    is_gemini = ":" in parts.path.rpartition("/")[2]
    found = _read_gemini(parts.path, body) if is_gemini else _read_request(parts.path, body)
    if found is None:
        return None
    operation, provider, endpoint = found
    hosts.read_provider_at(operation, parts.hostname, parts.port or _PORTS.get(parts.scheme), provider)
    for headers in request.headers:
        client_secrets.note_headers(headers)
    client_secrets.note_query(parts.query)
    return operation, http_answers.reader(transport, endpoint)


_PORTS = {"http": 80, "https": 443}
_Found = tuple["ModelCall", str, Endpoint]


def _read_request(path: str, body: dict[str, Any]) -> _Found | None:
    form = _format(path)
    if form is None:
        return None
    if body.get("model") is None:
        body = {**body, "model": _deployment(path)}
    if not all(any(body.get(name) is not None for name in names) for names in form.fields):
        return None
    operation: Any = form.endpoint.parse_request(body)
    if body.get("stream", form.streams_unasked) is True and isinstance(operation, operations.Inference):
        operation.stream = True
    return operation, form.provider, form.endpoint


@lru_cache(maxsize=256)
def _format(path: str) -> Format | None:
    *_, before_last, last = ("", *path.split("/"))
    ends = (f"/{before_last}/{last}", f"/{last}")
    return next((_FORMATS[end] for end in ends if end in _FORMATS), None)


def _deployment(path: str) -> str | None:
    _, found, rest = path.partition(f"/{_DEPLOYMENTS}/")
    return rest.partition("/")[0] if found else None


def _read_gemini(path: str, body: dict[str, Any]) -> _Found | None:
    is_prediction = path.endswith(_PREDICT_METHOD)
    if is_prediction and not any(folder in path for folder in _GOOGLES_MODELS):
        # TensorFlow's server has the same method for models of all kinds.
        return None
    if not any(name in body for name in (("instances",) if is_prediction else ("contents", "content", "requests"))):
        return None
    operation = methods.parse_method(path, body)
    if operation is None:
        return None
    methods.read_request(operation, body)
    if isinstance(operation, operations.Inference) and path.endswith(_STREAM_METHOD):
        operation.stream = True
    return operation, "gcp.gemini", _GEMINI_CONTENT if isinstance(operation, operations.Inference) else _GEMINI


def _unparsed(_: dict[str, Any]) -> Any:
    """Parse nothing: the path has the half of it."""


_GEMINI = Endpoint(_unparsed, methods.read_response)
_GEMINI_CONTENT = Endpoint(_unparsed, methods.read_response, answers.read_response, answers.finish)
