"""Where a connection of the library websockets goes."""

from __future__ import annotations

from typing import Any

from obs_run.base import payload

_DEFAULT_PORTS = {True: 443, False: 80}


def uri_of(websocket: Any) -> Any:
    """Return the parsed URI of a client's connection."""
    protocol = payload.get(websocket, "protocol")
    # Releases before 14 call it so.
    return payload.coalesce(payload.get(protocol, "uri"), payload.get(protocol, "wsuri"))


def host_and_port(uri: Any) -> tuple[str | None, int | None]:
    """Return host and port of a parsed URI; of None where it is not known."""
    if uri is None:
        return None, None
    port = payload.get_int(uri, "port") or _DEFAULT_PORTS[bool(payload.get(uri, "secure"))]
    return payload.get_text(uri, "host"), port


def is_closed(error: BaseException) -> bool:
    """Whether an error is the library's own of a connection that was closed, from whichever side."""
    return any(kind.__name__ == "ConnectionClosed" for kind in type(error).__mro__)
