"""Where requests leave: the trace context goes with them to hosts that the user allows, and to no other.

This is put beneath the instrumentors of HTTP clients, where the headers are final, whoever wrote them. It is there only
where something writes them: such an instrumentor, or a library that does so itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run import settings
from obs_run.base import guard
from obs_run.coexistence import propagation_grpc

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import ModuleType

    Headers = MutableMapping[str, Any]
    Border = tuple[tuple[str, Callable[..., Any]], ...]

# What no public DNS answers for: names of one word, and the endings that are kept for private use.
_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".svc", ".lan", ".home.arpa", ".test", ".intranet", ".corp")
_TRACE_ID = slice(3, 35)


def allowed(host: str | None) -> bool:
    """Whether the user allows the trace context to go to ``host``."""
    return host is None or _allowed(host.strip("[]").rstrip(".").lower(), settings.get("OBS_PROPAGATE_HOSTS"))


@lru_cache(maxsize=256)
def _allowed(host: str, words: tuple[str, ...]) -> bool:
    return any(_matches(host, word) for word in words)


def _matches(host: str, word: str) -> bool:
    if word in ("*", "none"):
        return word == "*"
    if word == "private":
        return _is_private(host)
    if "/" in word:
        return _lies_in(host, word)
    word = word.removeprefix("*")
    return host.endswith(word) if word.startswith(".") else host == word.strip("[]")


def _is_private(host: str) -> bool:
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_ENDINGS)
    return address.is_private or address.is_loopback or address.is_link_local


def _lies_in(host: str, network: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def settle(host: str | None, headers: Headers) -> None:
    """Take the trace context out of ``headers`` if ``host`` must not have it; add it where a hidden span did not."""
    from obs_run.coexistence import http_spans

    current = _current()
    if not allowed(host):
        for name in [name for name in headers if _is_current(name, headers[name], current)]:
            del headers[name]
    elif http_spans.hidden():
        present = {_text(name).lower() for name in headers}
        for name, value in current.items():
            if name.lower() not in present:
                headers[name] = value


def _current() -> dict[str, str]:
    from opentelemetry.propagate import inject

    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier


def _is_current(name: Any, value: Any, current: dict[str, str]) -> bool:
    """Whether a header carries the trace that is going on; what the agent wrote of another trace is its own."""
    found = next((each for each in current if each.lower() == _text(name).lower()), None)
    if found is None:
        return False
    text, now = _text(value), current[found]
    return text == now or (found == "traceparent" and text[_TRACE_ID] == now[_TRACE_ID])


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _before(find: Callable[[Any, tuple[Any, ...], dict[str, Any]], tuple[str | None, Headers]]) -> Callable[..., Any]:
    """Return a wrapper that settles the headers which ``find`` gets from the call, then calls."""

    def settled(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        settle(*find(instance, args, kwargs))

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("propagation", settled, instance, args, kwargs)
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


def _urllib3(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Settle a copy of the headers: the agent may use its own for many requests."""
    place = 3
    given = args[place] if len(args) > place else kwargs.get("headers")
    headers = guard.call("propagation", _settled_copy, instance, args[1] if len(args) > 1 else kwargs.get("url"), given)
    if headers is None:
        return wrapped(*args, **kwargs)
    if len(args) > place:
        return wrapped(*args[:place], headers, *args[place + 1 :], **kwargs)
    return wrapped(*args, **{**kwargs, "headers": headers})


def _settled_copy(pool: Any, url: Any, given: Any) -> Any:
    # Through a proxy the pool is the proxy's and the URL is whole.
    host = (urlsplit(url).hostname if isinstance(url, str) and "://" in url else None) or pool.host
    before = pool.headers if given is None else given
    headers = before.copy() if hasattr(before, "copy") else dict(before)
    settle(host, headers)
    return None if dict(headers) == dict(before) else headers


def _x_ray(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Keep botocore's instrumentor, which writes AWS's own header, to the allowed hosts."""
    function, endpoint, given, named = args
    if guard.call("propagation", lambda: allowed(urlsplit(endpoint.host).hostname), default=True):
        return wrapped(*args, **kwargs)
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
    import wrapt

    for name, wrapper in _BORDERS[module.__name__]:
        if name.partition(".")[0] in _NEWER and not hasattr(module, name.partition(".")[0]):
            continue
        guard.call(f"propagation of {module.__name__}:{name}", wrapt.wrap_function_wrapper, module, name, wrapper)
