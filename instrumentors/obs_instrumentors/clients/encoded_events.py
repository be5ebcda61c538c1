"""The events of a response of httpx that is sent compressed: they are read where the client has decoded them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.byte_streams import BytesReader


def is_encoded(response: Any) -> bool:
    """Whether a response is sent otherwise than as it is."""
    return bool(response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"))


def follow(response: Any) -> None:
    """Stand above the decoder of a response that has not been read yet."""
    decoder = response._get_content_decoder()  # noqa: SLF001 (there is no public name)
    # What the client has no decoder for it passes on as it is.
    if type(decoder).__name__ != "IdentityDecoder":
        response._decoder = _Decoder(decoder)  # noqa: SLF001


def begin(response: Any, reader: BytesReader) -> BytesReader | None:
    """Have ``reader`` read what is decoded, and return what reads the bytes before; None where nothing is decoded."""
    decoder = payload.get(response, "_decoder")
    if not isinstance(decoder, _Decoder):
        return None
    decoder.reader = reader
    return _EncodedBytes(decoder, reader)


class _EncodedBytes:
    """The bytes of one response before they are decoded, which go on as they are."""

    def __init__(self, decoder: _Decoder, reader: BytesReader) -> None:
        self._decoder = decoder
        self._reader = reader

    def pass_on(self, piece: bytes) -> bytes:
        return piece

    def end(self, error: BaseException) -> bytes:
        is_over = isinstance(error, (StopIteration, StopAsyncIteration))
        # The decoder may have something left.
        if not is_over or not self._decoder.has_decoded:
            self._reader.end(error)
        return b""


class _Decoder:
    """A client's decoder, and what reads what comes of it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.reader: BytesReader | None = None
        self.has_decoded = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decode(self, data: bytes) -> Any:
        """Return what the client's own does: bytes, or in newer releases an iterator of them."""
        self.has_decoded = True
        decoded = self._inner.decode(data)
        return self._passed(decoded) if isinstance(decoded, bytes) else self._each_passed(decoded)

    def flush(self) -> Any:
        """Return what is left, in the same form."""
        decoded = self._inner.flush()
        if isinstance(decoded, bytes):
            return self._passed(decoded) + self._end()
        return self._last_passed(decoded)

    def _passed(self, piece: bytes) -> bytes:
        if self.reader is None or not piece:
            return piece
        passed: bytes = guard.call("chunk", self.reader.pass_on, piece, default=piece)
        return passed

    def _each_passed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            passed = self._passed(piece)
            if passed:
                yield passed

    def _last_passed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        yield from self._each_passed(pieces)
        rest = self._end()
        if rest:
            yield rest

    def _end(self) -> bytes:
        if self.reader is None:
            return b""
        rest: bytes = guard.call("finish", self.reader.end, StopIteration(), default=b"")
        return rest
