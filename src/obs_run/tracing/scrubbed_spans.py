"""Spans on their way out of the process beside the pipeline: without what OBS_PRIVACY takes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obs_run.tracing.span import Span


def scrubbed(span: Span) -> dict[str, Any]:
    """Return a span as plain values with nothing in them that must not leave."""
    from obs_run import privacy

    values = span.to_dict()
    scrubber = privacy.scrubber()
    if scrubber.active:
        values["operation_name"] = scrubber.text(span.operation_name)
        for part in ("tags", "logs"):
            values[part] = scrubber.value(None, values[part])
    return values
