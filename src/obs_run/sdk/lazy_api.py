"""The OpenTelemetry API before anything was recorded: its globals start our providers at the first use.

Libraries that trace themselves import the API and ask for a tracer when they are imported; the SDK costs ten times as
much and is loaded when a first span begins. A provider that the agent sets wins whenever it comes, as without us.
"""

from __future__ import annotations

import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.sdk import starting

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from obs_run.sdk.starting import Starter

# Methods of the metrics API's stand-ins that need a provider behind them.
_MEASURING = (
    ("_ProxyCounter", "add"),
    ("_ProxyUpDownCounter", "add"),
    ("_ProxyHistogram", "record"),
    ("_ProxyGauge", "set"),
)
_OBSERVING = ("create_observable_counter", "create_observable_gauge", "create_observable_up_down_counter")


def install(module: ModuleType, starter: Starter) -> None:
    """Prepare one of the API's modules; called when it is imported."""
    starting.chosen.starter = starter
    if module.__name__ == "opentelemetry.trace":
        _install_trace(module)
    elif module.__name__ == "opentelemetry.metrics":
        _install_metrics(module, sys.modules["opentelemetry.metrics._internal"])
    elif module.__name__ == "opentelemetry._logs":
        _install_logs(module, sys.modules["opentelemetry._logs._internal"])


def _install_trace(module: Any) -> None:
    # Only now: the stand-ins derive from classes of the module that has just been imported.
    from obs_run.context import run_context, runtime_context
    from obs_run.sdk.late_tracer import LateTracerProvider

    runtime_context.use_default(run_context.current)
    module._PROXY_TRACER_PROVIDER = LateTracerProvider()  # noqa: SLF001 (what the public getter answers until then)
    _let_win(module, module, "_TRACER_PROVIDER", "set_tracer_provider", starting.chosen.starter.adopt_tracer_provider)


def _install_logs(module: Any, internal: Any) -> None:
    from obs_run.sdk.late_logger import LateLoggerProvider

    internal._PROXY_LOGGER_PROVIDER = LateLoggerProvider()  # noqa: SLF001 (as above)
    _let_win(module, internal, "_LOGGER_PROVIDER", "set_logger_provider", starting.chosen.starter.adopt_logger_provider)


def _install_metrics(module: Any, internal: Any) -> None:
    def rebind(provider: Any) -> None:
        internal._PROXY_METER_PROVIDER.on_set_meter_provider(provider)  # noqa: SLF001 (there is no public way)

    _let_win(module, internal, "_METER_PROVIDER", "set_meter_provider", rebind)
    instruments = sys.modules["opentelemetry.metrics._internal.instrument"]
    for stand_in, method in _MEASURING:
        if hasattr(instruments, stand_in):
            _start_before(getattr(instruments, stand_in), method)
    for method in _OBSERVING:
        _start_before(internal._ProxyMeter, method)  # noqa: SLF001 (there is no public way)


def _start_before(stand_in: Any, method: str) -> None:
    """Start our providers when the API's stand-in is first used, then let it answer as it would."""
    original = getattr(stand_in, method)

    @wraps(original)
    def use(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard.call("set-up", _set_up)
        return original(self, *args, **kwargs)

    setattr(stand_in, method, use)


def _set_up() -> None:
    starter = starting.chosen.starter
    if starter.providers_or_none() is None:
        starter.set_up()


def _let_win(module: Any, home: Any, name: str, setter: str, on_set: Callable[[Any], object]) -> None:
    """Let a provider that the agent sets take the place of ours, which the API refuses."""
    original = getattr(module, setter)

    @wraps(original)
    def set_provider(*args: Any, **kwargs: Any) -> None:
        provider = next(iter((*args, *kwargs.values())), None)
        current = getattr(home, name)
        if current is not None and _is_own(current) and not _is_own(provider):
            setattr(home, name, provider)
        else:
            original(*args, **kwargs)
        if getattr(home, name) is provider and not _is_own(provider):
            guard.call("provider of the agent", on_set, provider)

    chosen = getattr(home, name)
    if chosen is not None and not _is_own(chosen):
        # Set before we were started by ``import obs_run.auto``.
        guard.call("provider of the agent", on_set, chosen)
    setattr(module, setter, set_provider)
    if home is not module:
        setattr(home, setter, set_provider)


def _is_own(provider: object) -> bool:
    providers = guard.call("provider of the agent", starting.chosen.starter.providers_or_none)
    return providers is not None and providers.is_own(provider)
