"""The OpenTelemetry API before anything was recorded: its globals start our providers at the first use.

Libraries that trace themselves import the API and ask for a tracer when they are imported; the SDK costs ten times as
much and is loaded when a first span begins.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.sdk import providers

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry import trace


def install(module: ModuleType) -> None:
    """Prepare one of the API's modules; called when it is imported."""
    if module.__name__ == "opentelemetry.trace":
        _install_trace(module)
    elif module.__name__ == "opentelemetry.metrics":
        _start_with(sys.modules["opentelemetry.metrics._internal"], "_PROXY_METER_PROVIDER", "get_meter")
    elif module.__name__ == "opentelemetry._logs":
        _start_with(sys.modules["opentelemetry._logs._internal"], "_PROXY_LOGGER_PROVIDER", "get_logger")


def chosen_tracer_provider() -> trace.TracerProvider | None:
    """Return the global tracer provider if one has been set."""
    module: Any = sys.modules["opentelemetry.trace"]
    chosen: trace.TracerProvider | None = module._TRACER_PROVIDER  # noqa: SLF001 (the public getter would answer with a stand-in)
    return chosen


def _install_trace(module: Any) -> None:
    """Start late, and let a provider that the agent sets win whenever it comes: without us it would have won too."""
    # Only now: the stand-ins derive from classes of the module that has just been imported.
    from obs_run.sdk.late_tracer import LateTracerProvider

    module._PROXY_TRACER_PROVIDER = LateTracerProvider()  # noqa: SLF001 (what the public getter answers until then)
    original = module.set_tracer_provider

    def set_tracer_provider(tracer_provider: trace.TracerProvider) -> None:
        if providers.known() is not None and _is_ours(module._TRACER_PROVIDER) and not _is_ours(tracer_provider):  # noqa: SLF001
            module._TRACER_PROVIDER = tracer_provider  # noqa: SLF001
        else:
            original(tracer_provider)
        if module._TRACER_PROVIDER is tracer_provider and not _is_ours(tracer_provider):  # noqa: SLF001
            providers.adopt(tracer_provider)

    set_tracer_provider.__doc__ = original.__doc__
    module.set_tracer_provider = set_tracer_provider


def _is_ours(provider: object) -> bool:
    return type(provider).__module__ == "obs_run.sdk.sdk_providers"


def _start_with(module: ModuleType, name: str, method: str) -> None:
    """Start our providers when the API's stand-in ``name`` is first asked, then answer as the API would."""
    stand_in = getattr(module, name)
    answer = getattr(stand_in, method)

    def ask(*args: Any, **kwargs: Any) -> Any:
        providers.set_up()
        return answer(*args, **kwargs)

    setattr(stand_in, method, ask)
