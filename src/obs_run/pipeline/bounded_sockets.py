"""Sockets whose work on a request has an end, however slowly the other side sends: each read gets what time is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.process import descriptors, private_modules
from obs_run.process.unpatched import monotonic

if TYPE_CHECKING:
    import ssl

_classes: dict[type, type] = {}


def connect(host: str | bytes, port: int, until: float) -> Any:
    """Return a socket connected to the first address of a host that takes the connection, with a high number."""
    socket = private_modules.load("socket")
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            sock.settimeout(left_until(until))
            sock.connect(address)
        except OSError as error:
            failure = error
            if sock is not None:
                sock.close()
        else:
            bounded: Any = _bounded(socket.socket)(fileno=descriptors.move_up(sock.detach()))
            bounded.until = until
            bounded.settimeout(left_until(until))
            return bounded
    raise failure or OSError("the name has no address")


def bind_tls(context: ssl.SSLContext) -> None:
    """Have the sockets that ``context`` makes be bounded, too."""
    context.sslsocket_class = _bounded(private_modules.load("ssl").SSLSocket)


def left_until(until: float) -> float:
    """Return the seconds until ``until``; TimeoutError if there are none."""
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError("no time left")
    return left


def _bounded(kind: type) -> type:
    """Return a class of sockets that have ``until``, the time at which all they do for a request ends."""
    if kind not in _classes:
        base: Any = kind

        class BoundedSocket(base):  # type: ignore[misc]
            until = float("inf")

            def recv_into(self, *arguments: Any, **named: Any) -> int:
                self.settimeout(left_until(self.until))
                received: int = super().recv_into(*arguments, **named)
                return received

            def send(self, *arguments: Any, **named: Any) -> int:
                self.settimeout(left_until(self.until))
                sent: int = super().send(*arguments, **named)
                return sent

            def sendall(self, *arguments: Any, **named: Any) -> None:
                self.settimeout(left_until(self.until))
                super().sendall(*arguments, **named)

        _classes[kind] = BoundedSocket
    return _classes[kind]
