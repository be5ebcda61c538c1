"""OTLP over gRPC by the official exporters (extra ``grpc``)."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run import settings
from obs_run.base import guard
from obs_run.pipeline import otlp_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.pipeline.destination import Destination


_EXPORTERS = {
    "traces": ("trace_exporter", "OTLPSpanExporter"),
    "metrics": ("metric_exporter", "OTLPMetricExporter"),
    "logs": ("_log_exporter", "OTLPLogExporter"),
}


def destination(signal: str, lost: Callable[[int], object]) -> Destination | None:
    """Return the official gRPC exporter of ``signal``; None, said once, where it is not installed."""
    from obs_run.pipeline.destination import SdkDestination

    module, exporter = _EXPORTERS[signal]
    try:
        found = import_module(f"opentelemetry.exporter.otlp.proto.grpc.{module}")
    except ImportError:
        guard.warn_once("OTEL_EXPORTER_OTLP_PROTOCOL: grpc needs the extra: pip install 'obs-run[grpc]'")
        return None
    # It warns at each try of a collector that is away, which without the agent's own logging set up goes to stderr;
    # what is given up is an error.
    logging.getLogger("opentelemetry.exporter.otlp.proto.grpc").setLevel(logging.ERROR)
    try:
        return SdkDestination(_Renewed(signal, getattr(found, exporter)), lost)
    except settings.NotAllowedError as problem:
        guard.warn_once(str(problem))
        return None


class _Metadata(tuple[tuple[str, str], ...]):
    """Headers as the exporter takes them; true also when empty, or it would read the variables itself.

    It would print what it cannot read there, and that may be half a secret.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


class _Renewed:
    """An exporter that is made anew when its headers or certificates change, and after a fork.

    A channel of the parent's hangs in its child.
    """

    def __init__(self, signal: str, make: Callable[..., Any]) -> None:
        self._make = make
        url = urlsplit(otlp_address.grpc_url(signal))
        # Given without user and password, which the exporter would print with each failure.
        self._endpoint = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
        self._headers = otlp_address.Headers(signal, url)
        self._files = otlp_address.Files.of(signal) if url.scheme == "https" else None
        # The exporter takes the variable for seconds (1.45), which are milliseconds.
        self._timeout: float = settings.otlp(signal, "TIMEOUT") or 10.0
        self._inherited: list[Any] = []
        self._exporter: Any = None
        self._made_of: Any = None
        self._renew()

    def export(self, batch: Any) -> Any:
        """Export a batch."""
        self._renew()
        return self._exporter.export(batch)

    def _renew(self) -> None:
        headers = self._headers.now()
        states = self._files.states() if self._files is not None else None
        if self._exporter is not None and self._made_of == (headers, states):
            return
        self._made_of = headers, states
        try:
            credentials = otlp_address.credentials(self._files) if self._files is not None else None
        except settings.NotAllowedError as problem:
            if self._exporter is None:
                raise
            guard.warn_once(f"{problem}; the certificate of before stays")
            return
        before = self._exporter
        self._exporter = self._make(
            endpoint=self._endpoint,
            insecure=self._files is None,
            credentials=credentials,
            headers=_Metadata(headers.items()),
            timeout=self._timeout,
        )
        if before is not None:
            before.shutdown()

    def after_fork(self) -> None:
        """Let go of the channel; closing it, as its end would, hangs too."""
        self._inherited.append(self._exporter)
        self._exporter = None
