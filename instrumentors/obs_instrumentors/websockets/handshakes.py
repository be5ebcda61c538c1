"""The requests by which connections begin: the client's, and the server's."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from obs_instrumentors.wire import http_requests
from obs_run.base import payload
from obs_run.core import message_carriers, ownership
from obs_run.core.handshakes import HandshakeStep
from obs_run.core.operations import HttpClientRequest
from obs_run.core.outcomes import Reader
from obs_run.core.server_requests import current_step

from . import connections

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import HttpServerRequest
    from obs_run.core.outcomes import Call

_METHOD = "GET"
_VERSION = "1.1"
_SWITCHED = 101
_REFUSALS = {"InvalidOrigin": 403, "InvalidUpgrade": 426, "InvalidHandshake": 400}
_OFFER = "Obs-Message-Trace"
"""By this header two ends that run under obs-run find out that both do; messages carry the trace only then."""
_FORMAT = "json"


class _Opening(NamedTuple):
    """What ``connect`` was called for."""

    place: connections.Place
    is_librarys: bool


_openings: WeakKeyDictionary[Any, _Opening] = WeakKeyDictionary()


def note_made(call: Call) -> None:
    """Note what an object is for that opens connections; another task may do that."""
    _openings[call.instance] = _opening_of(call)


def _opening_of(call: Call) -> _Opening:
    unix_path = payload.as_text(call.kwargs.get("path")) if call.kwargs.get("unix") else None
    uri = call.argument(0, "uri") or ""
    return _Opening(connections.place_of(uri, unix_path), connections.is_opened_by_library())


def begin_connect(call: Call) -> tuple[HttpClientRequest, Reader] | None:
    """Begin the opening of a connection by an object that was made for it."""
    return _begin(_openings.get(call.instance))


def begin_connect_function(call: Call) -> tuple[HttpClientRequest, Reader] | None:
    """Begin ``websockets.sync.client.connect``, which in later releases makes an object that opens the connection."""
    module = sys.modules["websockets.sync.client"]
    return None if hasattr(module, "reconnect") else _begin(_opening_of(call))


def _begin(opening: _Opening | None) -> tuple[HttpClientRequest, Reader] | None:
    if opening is None or opening.is_librarys:
        return None
    place = opening.place
    operation = HttpClientRequest(_METHOD, url=place.url(), scheme=place.scheme, protocol_version=_VERSION)
    operation.server_address, operation.server_port = place.host, place.port
    return operation, Reader(result=partial(_read_connected, place), failure=read_failure)


def _read_connected(place: connections.Place, operation: HttpClientRequest, connection: Any) -> None:
    operation.note_status(_SWITCHED)
    # The older API keeps no response but its headers.
    headers = payload.coalesce(
        payload.get(connection, "response", "headers"), payload.get(connection, "response_headers")
    )
    connections.note(connection, place, reads_carriers=_is_offered(headers))


def read_failure(operation: HttpClientRequest, error: BaseException) -> None:
    """Read how a request was refused."""
    status = payload.coalesce(payload.get_int(error, "response", "status_code"), payload.get_int(error, "status_code"))
    if status is not None:
        operation.note_status(status)


def carry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Have a client's request carry the trace, by ``ClientProtocol.send_request``."""
    _carry(payload.get(call.argument(0, "request"), "headers"), fields)


def carry_in_headers(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Have it carry the trace, by ``WebSocketClientProtocol.write_http_request``."""
    _carry(call.argument(1, "headers"), fields)


def _carry(headers: Any, fields: Callable[[Any], dict[str, str]]) -> None:
    recording = ownership.current_recording()
    if recording is None or not isinstance(recording.operation, HttpClientRequest):
        return
    added = fields({name.lower(): value for name, value in headers.raw_items()})
    for name, value in added.items():
        if name in headers:
            # It would be there twice.
            del headers[name]
        headers[name] = value
    if added and message_carriers.uses_json():
        headers[_OFFER] = _FORMAT


def begin_handshake(call: Call) -> HandshakeStep | None:
    """Begin a server's handshake: ``ServerConnection.handshake`` first waits for the request."""
    connection = call.instance
    if connections.is_of_library(connection):
        return None
    step = HandshakeStep(connection, partial(parse_request, connection))
    call.replace(0, "process_request", step.begun_by(call.argument(0, "process_request")))
    return step


def begin_older_handshake(call: Call) -> HandshakeStep | None:
    """Begin that of the older API, by ``WebSocketServerProtocol.handshake``."""
    connection = call.instance
    if connections.is_of_library(connection):
        return None
    return HandshakeStep(connection, partial(parse_request, connection), read_refusal)


def read_refusal(error: BaseException) -> int | None:
    """Return the status by which the older API refuses a request."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    status = next((_REFUSALS[kind] for kind in kinds if kind in _REFUSALS), None)
    told = payload.get_int(error, "status")
    return status if told is None else told


def note_request(call: Call) -> None:
    """Note the request that the older API has read, which ``process_request`` is called with."""
    step = _step_of(call.instance)
    if step is not None:
        step.begin_request()


def parse_request(connection: Any) -> tuple[HttpServerRequest, Mapping[str, list[str]]]:
    """Return the operation of the request that a connection began with, and its headers."""
    request = payload.get(connection, "request")
    sent = payload.coalesce(payload.get(request, "headers"), payload.get(connection, "request_headers"))
    headers: dict[str, list[str]] = {}
    for name, value in sent.raw_items():
        headers.setdefault(name.lower(), []).append(value)
    path, _, query = _target_of(connection).partition("?")
    operation = http_requests.start_operation(_METHOD, path, headers)
    operation.query = query or None
    operation.scheme = "wss" if _is_secure(connection) else "ws"
    operation.protocol_version = _VERSION
    client, server = (payload.get_if_readable(connection, name) for name in ("remote_address", "local_address"))
    operation.client_address = payload.as_text(client[0]) if isinstance(client, tuple) else None
    http_requests.fill_address(operation, *(server[:2] if isinstance(server, tuple) else (None, None)))
    return operation, headers


def _target_of(connection: Any) -> str:
    target = payload.coalesce(payload.get_text(connection, "request", "path"), payload.get_text(connection, "path"))
    return target or "/"


def _is_secure(connection: Any) -> bool:
    transport = payload.get_if_readable(connection, "transport")
    if hasattr(transport, "get_extra_info"):
        return transport.get_extra_info("sslcontext") is not None
    # Python's own sockets, and trio's streams.
    streams = (payload.get_if_readable(connection, name) for name in ("socket", "stream"))
    return any(hasattr(stream, name) for stream in streams for name in ("cipher", "do_handshake"))


def note_response(call: Call) -> None:
    """Note the answer that ``ServerProtocol.send_response`` sends."""
    step = current_step()
    if not isinstance(step, HandshakeStep) or payload.get(step.server, "protocol") is not call.instance:
        return
    response = call.argument(0, "response")
    _note_answer(step, payload.get_int(response, "status_code"), response.headers)


def note_older_response(call: Call) -> None:
    """Note the answer that ``WebSocketServerProtocol.write_http_response`` sends."""
    step = _step_of(call.instance)
    if step is not None:
        _note_answer(step, int(call.argument(0, "status")), call.argument(1, "headers"))


def _note_answer(step: HandshakeStep, status: int | None, headers: Any) -> None:
    if not step.is_recorded():
        # A request that could not be read begins nothing.
        return
    step.note_status(status)
    for name, value in step.answers([name for name, _ in headers.raw_items()]).items():
        headers[name] = value
    if status != _SWITCHED:
        return
    connection: Any = step.server
    sent = payload.coalesce(payload.get(connection, "request", "headers"), payload.get(connection, "request_headers"))
    is_offered = message_carriers.uses_json() and _is_offered(sent)
    if is_offered:
        headers[_OFFER] = _FORMAT
    server = payload.coalesce(payload.get(connection, "server"), payload.get(connection, "ws_server"))
    place = connections.Place(_target_of(connection).partition("?")[0])
    connections.note(connection, place, reads_carriers=is_offered, server=server)


def _step_of(connection: Any) -> HandshakeStep | None:
    step = current_step(connection)
    return step if isinstance(step, HandshakeStep) else None


def _is_offered(headers: Any) -> bool:
    return headers is not None and _OFFER in headers
