"""The official instrumentor of gRPC servers: handlers that it breaks, and failures that it does not see.

Of ``grpc.aio`` it knows coroutine functions and async generators only. A server may also have functions that run in
threads, and coroutine functions that write their stream themselves; it answers both with an error. And what a handler
raises leaves its span with the status OK, and twice with the exception.
"""

from __future__ import annotations

from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from obs_run.base import guard
from obs_run.base.payload import error_name
from obs_run.core import semconv

if TYPE_CHECKING:
    from types import TracebackType

_BEHAVIORS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
_ABORTED = "AbortError"
_UNKNOWN = 2


def fit_failures(module: Any) -> None:
    """Have spans of servers say that their handlers failed."""
    kind = getattr(module, "OpenTelemetryServerInterceptor", None)
    original = getattr(kind, "_start_span", None)
    if kind is None or original is None:
        return

    @wraps(original)
    def start_span(*args: Any, **kwargs: Any) -> Any:
        return _HandlerSpan(original(*args, **kwargs))

    kind._start_span = start_span  # noqa: SLF001 (the one place that all of its spans pass)


class _HandlerSpan:
    """The span of a call while its handler runs."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._span: Any = None

    def __enter__(self) -> Any:
        self._span = self._inner.__enter__()
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        if not isinstance(error, Exception):
            return self._inner.__exit__(kind, error, traceback)
        if not _is_abort(error):
            guard.call("span of a call", _mark_failed, self._span, error)
        # The instrumentor has recorded the exception.
        self._inner.__exit__(None, None, None)
        return False


def _is_abort(error: Exception) -> bool:
    """Whether a handler was left by ``context.abort()``, which says itself what the answer is."""
    return type(error) is Exception or type(error).__name__ == _ABORTED


def _mark_failed(span: Any, error: Exception) -> None:
    span.set_attribute(semconv.RPC_GRPC_STATUS_CODE, _UNKNOWN)
    span.set_attribute(semconv.ERROR_TYPE, error_name(error))
    span.set_status(Status(StatusCode.ERROR, guard.shown(error)))


def fit_handlers(module: Any) -> None:
    """Have the interceptor of ``grpc.aio`` take each kind of handler as what it is."""
    kind = module.OpenTelemetryAioServerInterceptor
    original = kind.intercept_service

    @wraps(original)
    async def intercept_service(self: Any, continuation: Any, details: Any) -> Any:
        handler = await continuation(details)
        intercepted = guard.call("handler of a call", _intercepted, module, self, handler, details)
        if intercepted is not None:
            return intercepted

        async def get_handler(_: Any) -> Any:
            return handler

        return await original(self, get_handler, details)

    kind.intercept_service = intercept_service


def _intercepted(module: Any, interceptor: Any, handler: Any, details: Any) -> Any:
    """Return a handler that the instrumentor would break with a span around it; None where it does that itself."""
    behavior = next((found for name in _BEHAVIORS if (found := getattr(handler, name, None)) is not None), None)
    is_coroutine = iscoroutinefunction(behavior)
    if behavior is None or isasyncgenfunction(behavior) or (is_coroutine and not handler.response_streaming):
        return None
    if not module.is_instrumentation_enabled():
        return handler
    if not is_coroutine:
        # As the interceptor of servers with threads has it, which this one is derived from.
        return module.OpenTelemetryServerInterceptor.intercept_service(interceptor, lambda _: handler, details)
    if interceptor._filter is not None and not interceptor._filter(details):  # noqa: SLF001 (as the instrumentor asks)
        return handler
    wrap = module._wrap_rpc_behavior  # noqa: SLF001 (what the instrumentor wraps handlers with)
    return wrap(handler, lambda inner, *_: interceptor._intercept_aio_server_unary(inner, details))  # noqa: SLF001
