"""Telemetry as OTLP protobuf: ordinary spans by a writer of our own, all else by the official encoder."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def encode(signal: str, batch: Any) -> bytes:
    """Return the OTLP request for a batch of spans or log records (lists) or for collected metrics."""
    # Loaded with the first batch, whatever it is: the longer protobuf waits for its import, the more forks meet it.
    official = _encoder(signal)
    if signal == "traces":
        from obs_run.pipeline import span_bytes

        try:
            return span_bytes.request(batch)
        except (span_bytes.UnusualError, UnicodeEncodeError, OverflowError, struct.error):
            pass
    return official(_sayable(signal, batch)).SerializeToString()  # type: ignore[no-any-return]


def _sayable(signal: str, batch: Any) -> Any:
    from obs_run.pipeline import otlp_values

    if signal == "traces":
        return otlp_values.spans(batch)
    if signal == "logs":
        return otlp_values.records(batch)
    return otlp_values.metrics(batch)


def load(signal: str) -> None:
    """Import what ``encode`` imports at its first call."""
    from obs_run.pipeline import otlp_values  # noqa: F401 (see above)

    _encoder(signal)
    if signal == "traces":
        from obs_run.pipeline import span_bytes  # noqa: F401


def halves(batch: Any) -> tuple[Any, Any] | None:
    """Return a batch in two halves, None where it cannot be parted."""
    if not isinstance(batch, list) or len(batch) < 2:  # noqa: PLR2004 (two halves)
        return None
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]


def _encoder(signal: str) -> Callable[[Any], Any]:
    if signal == "traces":
        from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

        return encode_spans
    if signal == "logs":
        from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs

        return encode_logs
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

    return encode_metrics
