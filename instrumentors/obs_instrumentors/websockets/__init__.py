"""websockets: the handshakes of connections, and their messages, with asyncio, threads and trio, and by the older API.

Chosen: patches, as the library has no hook. A connection may live for days, and so has no span: the request that begins
it has one at each end, and each message. The trace goes along in the request's headers, and in messages only where both
ends run under obs-run, which their headers tell them: another end gets what the agent sends, byte by byte.
"""

from __future__ import annotations

from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.message_steps import wrap_async_step, wrap_step
from obs_run.core.peer_calls import wrap_async_send, wrap_carried, wrap_send
from obs_run.core.streams import wrap_async_call, wrap_call

_late = late_functions(__name__)

_MADE = wrap_before(_late("handshakes", "note_made"))
_CONNECT = _late("handshakes", "begin_connect")
_HANDSHAKE = _late("handshakes", "begin_handshake")
_SEND, _CARRY = _late("messages", "begin_send"), _late("messages", "carry")
_TELL = (_late("messages", "begin_broadcast"), _late("messages", "carry_in_broadcast"))
_BROADCAST, _ASYNC_BROADCAST = wrap_send(*_TELL), wrap_async_send(*_TELL)
_RECEIVE = _late("messages", "begin_receive")
_CLOSE = wrap_before(_late("messages", "note_close"))
_SERVER_CLOSE = wrap_before(_late("messages", "note_server_close"))

_COMMON = (
    Target("websockets.client", "ClientProtocol.send_request", wrap_carried(_late("handshakes", "carry"))),
    Target("websockets.server", "ServerProtocol.send_response", wrap_before(_late("handshakes", "note_response"))),
)
_ASYNC = (
    Target("websockets.asyncio.client", "connect.__init__", _MADE),
    # One of these is in each release.
    Target("websockets.asyncio.client", "connect.__await_impl__", wrap_async_call(_CONNECT), optional=True),
    Target("websockets.asyncio.client", "connect.connect", wrap_async_call(_CONNECT), optional=True),
    Target("websockets.asyncio.server", "ServerConnection.handshake", wrap_async_step(_HANDSHAKE)),
    Target("websockets.asyncio.server", "Server.close", _SERVER_CLOSE),
    Target("websockets.asyncio.connection", "Connection.send", wrap_async_send(_SEND, _CARRY)),
    Target("websockets.asyncio.connection", "Connection.recv", wrap_async_step(_RECEIVE)),
    Target("websockets.asyncio.connection", "Connection.close", _CLOSE),
    Target("websockets.asyncio.connection", "broadcast", _BROADCAST),
    # Where it was imported before.
    Target("websockets.asyncio.server", "broadcast", _BROADCAST),
)
_SYNC = (
    Target("websockets.sync.client", "reconnect.__init__", _MADE, optional=True),
    Target("websockets.sync.client", "reconnect.connect", wrap_call(_CONNECT), optional=True),
    Target("websockets.sync.client", "connect", wrap_call(_late("handshakes", "begin_connect_function"))),
    Target("websockets.sync.server", "ServerConnection.handshake", wrap_step(_HANDSHAKE)),
    Target("websockets.sync.server", "*Server.shutdown", _SERVER_CLOSE),
    Target("websockets.sync.connection", "Connection.send", wrap_send(_SEND, _CARRY)),
    Target("websockets.sync.connection", "Connection.recv", wrap_step(_RECEIVE)),
    Target("websockets.sync.connection", "Connection.close", _CLOSE),
    Target("websockets.sync.connection", "broadcast", _BROADCAST, optional=True),
    Target("websockets.sync.server", "broadcast", _BROADCAST, optional=True),
)
_TRIO = (
    Target("websockets.trio.client", "connect.__init__", _MADE),
    Target("websockets.trio.client", "connect.connect", wrap_async_call(_CONNECT)),
    Target("websockets.trio.server", "ServerConnection.handshake", wrap_async_step(_HANDSHAKE)),
    Target("websockets.trio.server", "Server.aclose", _SERVER_CLOSE),
    Target("websockets.trio.connection", "Connection.send", wrap_async_send(_SEND, _CARRY)),
    Target("websockets.trio.connection", "Connection.recv", wrap_async_step(_RECEIVE)),
    Target("websockets.trio.connection", "Connection.aclose", _CLOSE),
    Target("websockets.trio.connection", "broadcast", _ASYNC_BROADCAST),
    Target("websockets.trio.server", "broadcast", _ASYNC_BROADCAST),
)
_CLIENT, _SERVER, _PROTOCOL = "websockets.legacy.client", "websockets.legacy.server", "websockets.legacy.protocol"
_OLDER_RESPONSE = wrap_before(_late("handshakes", "note_older_response"))
_OLDER = (
    Target(_CLIENT, "Connect.__init__", _MADE),
    Target(_CLIENT, "Connect.__await_impl__", wrap_async_call(_CONNECT)),
    Target(
        _CLIENT, "WebSocketClientProtocol.write_http_request", wrap_carried(_late("handshakes", "carry_in_headers"))
    ),
    Target(_SERVER, "WebSocketServerProtocol.handshake", wrap_async_step(_late("handshakes", "begin_older_handshake"))),
    Target(_SERVER, "WebSocketServerProtocol+.process_request", wrap_before(_late("handshakes", "note_request"))),
    Target(_SERVER, "WebSocketServerProtocol.write_http_response", _OLDER_RESPONSE),
    Target(_SERVER, "WebSocketServer.unregister", wrap_before(_late("messages", "note_end"))),
    Target(_SERVER, "WebSocketServer.close", _SERVER_CLOSE),
    Target(_PROTOCOL, "WebSocketCommonProtocol.send", wrap_async_send(_SEND, _CARRY)),
    Target(_PROTOCOL, "WebSocketCommonProtocol.recv", wrap_async_step(_RECEIVE)),
    Target(_PROTOCOL, "WebSocketCommonProtocol.close", _CLOSE),
    Target(_PROTOCOL, "WebSocketCommonProtocol.fail_connection", _CLOSE),
    Target(_PROTOCOL, "broadcast", _BROADCAST),
    Target(_SERVER, "broadcast", _BROADCAST),
)

INSTRUMENTORS = (
    Instrumentor(
        "websockets",
        "websockets",
        ">=13,<18",
        (*_COMMON, *_ASYNC, *_SYNC, *_TRIO, *_OLDER),
        ("handshakes", "messages of connections"),
        is_dependency=True,
    ),
)
