"""Where requests leave: the trace context goes with them to hosts that the user allows, and to no other.

This is put beneath the instrumentors of HTTP clients, where the headers are final, whoever wrote them. It is there only
where something writes them: such an instrumentor, or a library that does so itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run.base import guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.coexistence import propagation_grpc, propagation_rules
from obs_run.context.allowed_hosts import is_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import ModuleType

    Headers = MutableMapping[str, Any]
    Border = tuple[tuple[str, Callable[..., Any]], ...]


def _before(find: Callable[[Any, tuple[Any, ...], dict[str, Any]], tuple[str | None, Headers]]) -> Callable[..., Any]:
    """Return a wrapper that settles the headers which ``find`` gets from the call, then calls."""

    def settled(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        propagation_rules.restrict_headers(*find(instance, args, kwargs))

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("propagation", settled, instance, args, kwargs)
        with no_frame:
            return wrapped(*args, **kwargs)

    return wrapper


def _httpx(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str | None, Headers]:
    request = args[0] if args else kwargs["request"]
    return request.url.host, request.headers


def _requests(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str | None, Headers]:
    request = args[0] if args else kwargs["request"]
    return urlsplit(request.url).hostname, request.headers


def _aiohttp(instance: Any, _: tuple[Any, ...], __: dict[str, Any]) -> tuple[str | None, Headers]:
    return instance.url.host, instance.headers


def _urllib(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str | None, Headers]:
    request = args[1] if len(args) > 1 else kwargs["req"]
    return urlsplit(request.full_url).hostname, request.headers


@passed_over
def _urllib3(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Settle a copy of the headers: the agent may use its own for many requests."""
    place = 3
    given = args[place] if len(args) > place else kwargs.get("headers")
    headers = guard.call("propagation", _settled_copy, instance, args[1] if len(args) > 1 else kwargs.get("url"), given)
    if headers is not None and len(args) > place:
        args = (*args[:place], headers, *args[place + 1 :])
    elif headers is not None:
        kwargs = {**kwargs, "headers": headers}
    with no_frame:
        return wrapped(*args, **kwargs)


def _settled_copy(pool: Any, url: Any, given: Any) -> Any:
    # Through a proxy the pool is the proxy's and the URL is whole.
    host = (urlsplit(url).hostname if isinstance(url, str) and "://" in url else None) or pool.host
    before = pool.headers if given is None else given
    headers = before.copy() if hasattr(before, "copy") else dict(before)
    propagation_rules.restrict_headers(host, headers)
    return None if dict(headers) == dict(before) else headers


def _x_ray(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Keep botocore's instrumentor, which writes AWS's own header, to the allowed hosts."""
    function, endpoint, given, named = args
    if guard.call("propagation", lambda: is_allowed(urlsplit(endpoint.host).hostname), default=True):
        function, given, named = wrapped, args, kwargs
    with no_frame:
        return function(*given, **named)


_HTTPX = (
    ("HTTPTransport.handle_request", _before(_httpx)),
    ("AsyncHTTPTransport.handle_async_request", _before(_httpx)),
)
_BORDERS: dict[str, Border] = {
    "httpx": _HTTPX,
    "httpx2": _HTTPX,
    "requests": (("adapters.HTTPAdapter.send", _before(_requests)),),
    "aiohttp": (("client_reqrep.ClientRequest.send", _before(_aiohttp)),),
    "urllib.request": (("AbstractHTTPHandler.do_open", _before(_urllib)),),
    "urllib3": (("connectionpool.HTTPConnectionPool.urlopen", _urllib3),),
    "grpc": (("insecure_channel", propagation_grpc.channel), ("secure_channel", propagation_grpc.channel)),
    "grpc.aio": (("insecure_channel", propagation_grpc.aio_channel), ("secure_channel", propagation_grpc.aio_channel)),
    "opentelemetry.instrumentation.botocore": tuple(
        (f"{name}._patched_endpoint_prepare_request", _x_ray)
        for name in ("BotocoreInstrumentor", "AiobotocoreInstrumentor")
    ),
}
# The module that writes headers -> the libraries that it writes them for.
_LIBRARIES = {
    "httpx": ("httpx", "httpx2"),
    "_tracing": ("httpx", "httpx2"),
    "requests": ("requests",),
    "aiohttp_client": ("aiohttp",),
    "urllib": ("urllib.request",),
    "urllib3": ("urllib3",),
    "grpc": ("grpc", "grpc.aio"),
    "botocore": ("opentelemetry.instrumentation.botocore",),
}
_NEWER = frozenset(["AiobotocoreInstrumentor"])  # the oldest supported release has none
_guarded: set[str] = set()


def guard_clients(module: ModuleType) -> None:
    """Watch the requests of the libraries that ``module`` writes headers for."""
    from obs_run.process import import_hooks

    for library in _LIBRARIES[module.__name__.rpartition(".")[2]]:
        if library not in _guarded:
            _guarded.add(library)
            import_hooks.when_imported(library, _watch)


def _watch(module: ModuleType) -> None:
    from obs_run.core import watched_functions

    for name, wrapper in _BORDERS[module.__name__]:
        if name.partition(".")[0] in _NEWER and not hasattr(module, name.partition(".")[0]):
            continue
        guard.call(f"propagation of {module.__name__}:{name}", watched_functions.watch, module, name, wrapper)
