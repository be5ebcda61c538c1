"""Responses of urllib3 and of Python's own client, whose bytes the agent reads in whatever way it likes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import content_encodings
from obs_run.base import payload
from obs_run.core import followed_bodies
from obs_run.core.followed_bodies import Methods

if TYPE_CHECKING:
    from obs_instrumentors.clients.transports import Begin, Decode


def _is_read(response: Any) -> bool:
    # Where the body is chunked, a chunk of no bytes is the last.
    return bool(response.closed) or getattr(response, "chunk_left", None) == 0


_URLLIB3 = Methods(
    _is_read,
    returning=("_raw_read", "_handle_chunk"),
    around=("read", "read1"),
    generating=("read_chunked",),
)
_URLLIB3_1 = Methods(_is_read, taking=("_decode",), around=("read",), generating=("read_chunked",))
_HTTP_CLIENT = Methods(
    lambda response: response.isclosed(), returning=("read", "read1", "readline"), filling=("readinto",)
)


def follow_urllib3(response: Any, begin: Begin) -> Any:
    """Have the body of a response of urllib3 followed, and return it; None where it is of another kind."""
    kind = type(response)
    if not hasattr(kind, "_decode"):
        # What plays recorded answers back gives those of ``http.client`` in their place.
        return follow_http_client(response, begin)
    methods = _URLLIB3 if hasattr(kind, "_raw_read") else _URLLIB3_1
    return response if followed_bodies.follow(response, methods, begin) else None


def follow_http_client(response: Any, begin: Begin) -> Any:
    """Have the body of a response of ``http.client`` followed, and return it; None where it is of another kind."""
    if not hasattr(type(response), "isclosed") or not hasattr(type(response), "readinto"):
        return None
    return response if followed_bodies.follow(response, _HTTP_CLIENT, begin) else None


def decoder(response: Any) -> Decode | None:
    """Return what decodes the bytes of a response, None where they are sent as they are."""
    return content_encodings.decoder(response.headers.get("content-encoding"), _decode_with_urllib3)


def _decode_with_urllib3(encoding: str) -> Decode | None:
    make = payload.get(sys.modules.get("urllib3.response"), "_get_decoder")
    return None if make is None else make(encoding).decompress
