"""Propagation through gRPC channels: as ``propagation_hosts`` has it for HTTP, for the metadata of calls."""

from __future__ import annotations

from collections import namedtuple
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.coexistence import propagation_rules

if TYPE_CHECKING:
    from collections.abc import Callable

_DETAILS = ("method", "timeout", "metadata", "credentials", "wait_for_ready", "compression")
_WAYS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


def channel(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Look at the headers of a channel that is being made."""
    made = wrapped(*args, **kwargs)
    return guard.call("propagation", _intercepted, made, args, kwargs, default=made)


def aio_channel(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Look at the headers of an asyncio channel that is being made, behind the agent's own interceptors."""
    given = guard.call("propagation", _with_interceptors, args, kwargs, default=(args, kwargs))
    return wrapped(*given[0], **given[1])


def host_of(target: str) -> str | None:
    """Return the host of a gRPC target, None for what stays on this machine."""
    scheme, found, rest = target.partition(":")
    if found and scheme in ("unix", "unix-abstract", "vsock", "inproc"):
        return None
    if found and scheme in ("dns", "ipv4", "ipv6", "passthrough", "xds"):
        target = rest.rpartition("/")[2]
    host, _, port = target.rpartition(":")
    return (host if host and port.isdigit() else target).strip("[]")


def _intercepted(made: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    host = host_of(args[0] if args else kwargs["target"])
    return import_module("grpc").intercept_channel(made, _kinds().sync(host))


def _with_interceptors(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    host = host_of(args[0] if args else kwargs["target"])
    ours = [kind(host) for kind in _kinds().aio]
    return args, {**kwargs, "interceptors": [*(kwargs.get("interceptors") or ()), *ours]}


def _settled(host: str | None, details: Any, metadata: Callable[..., Any]) -> Any:
    """Return the details of a call with the metadata that ``host`` is to get."""
    given = list(details.metadata or ())
    before = dict(given)
    headers = dict(before)
    propagation_rules.restrict_headers(host, headers)
    if headers == before:
        return details
    added = [(name, value) for name, value in headers.items() if name not in before]
    settled = metadata(*(pair for pair in given if pair[0] in headers), *added)
    if hasattr(details, "_replace"):
        return details._replace(metadata=settled)
    return _kinds().details(*({**_values(details), "metadata": settled}[name] for name in _DETAILS))


def _values(details: Any) -> dict[str, Any]:
    return {name: getattr(details, name, None) for name in _DETAILS}


def _pairs(*pairs: tuple[str, Any]) -> tuple[tuple[str, Any], ...]:
    return pairs


class _Kinds:
    """Interceptors as gRPC wants them: one class for all kinds of sync calls, one for each of asyncio's."""

    def __init__(self) -> None:
        grpc, aio = import_module("grpc"), import_module("grpc.aio")
        details = namedtuple("Details", _DETAILS)  # type: ignore[misc]  # noqa: PYI024 (gRPC's own way)
        self.details: Any = type("Details", (details, grpc.ClientCallDetails), {})
        self.aio_metadata = aio.Metadata
        names = [f"{''.join(word.title() for word in way.split('_'))}ClientInterceptor" for way in _WAYS]
        methods: dict[str, Any] = {f"intercept_{way}": _intercept for way in _WAYS}
        bases = tuple(getattr(grpc, name) for name in names)
        self.sync: Any = type("Border", bases, {"__init__": _remember, **methods})
        self.aio: list[Any] = [
            type("Border", (getattr(aio, name),), {"__init__": _remember, f"intercept_{way}": _aio_intercept})
            for name, way in zip(names, _WAYS, strict=True)
        ]


@lru_cache(maxsize=1)
def _kinds() -> _Kinds:
    return _Kinds()


def _remember(self: Any, host: str | None) -> None:
    self.host = host


def _intercept(self: Any, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
    return continuation(guard.call("propagation", _settled, self.host, details, _pairs, default=details), request)


async def _aio_intercept(self: Any, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
    metadata = _kinds().aio_metadata
    settled = guard.call("propagation", _settled, self.host, details, metadata, default=details)
    return await continuation(settled, request)
