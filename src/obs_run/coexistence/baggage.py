"""Baggage on its way out: entries in which something private is found stay in the agent's context and are not sent.

This is put beneath everything that sends baggage: the propagators, which instrumentors, gRPC, messages, the environment
of children and the agent's own ``inject()`` all use.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard

if TYPE_CHECKING:
    from types import ModuleType

_UNKNOWN = object()
PROPAGATORS = {
    "opentelemetry.baggage.propagation": "W3CBaggagePropagator",
    "opentelemetry.propagators.jaeger": "JaegerPropagator",
    "opentelemetry.propagators.ot_trace": "OTTracePropagator",
}


def install(module: ModuleType) -> None:
    """Watch the propagator that ``module`` has, once."""
    kind = getattr(module, PROPAGATORS[module.__name__])
    original = kind.inject
    if getattr(original, "_obs_run_scrubs", False) or not settings.asks_for_scrubbing():
        return

    @wraps(original)
    def inject(self: Any, carrier: Any, context: Any = None, *args: Any, **options: Any) -> Any:
        cleaned = guard.call("baggage", _clean, context, default=_UNKNOWN)
        if cleaned is _UNKNOWN:
            # Without a judgement nothing is sent.
            return None
        return original(self, carrier, cleaned, *args, **options)

    inject._obs_run_scrubs = True  # type: ignore[attr-defined]  # noqa: SLF001 (a mark of ours)
    kind.inject = inject


def watch() -> None:
    """Watch the propagators, each when it is imported."""
    from obs_run.process import import_hooks

    for module in PROPAGATORS:
        import_hooks.when_imported(module, install)


def _clean(context: Any) -> Any:
    from opentelemetry import baggage

    if not baggage.get_all(context):
        return context
    # Without a judgement nothing is sent.
    cleaned = guard.call("baggage", _without_findings, context)
    return baggage.clear(context) if cleaned is None else cleaned[0]


def _without_findings(context: Any) -> tuple[Any]:
    from opentelemetry import baggage

    from obs_run.pipeline import redact

    redaction = redact.shared()
    if redaction is not None:
        redaction.renew()
        for name, value in baggage.get_all(context).items():
            text = guard.shown(value)
            if redaction.value(name, text) is not text or redaction.text(name) is not name:
                context = baggage.remove_baggage(name, context)
    return (context,)
