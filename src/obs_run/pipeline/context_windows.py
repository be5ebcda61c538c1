"""How many tokens fit into a model's context window, by the table of prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.core import semconv
from obs_run.pipeline import prices

if TYPE_CHECKING:
    from obs_run.core.sink import OperationRecord


def of(record: OperationRecord) -> int | None:
    """Return the context window of the model that a call was answered by; None where that is not known."""
    attributes = record.attributes
    provider, host = attributes.get(semconv.PROVIDER_NAME), attributes.get(semconv.SERVER_ADDRESS)
    for name in (semconv.RESPONSE_MODEL, semconv.REQUEST_MODEL):
        model = attributes.get(name)
        window = None if model is None else prices.context_window(provider, model, host)
        if window is not None:
            return window
    return None
