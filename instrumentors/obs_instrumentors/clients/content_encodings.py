"""Bodies that are sent compressed: decoded here a second time, because the agent may read the bytes as they are."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_instrumentors.clients.transports import Decode

_GZIP = 16 + zlib.MAX_WBITS


def decoder(encoding: str | None, make: Callable[[str], Decode | None]) -> Decode | None:
    """Return what decodes pieces of a body, None where they are sent as they are.

    ``make`` gives the library's own, for what Python has none for; of what nobody decodes nothing is read.
    """
    name = (encoding or "identity").strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip"):
        return zlib.decompressobj(_GZIP).decompress
    if name == "deflate":
        return _Deflated().decode
    return make(name) or _decode_nothing


class _Deflated:
    """A stream with zlib's header, as it should be, or without, as some servers send it."""

    def __init__(self) -> None:
        self._inner: Any = None

    def decode(self, piece: bytes) -> bytes:
        """Decode a piece."""
        if self._inner is None:
            self._inner = zlib.decompressobj()
            try:
                return bytes(self._inner.decompress(piece))
            except zlib.error:
                self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
        return bytes(self._inner.decompress(piece))


def _decode_nothing(_: bytes) -> bytes:
    return b""
