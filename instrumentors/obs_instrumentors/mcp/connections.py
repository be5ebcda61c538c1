"""By what transport, in which session and version two programs speak, and how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary, ref

from obs_run.base import payload
from obs_run.core import recorder
from obs_run.core.operations.mcp import McpServerSession, McpSession

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_PORTS = {"http": 80, "https": 443}
_HTTP = "http"
_ENDINGS = ("CancelledError", "Cancelled", "GeneratorExit")
"""By what a session ends that has not failed, by the names of the exceptions' classes."""
_NO_CHANNEL = "_NoChannelOutbound"


class Peer(NamedTuple):
    """What is known of the other side."""

    transport: str | None = None
    network_protocol: str | None = None
    session_id: str | None = None
    protocol_version: str | None = None
    address: str | None = None
    port: int | None = None


_stdio: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
"""The streams that lead to a pipe."""
_http: WeakKeyDictionary[Any, ref[Any]] = WeakKeyDictionary()
"""The streams that lead to a server over HTTP, and its transport."""
_versions: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""What the sessions of release 1 agreed upon."""
_begun: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
"""When a session began."""


def _key(stream: Any) -> Any:
    """Return what stands for a stream; some of release 2 are wrappers that allow no weak references."""
    inner = payload.get(stream, "_inner")
    return stream if inner is None else inner


def note_pipe(streams: Any) -> None:
    """Note the streams that ``stdio_client`` or ``stdio_server`` gives."""
    _stdio[_key(streams[1])] = True


def note_http(call: Call) -> None:
    """Note the stream that ``StreamableHTTPTransport.post_writer`` is to send from."""
    stream = call.argument(3, "write_stream")
    if stream is not None:
        _http[_key(stream)] = ref(call.instance)


def peer_behind(stream: Any, version: str | None) -> Peer:
    """Return what is known of the side that a stream leads to."""
    key = None if stream is None else _key(stream)
    if key is None:
        return Peer(protocol_version=version)
    if key in _stdio:
        return Peer("pipe", protocol_version=version)
    transport = _http[key]() if key in _http else None
    url = payload.get_text(transport, "url")
    if url is None:
        return Peer(protocol_version=version)
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    return Peer("tcp", _HTTP, payload.get_text(transport, "session_id"), version, parts.hostname, port)


def asking_peer(request: Any, version: str | None) -> Peer:
    """Return what a request of Starlette's tells of the side that asks."""
    client = payload.get(request, "client")
    session = request.headers.get("mcp-session-id")
    return Peer("tcp", _HTTP, session, version, payload.get_text(client, "host"), payload.get_int(client, "port"))


def note_version(session: Any, version: str | None) -> None:
    """Note what a session of release 1 agreed upon."""
    if version is not None:
        _versions[session] = version


def version_of(session: Any) -> str | None:
    """Return what a session agreed upon."""
    return _versions.get(session) or payload.get_text(session, "_negotiated_version")


def note_session(call: Call) -> None:
    """Note that a session begins: ``__aenter__`` of a ``ClientSession``, or of release 1's ``ServerSession``."""
    _begun[call.instance] = time.perf_counter()


def end_session(call: Call) -> None:
    """Measure a session as it ends."""
    session = call.instance
    stream = payload.get(session, "_write_stream") or payload.get(session, "_dispatcher", "_write_stream")
    is_server = any(kind.__name__ == "ServerSession" for kind in type(session).__mro__)
    _measure(session, peer_behind(stream, version_of(session)), call.argument(1, "exc_val"), is_server=is_server)


def note_connection(call: Call) -> None:
    """Note that a client's connection begins, at a server of release 2."""
    # Where each message is for itself there is no session.
    if type(call.argument(0, "outbound")).__name__ != _NO_CHANNEL:
        _begun[call.instance] = time.perf_counter()


def end_connection(call: Call) -> None:
    """Measure a connection as it ends."""
    connection = call.argument(0, "connection")
    version = payload.get_text(connection, "protocol_version")
    peer = peer_behind(stream_of(payload.get(connection, "outbound")), version)
    if payload.get(connection, "session_id") is not None:
        peer = Peer("tcp", _HTTP, protocol_version=version)
    _measure(connection, peer, None, is_server=True)


def stream_of(outbound: Any) -> Any:
    """Return the stream by which release 2 sends, behind what it wraps around its dispatcher."""
    for _ in range(4):
        stream = payload.get(outbound, "_write_stream")
        if stream is not None:
            return stream
        outbound = payload.coalesce(*(payload.get(outbound, name) for name in ("_outbound", "_inner", "_dispatcher")))
    return None


def _measure(session: Any, peer: Peer, error: Any, *, is_server: bool) -> None:
    begun = _begun.pop(session, None)
    if begun is None:
        return
    if type(error).__name__ in _ENDINGS:
        error = None
    kind = McpServerSession if is_server else McpSession
    told = kind(peer.protocol_version, peer.transport, peer.network_protocol)
    if not is_server:
        told.server_address, told.server_port = peer.address, peer.port
    recorder.measure(told, time.perf_counter() - begun, error)
