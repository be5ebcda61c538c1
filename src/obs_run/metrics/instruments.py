"""OpenTelemetry instruments by name for ``obs_run.metrics``, made by the global meter provider at their first use.

Counters and gauges are observable ones: their values are kept here and read when metrics are collected. So a
measurement takes no lock of the SDK's and costs less, a reader or provider that comes later gets the whole counts, and
a gauge is exported until it changes, which synchronous ones of SDK 1.39 are not. What they lack is exemplars.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import Observation, _internal

from obs_run import settings
from obs_run._version import __version__
from obs_run.base import guard
from obs_run.core import semconv
from obs_run.process import fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opentelemetry.metrics import Meter

SCOPE = "obs_run.metrics"
_MOST_CELLS = 4000
_MOST_CHARS = 255
_NOT_ALLOWED = re.compile(r"[^-_./a-zA-Z0-9]")
_UNBOUND = object()


class Cell:
    """What is exported under one label set: a sum, or a present value."""

    __slots__ = ("attributes", "value")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.attributes = attributes
        self.value = 0.0


class _Instrument:
    """Follows the global meter provider, which the agent may set at any time; without one, values go nowhere."""

    __slots__ = ("_name", "_provider")

    def __init__(self, name: str) -> None:
        self._name = name
        self._provider: Any = _UNBOUND

    def bind(self) -> None:
        """Have the global meter provider make the instrument, unless it has."""
        if _internal._METER_PROVIDER is self._provider:  # noqa: SLF001 (the public getter would answer with a stand-in)
            return
        provider = _provider()
        if provider is not None:
            instrument = self._create(provider.get_meter(SCOPE, __version__), exported_name(self._name), provider)
            if getattr(instrument, "name", None) == self._name.lower():
                # The SDK writes names small; people look for what they wrote.
                guard.call("metric", setattr, instrument, "name", self._name)
        self._provider = provider

    def _create(self, meter: Meter, name: str, provider: Any) -> Any:
        raise NotImplementedError


class Observed(_Instrument):
    """A counter or gauge whose cells are read when metrics are collected; ``lock`` is held while cells change."""

    __slots__ = ("_cells", "_kind", "lock")

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(name)
        self._kind = kind
        self.begin_at_zero()

    def begin_at_zero(self) -> None:
        """Forget all values, in a child process."""
        self.lock = threading.Lock()
        self._cells: dict[Any, Cell] = {}

    def cell(self, key: Any, attributes: Mapping[str, Any]) -> Cell:
        """Return the cell of a label set, which ``key`` stands for; exported from then on."""
        cell = self._cells.get(key)
        if cell is not None:
            return cell
        if len(self._cells) >= _MOST_CELLS:
            key, attributes = None, {semconv.METRIC_OVERFLOW: True}
        return self._cells.setdefault(key, Cell(attributes))

    def _create(self, meter: Meter, name: str, provider: Any) -> Any:
        def observe(_options: Any) -> Iterator[Observation]:
            # A provider that has been replaced gets nothing more.
            if self._provider is provider:
                for cell in list(self._cells.values()):
                    yield Observation(cell.value, cell.attributes)

        create = meter.create_observable_counter if self._kind == "counter" else meter.create_observable_gauge
        return create(name, [observe])


class Histogram(_Instrument):
    """A histogram, which takes each value at once."""

    __slots__ = ("_boundaries", "_record", "_unit")

    def __init__(self, name: str, unit: str, boundaries: Sequence[float]) -> None:
        super().__init__(name)
        self._unit = unit
        self._boundaries = boundaries
        self._record: Callable[[float, Mapping[str, Any]], None]

    def take(self, value: float, attributes: Mapping[str, Any]) -> None:
        """Record ``value``, which must be finite and not negative."""
        if _internal._METER_PROVIDER is not self._provider:  # noqa: SLF001 (as in ``bind``)
            self.bind()
        if self._provider is not None:
            self._record(value, attributes)

    def _create(self, meter: Meter, name: str, provider: Any) -> Any:  # noqa: ARG002 (the interface)
        histogram = meter.create_histogram(name, self._unit, explicit_bucket_boundaries_advisory=self._boundaries)
        self._record = histogram.record
        return histogram


_observed: dict[tuple[str, str], Observed] = {}


def observed(kind: str, name: str) -> Observed:
    """Return the process's "counter" or "gauge" of that name."""
    key = kind, _allowed(name).lower()
    return _observed.get(key) or _observed.setdefault(key, Observed(kind, name))


def bind_all() -> None:
    """Have what was measured before the global meter provider was set exported, too."""
    for each in list(_observed.values()):
        if each._provider is not _UNBOUND:  # noqa: SLF001 (of this module; nothing was measured yet)
            each.bind()


def prepare() -> None:
    """Load what the first measurement needs, so that it falls into no time that is measured."""
    if _internal._METER_PROVIDER is None:  # noqa: SLF001 (as in ``bind``)
        guard.call("metric", _provider)


def exported_name(name: str) -> str:
    """Return ``name`` as OpenTelemetry allows it (instrument name syntax); a name that must change is said once."""
    allowed = _allowed(name)
    if allowed != name:
        guard.warn_once(
            f"metric {name[:_MOST_CHARS]!r}: exported as {allowed!r}; allowed: letters, digits and _ . - / "
            f"after a letter, {_MOST_CHARS} in all"
        )
    return allowed


def _allowed(name: str) -> str:
    allowed = _NOT_ALLOWED.sub("_", name)
    return (allowed if allowed[:1].isalpha() else f"m_{allowed}")[:_MOST_CHARS]


def _provider() -> Any:
    """Return the global provider: the agent's own if it set one, else ours, which is set up now; None for none."""
    if settings.get("OTEL_SDK_DISABLED"):
        return None
    from obs_run.runtime import start
    from obs_run.sdk import starting

    if _internal._METER_PROVIDER is None:  # noqa: SLF001 (as in ``bind``)
        start.start_api()
    return starting.provider(_internal, "_METER_PROVIDER")


def _after_fork_in_child() -> None:
    # As the SDK's sums do (``metric_reader.begin_at_zero``): the parent reports its own.
    for each in list(_observed.values()):
        each.begin_at_zero()


fork.register(fork.USER_API, "instruments", in_child=_after_fork_in_child)
