"""Model calls that an agent sends with httpx: every one passes a client's ``send``, above its redirects."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import content_encodings, transports
from obs_instrumentors.clients.transports import Answer, Request, Transport
from obs_run.base import payload
from obs_run.core import byte_streams, streams
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_instrumentors.clients.transports import Begin, Decode, Started
    from obs_run.core.byte_streams import BytesReader
    from obs_run.core.outcomes import Call, OutcomeTracker


def _may_be_sent(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    request = args[0] if args else kwargs["request"]
    # The text of its URL is made of parts at each question.
    return request.method == "POST" and transports.is_model_url(request.url.raw_path.decode("ascii"))


def start_operation(call: Call) -> Started:
    """Return the operation that a Request means."""
    request = call.argument(0, "request")
    # A body that is a stream has none.
    body = payload.get(request, "_content")
    return transports.start(_TRANSPORT, Request(str(request.url), body, (request.headers,)))


def _read_head(response: Any) -> Answer:
    body = payload.get(response, "_content")
    content_type = response.headers.get("content-type", "")
    return Answer(response.status_code, content_type, body if isinstance(body, bytes) else None)


def _follow(response: Any, begin: Begin) -> Any:
    byte_streams.follow(response, partial(_begin, begin))
    return response


def _begin(begin: Begin, tracker: OutcomeTracker, response: Any, is_read_here: bool) -> BytesReader | None:  # noqa: FBT001 (as core calls it)
    return begin(tracker, response) if is_read_here else None


def _decoder(response: Any) -> Decode | None:
    # httpx or httpx2, whose decoders give all that they have of a piece, or one part after the other.
    package = type(response).__module__.partition(".")[0]
    return content_encodings.decoder(
        response.headers.get("content-encoding"), partial(_decode_with_httpx, f"{package}._decoders")
    )


def _decode_with_httpx(module: str, encoding: str) -> Decode | None:
    make = payload.get(sys.modules.get(module), "SUPPORTED_DECODERS", encoding)
    return None if make is None else partial(_decoded, make())


def _decoded(decoder: Any, piece: bytes) -> bytes:
    decoded = decoder.decode(piece)
    return decoded if isinstance(decoded, bytes) else b"".join(decoded)


_TRANSPORT = Transport(_read_head, _follow, _decoder)


def _library(name: str, versions: str) -> Instrumentor:
    targets = (
        Target(
            f"{name}._client",
            "Client.send",
            transports.wrap_model_requests(streams.wrap_call(start_operation), _may_be_sent),
        ),
        Target(
            f"{name}._client",
            "AsyncClient.send",
            transports.wrap_model_requests(streams.wrap_async_call(start_operation), _may_be_sent),
        ),
    )
    return Instrumentor(name, name, versions, targets, transports.OPERATIONS, is_transport=True)


INSTRUMENTORS = (_library("httpx", ">=0.24,<1"), _library("httpx2", ">=2,<3"))
