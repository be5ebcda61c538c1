"""The trace context that is current, for threads, processes and messages; works before OpenTelemetry is loaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.process import run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context

    Refine = Callable[[Context], Context]

_NOWHERE = (0, 0, 0)
_refine: list[Refine] = []


def refine_with(refine: Refine) -> None:
    """Have ``refine`` say more exactly than the current context where the caller is."""
    _refine[:] = [refine]


def current_ids() -> tuple[int, int, int]:
    """Return trace id, span id and flags of what is going on now; zeros outside of any trace."""
    context = _span_context(None)
    if context is not None:
        return context.trace_id, context.span_id, int(context.trace_flags)
    if not run.has_parent_for_all():
        return _NOWHERE
    identity = run.identity()
    return identity.trace_id, identity.span_id, int(identity.sampled)


def child_environment(context: Context | None = None) -> dict[str, str]:
    """Return the environment variables that put a child process into the trace of ``context``, else the current one."""
    if _span_context(context) is not None:
        from opentelemetry.context import get_current
        from opentelemetry.propagate import inject

        carrier: dict[str, str] = {}
        context = get_current() if context is None else context
        inject(carrier, _refine[0](context) if _refine else context)
        return {key.upper().replace("-", "_"): value for key, value in carrier.items()}
    if not run.has_parent_for_all():
        return {}
    identity = run.identity()
    baggage = {"BAGGAGE": identity.baggage} if identity.baggage else {}
    return {"TRACEPARENT": identity.traceparent(), **baggage}


def adopt(environment: Mapping[str, str]) -> None:
    """Put what this process does under the span that a parent process gave with ``child_environment``."""
    if "TRACEPARENT" in environment:
        run.adopt(environment["TRACEPARENT"], environment.get("BAGGAGE", ""))


def adopt_here(environment: Mapping[str, str]) -> None:
    """Do as ``adopt`` in a thread that may have a context already, which is no more its own."""
    adopt(environment)
    runtime = getattr(sys.modules.get("opentelemetry.context"), "_RUNTIME_CONTEXT", None)
    get_own = getattr(runtime, "get_own", None)
    if get_own is not None and get_own():
        from opentelemetry.context import Context, attach

        attach(Context())


def _span_context(context: Context | None) -> Any:
    trace = sys.modules.get("opentelemetry.trace")
    # A module that another thread is still importing has no such function yet.
    get_current_span = getattr(trace, "get_current_span", None)
    if get_current_span is None:
        return None
    if _refine:
        from opentelemetry.context import get_current

        context = _refine[0](get_current() if context is None else context)
    found = get_current_span(context).get_span_context()
    return found if found.is_valid else None
