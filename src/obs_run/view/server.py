"""Serves the viewer on a loopback port."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

from obs_run.view import application
from obs_run.view.access import Access

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obs_run.view.source import Source

HOST = "127.0.0.1"


def listen(port: int, *, fixed: bool) -> socket.socket:
    """Return a socket at ``port``, or at a free one where that is taken and need not be that one."""
    listener = socket.socket()
    # As servers do, so that one that has just ended does not hold its port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((HOST, port))
        except OSError:
            if fixed:
                raise
            listener.bind((HOST, 0))
    except BaseException:
        listener.close()
        raise
    return listener


def create(
    source: Source,
    token: str,
    listener: socket.socket,
    started: Callable[[], None],
    jaeger_ui: Path | None = None,
) -> uvicorn.Server:
    """Return what answers at ``listener`` once it runs; ``started`` is called when it does."""
    port = listener.getsockname()[1]
    # Cookies are sent to every port of a host: each viewer has one of its own.
    access = Access(application.create(source, jaeger_ui), token, f"obs_view_{port}")
    config = uvicorn.Config(
        access,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        http="h11",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    return _Server(config, started)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and tell so."""
        await super().startup(sockets)
        if self.started:
            self._tell()
