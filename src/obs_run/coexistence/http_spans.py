"""HTTP and gRPC spans of OpenTelemetry's own instrumentors: not made beneath a call that has a span of its own."""

from __future__ import annotations

import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, get_current_span

from obs_run import settings
from obs_run.base import guard
from obs_run.core import ownership, semconv

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_CHECK = "is_http_instrumentation_enabled"


def hidden() -> bool:
    """Whether requests that are made now are part of a recorded call, so that they make no span of their own."""
    return settings.get("OBS_HTTP_SPANS") == "hidden" and (_in_call_of_ours() or _in_call_of_others())


def _in_call_of_ours() -> bool:
    recording = ownership.current_recording()
    return recording is not None and recording.operation.KIND == "CLIENT"


def _in_call_of_others() -> bool:
    """Whether the current span is a model's call, made by the library itself or by an instrumentor of others."""
    span: Any = get_current_span()
    attributes = (getattr(span, "attributes", None) if span.is_recording() else None) or {}
    return semconv.REQUEST_MODEL in attributes and getattr(span, "kind", None) is SpanKind.CLIENT


def fit_checks(module: ModuleType) -> None:
    """Have what HTTP instrumentors ask before they make a span answer for us too; called before they import it.

    A key in the context would do the same, but tasks that a call starts and leaves behind would keep it for ever.
    """
    check = getattr(module, _CHECK, None)
    if check is None:
        return
    fitted = _fitted(check)
    setattr(module, _CHECK, fitted)
    # Imported before us, where ``import obs_run.auto`` comes late.
    for name, other in list(sys.modules.items()):
        if name.startswith("opentelemetry.instrumentation.") and vars(other).get(_CHECK) is check:
            setattr(other, _CHECK, fitted)


def fit_grpc(module: Any) -> None:
    """Do the same in gRPC's client interceptors, which ask whether anything is to be instrumented."""
    module.is_instrumentation_enabled = _fitted(module.is_instrumentation_enabled)


def _fitted(check: Callable[[], bool]) -> Callable[[], bool]:
    @wraps(check)
    def enabled() -> bool:
        return check() and not guard.call("HTTP spans", hidden, default=False)

    return enabled
