"""MCP's SDK, releases 1 and 2, and what is built on it, such as fastmcp: requests and notifications, on both sides.

Chosen: patches of the functions that each message passes. Release 1 has no hook. Release 2 traces itself, with names of
its own, without metrics and without the client's side in one process: its spans stand back.
"""

from __future__ import annotations

from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.native_spans import wrap_get_tracer, wrap_replaced
from obs_run.core.peer_calls import wrap_async_receive, wrap_async_send, wrap_opened
from obs_run.core.streams import wrap_inner_call

_late = late_functions(__name__)

_ENTER = wrap_before(_late("connections", "note_session"))
_EXIT = wrap_before(_late("connections", "end_session"))
_STDIO = wrap_opened(_late("connections", "note_pipe"))
_NO_SPAN = wrap_replaced(_late("native", "no_span"))

_SHARED = "mcp.shared.session"
_CLIENT = "mcp.client.session"
_SERVER = "mcp.server.lowlevel.server"
_FIRST = (
    Target(
        _SHARED,
        "BaseSession.send_request",
        wrap_async_send(_late("first", "begin_request"), _late("first", "carry")),
        optional=True,
    ),
    Target(
        _SHARED,
        "BaseSession.send_notification",
        wrap_async_send(_late("first", "begin_notification"), _late("first", "carry")),
        optional=True,
    ),
    Target(_SHARED, "BaseSession.__aenter__", _ENTER, optional=True),
    Target(_SHARED, "BaseSession.__aexit__", _EXIT, optional=True),
    Target(_SHARED, "RequestResponder.respond", wrap_inner_call(_late("first", "read_response")), optional=True),
    Target(_SERVER, "Server._handle_request", wrap_async_receive(_late("first", "handle_request")), optional=True),
    Target(_SERVER, "Server._handle_message", wrap_async_receive(_late("first", "handle_notification")), optional=True),
    Target(
        "mcp.server.session",
        "ServerSession._received_request",
        wrap_async_receive(_late("first", "handle_initialize")),
        optional=True,
    ),
    Target(
        _CLIENT,
        "ClientSession._received_request",
        wrap_async_receive(_late("first", "handle_request_of_server")),
        optional=True,
    ),
    Target(
        _CLIENT,
        "ClientSession._received_notification",
        wrap_async_receive(_late("first", "handle_notification_of_server")),
        optional=True,
    ),
)
"""Release 1."""

_JSON = "mcp.shared.jsonrpc_dispatcher"
_DIRECT = "mcp.shared.direct_dispatcher"
_RUNNER = "mcp.server.runner"
_SEND = wrap_async_send(_late("second", "begin_request"), _late("second", "carry"))
_NOTIFY = wrap_async_send(_late("second", "begin_notification"), _late("second", "carry"))
_HANDLE = wrap_async_receive(_late("second", "handle_request"))
_HEED = wrap_async_receive(_late("second", "handle_notification"))
_SECOND = (
    Target(_JSON, "JSONRPCDispatcher.send_raw_request", _SEND, optional=True),
    Target(_JSON, "JSONRPCDispatcher.notify", _NOTIFY, optional=True),
    Target(_JSON, "otel_span", _NO_SPAN, optional=True),
    Target(_JSON, "inject_trace_context", wrap_replaced(_late("native", "is_carried")), optional=True),
    Target(_DIRECT, "DirectDispatcher.send_raw_request", _SEND, optional=True),
    Target(_DIRECT, "DirectDispatcher.notify", _NOTIFY, optional=True),
    Target(_DIRECT, "_DirectDispatchContext.send_raw_request", _SEND, optional=True),
    Target(_DIRECT, "_DirectDispatchContext.notify", _NOTIFY, optional=True),
    Target(_RUNNER, "ServerRunner._on_request", _HANDLE, optional=True),
    Target(_RUNNER, "ServerRunner._on_notify", _HEED, optional=True),
    Target(_RUNNER, "aclose_shielded", wrap_before(_late("connections", "end_connection")), optional=True),
    Target(
        "mcp.server.connection",
        "Connection.__init__",
        wrap_before(_late("connections", "note_connection")),
        optional=True,
    ),
    Target("mcp.server._otel", "otel_span", _NO_SPAN, optional=True),
    Target(_CLIENT, "ClientSession._on_request", _HANDLE, optional=True),
    Target(_CLIENT, "ClientSession._on_notify", _HEED, optional=True),
    Target(_CLIENT, "ClientSession.__aenter__", _ENTER, optional=True),
    Target(_CLIENT, "ClientSession.__aexit__", _EXIT, optional=True),
)
"""Release 2."""

_TRANSPORTS = (
    Target("mcp.client.stdio", "stdio_client", _STDIO, optional=True),
    Target("mcp.server.stdio", "stdio_server", _STDIO, optional=True),
    Target(
        "mcp.client.streamable_http",
        "StreamableHTTPTransport.post_writer",
        wrap_before(_late("connections", "note_http")),
        optional=True,
    ),
)

_FASTMCP = (
    Target(
        "fastmcp.client.telemetry",
        "get_tracer",
        wrap_get_tracer(_late("native", "covers_client"), lambda _: None),
        optional=True,
    ),
    Target(
        "fastmcp.server.telemetry",
        "get_tracer",
        wrap_get_tracer(_late("native", "covers_server"), lambda _: None),
        optional=True,
    ),
)

INSTRUMENTORS = (
    Instrumentor(
        "mcp",
        "mcp",
        ">=1.9,<3",
        (*_FIRST, *_SECOND, *_TRANSPORTS),
        ("messages of MCP",),
        has_common_name=True,
    ),
    Instrumentor("fastmcp", "fastmcp", ">=3,<5", _FASTMCP, ("messages of MCP",)),
)
