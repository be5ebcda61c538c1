"""Which traces are kept, as the standard variables say; the rule of ``launch.run`` for the run span is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import get_current_span

from obs_run import settings

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.sampling import Sampler


class _ParentBased(ParentBased):
    """The SDK's, which decides at once about what is inside of a sampled span of this process: nearly all there is."""

    def should_sample(
        self, parent_context: Context | None, trace_id: int, name: str, kind: Any = None, attributes: Any = None,
        *args: Any, **kwargs: Any,
    ) -> SamplingResult:  # fmt: skip
        """Return what is to become of a span."""
        parent = get_current_span(parent_context).get_span_context()
        if parent.trace_flags.sampled and parent.is_valid and not parent.is_remote:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, parent.trace_state)
        return super().should_sample(parent_context, trace_id, name, kind, attributes, *args, **kwargs)


def make() -> Sampler:
    """Return the sampler; the SDK's own reading of the variables stops at a wrong value."""
    name: str = settings.get("OTEL_TRACES_SAMPLER")
    kind = name.removeprefix("parentbased_")
    root: Sampler
    if kind == "traceidratio":
        root = TraceIdRatioBased(settings.get("OTEL_TRACES_SAMPLER_ARG"))
    else:
        root = ALWAYS_OFF if kind == "always_off" else ALWAYS_ON
    return _ParentBased(root) if name.startswith("parentbased_") else root
