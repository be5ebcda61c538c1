"""OpenTelemetry instruments by name for ``obs_run.metrics``, made by the global meter provider at their first use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import _internal

from obs_run import settings
from obs_run._version import __version__
from obs_run.core import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.metrics import MeterProvider

SCOPE = "obs_run.metrics"
_MOST_CHARS = 255
_NOT_ALLOWED = re.compile(r"[^-_./a-zA-Z0-9]")
_UNBOUND = object()


class Instrument:
    """One instrument: "counter", "gauge" or "histogram"; a provider that the agent sets later gets it anew.

    Where nothing exports metrics (OTEL_SDK_DISABLED, OTEL_METRICS_EXPORTER=none), values go nowhere.
    """

    __slots__ = ("_boundaries", "_kind", "_measure", "_name", "_provider", "_unit")

    def __init__(self, kind: str, name: str, unit: str = "", boundaries: Sequence[float] | None = None) -> None:
        self._kind = kind
        self._name = name
        self._unit = unit
        self._boundaries = boundaries
        self._provider: Any = _UNBOUND
        self._measure: Callable[[float, Mapping[str, Any]], None] = _nowhere

    def take(self, value: float, attributes: Mapping[str, Any]) -> None:
        """Add, set or record ``value``, which must be finite, and of a counter or histogram not negative."""
        if _internal._METER_PROVIDER is not self._provider:  # noqa: SLF001 (the public getter would answer with a stand-in)
            self._bind()
        self._measure(value, attributes)

    def _bind(self) -> None:
        provider = _provider()
        self._measure = _nowhere if provider is None else self._made(provider)
        self._provider = provider

    def _made(self, provider: MeterProvider) -> Callable[[float, Mapping[str, Any]], None]:
        meter = provider.get_meter(SCOPE, __version__)
        name = exported_name(self._name)
        made: Any
        if self._kind == "histogram":
            made = meter.create_histogram(name, self._unit, explicit_bucket_boundaries_advisory=self._boundaries)
            measure = made.record
        elif self._kind == "gauge":
            made = meter.create_gauge(name, self._unit)
            measure = made.set
        else:
            made = meter.create_counter(name, self._unit)
            measure = made.add
        if getattr(made, "name", name) == name.lower():
            # The SDK writes names small; people look for what they wrote.
            guard.call("metric", setattr, made, "name", name)
        taken: Callable[[float, Mapping[str, Any]], None] = measure
        return taken


def exported_name(name: str) -> str:
    """Return ``name`` as OpenTelemetry allows it (instrument name syntax); a name that must change is said once."""
    allowed = _NOT_ALLOWED.sub("_", name)
    if not allowed[:1].isalpha():
        allowed = f"m_{allowed}"
    allowed = allowed[:_MOST_CHARS]
    if allowed != name:
        guard.warn_once(
            f"metric {name[:_MOST_CHARS]!r}: exported as {allowed!r}; allowed: letters, digits and _ . - / "
            f"after a letter, {_MOST_CHARS} in all"
        )
    return allowed


def _provider() -> MeterProvider | None:
    """Return the global provider: the agent's own if it set one, else ours, which is set up now; None for none."""
    if settings.get("OTEL_SDK_DISABLED"):
        return None
    from obs_run.sdk import lazy_api

    found: MeterProvider | None = lazy_api.provider(_internal, "_METER_PROVIDER")
    return found


def _nowhere(_value: float, _attributes: Mapping[str, Any]) -> None:
    """Take a value where nothing exports metrics."""
