"""pyzmq, sync, asyncio, green and ZMQStream: calls and their handling, messages sent and worked on.

Chosen: patches of the functions that each message passes, as pyzmq has no hook; those of frames beside those of whole
messages, which call them. A peer without obs-run reads what the agent sent: ``core.message_carriers``.
"""

from __future__ import annotations

from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.message_steps import make_future, wrap_receive, wrap_step

_late = late_functions(__name__)

_SOCKET = "zmq.sugar.socket"
_SEND = wrap_step(_late("steps", "begin_send"))
_RECEIVE = wrap_receive(_late("steps", "begin_receive"))

_SYNC = (
    Target(_SOCKET, "Socket.send", _SEND),
    Target(_SOCKET, "Socket.send_multipart", wrap_step(_late("steps", "begin_send_multipart"))),
    Target(_SOCKET, "Socket.send_json", wrap_step(_late("steps", "begin_send_json"))),
    Target(_SOCKET, "Socket.recv", _RECEIVE),
    Target(_SOCKET, "Socket.recv_multipart", wrap_receive(_late("steps", "begin_receive_multipart"))),
    # Only later releases have it.
    Target(_SOCKET, "Socket.recv_into", wrap_receive(_late("steps", "begin_receive_into")), optional=True),
    Target(_SOCKET, "Socket.bind", wrap_before(_late("steps", "note_bind"))),
    Target(_SOCKET, "Socket.connect", wrap_before(_late("steps", "note_connect"))),
    Target(_SOCKET, "Socket.close", wrap_before(_late("steps", "note_close"))),
    Target("zmq.sugar.poll", "Poller.poll", wrap_step(_late("steps", "begin_poll"))),
)
_GREEN = (
    Target("zmq.green.core", "_Socket.send", _SEND),
    Target("zmq.green.core", "_Socket.recv", _RECEIVE),
)

_FUTURES = "zmq._future"
_ASYNC = (
    Target(_FUTURES, "_AsyncSocket.send", wrap_step(_late("futures", "begin_send"))),
    Target(_FUTURES, "_AsyncSocket.send_multipart", wrap_step(_late("futures", "begin_send_multipart"))),
    Target(_FUTURES, "_AsyncSocket.recv", wrap_receive(_late("futures", "begin_receive"))),
    Target(_FUTURES, "_AsyncSocket.recv_multipart", wrap_receive(_late("futures", "begin_receive_multipart"))),
    Target(_FUTURES, "_AsyncSocket._deserialize", wrap_step(_late("futures", "begin_deserialize"))),
    Target(_FUTURES, "_AsyncPoller.poll", wrap_step(_late("futures", "begin_poll"))),
    Target("zmq.asyncio", "_AsyncIO._Future", make_future),
)
_STREAM = "zmq.eventloop.zmqstream"
_STREAMS = (
    Target(_STREAM, "ZMQStream._handle_recv", wrap_step(_late("streams", "begin_callback"))),
    Target(_STREAM, "ZMQStream._handle_send", wrap_step(_late("streams", "begin_queued"))),
    Target(_STREAM, "ZMQStream.send_multipart", wrap_before(_late("streams", "note_queued"))),
)

INSTRUMENTORS = (
    Instrumentor(
        "zmq",
        "pyzmq",
        ">=25,<28",
        (*_SYNC, *_GREEN, *_ASYNC, *_STREAMS),
        ("messages of ZMQ",),
    ),
)
