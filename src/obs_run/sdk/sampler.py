"""Which traces are kept, as the standard variables say; the rule of ``launch.run`` for the run span is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased

from obs_run import settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.sampling import Sampler


def make() -> Sampler:
    """Return the sampler; the SDK's own reading of the variables stops at a wrong value."""
    name: str = settings.get("OTEL_TRACES_SAMPLER")
    kind = name.removeprefix("parentbased_")
    root: Sampler
    if kind == "traceidratio":
        root = TraceIdRatioBased(settings.get("OTEL_TRACES_SAMPLER_ARG"))
    else:
        root = ALWAYS_OFF if kind == "always_off" else ALWAYS_ON
    return ParentBased(root) if name.startswith("parentbased_") else root
