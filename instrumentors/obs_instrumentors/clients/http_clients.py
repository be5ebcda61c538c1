"""Whether nobody but the library itself sees what a client sends and receives."""

from __future__ import annotations

from typing import Any

_BASES = ("SyncAPIClient", "AsyncAPIClient")
_HTTPX = ("httpx", "httpx2")
_TRANSPORTS = ("HTTPTransport", "AsyncHTTPTransport")
_POOLS = ("httpcore", "httpcore2")
_AIOHTTP = "httpx_aiohttp"
"""The transport that Stainless' clients have over aiohttp, which for some is the one that they take themselves."""


def is_private(client: Any) -> bool:
    """Whether requests go from a library's client to the network through nothing that the agent or a test put there.

    Classes, hooks and transports of the agent's own see the request's body and the response's.
    """
    library = next(_package(kind) for kind in type(client).__mro__ if kind.__name__ in _BASES)
    if _package(type(client)) != library:
        return False
    own = (*_HTTPX, _AIOHTTP, library)
    http_client = client._client  # noqa: SLF001 (what Stainless calls it in all its clients)
    if _package(type(http_client)) not in own or _package(http_client.send) not in own:
        return False
    hooks = http_client.event_hooks
    if hooks.get("request") or hooks.get("response"):
        return False
    transports = [http_client._transport, *http_client._mounts.values()]  # noqa: SLF001 (there is no public name)
    return all(transport is None or _is_plain(transport) for transport in transports)


def _is_plain(transport: Any) -> bool:
    kind = type(transport)
    if _package(kind) == _AIOHTTP:
        return _is_unpatched(transport, (_AIOHTTP,)) and _is_plain_session(transport.client)
    if kind.__name__ not in _TRANSPORTS or _package(kind) not in _HTTPX:
        return False
    pool = getattr(transport, "_pool", None)
    return _is_unpatched(transport, _HTTPX) and _is_unpatched(pool, _POOLS)


def _is_plain_session(session: Any) -> bool:
    """Whether a session of aiohttp, which is made at the first request, tells nobody what it sends and receives."""
    if session is None:
        return True
    return _package(type(session)) == "aiohttp" and not session._trace_configs  # noqa: SLF001 (there is no public name)


def _is_unpatched(value: Any, packages: tuple[str, ...]) -> bool:
    """Whether what handles requests is a function of the library: recorders and mocks put theirs in its place."""
    names = [name for name in ("handle_request", "handle_async_request") if hasattr(value, name)]
    return bool(names) and all(_package(getattr(value, name)) in packages for name in names)


def _package(value: Any) -> str:
    module = getattr(value, "__module__", None)
    return module.partition(".")[0] if isinstance(module, str) else ""
