"""Batches: requests that are answered within a day, at half the price. What they used is told when they are over."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire import uncounted
from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import UNKNOWN, error_code, read_error
from obs_run.base import payload
from obs_run.core.operations import FetchedResponse, ModelCall

from .common_fields import usage

_STATUSES = {
    "validating": "queued",
    "finalizing": "in_progress",
    "cancelling": "in_progress",
    "expired": "incomplete",
}
"""The conventions' words for the states of a batch that have others."""
_OVER = ("completed", "incomplete", "cancelled", "failed")


def _parse_creation(_body: dict[str, Any]) -> ModelCall:
    return ModelCall("create_batch")


def _read_creation(operation: ModelCall, batch: Any) -> None:
    """Read a Batch that has just begun; its model is known only where the provider has looked into it."""
    operation.response_model = payload.get_text(batch, "model")
    read_error(operation, payload.as_dict(batch))


def _parse_fetch(body: dict[str, Any]) -> FetchedResponse:
    return FetchedResponse("fetch_batch", response_id=payload.as_text(body.get("id")))


def _read_fetched(operation: FetchedResponse, batch: Any) -> None:
    """Read a Batch; the first question that is told what it used counts that."""
    status = payload.get_text(batch, "status") or ""
    operation.response_status = _STATUSES.get(status, status) or None
    operation.response_model = payload.get_text(batch, "model")
    operation.price_context = {"processing": "batch"}
    read_error(operation, payload.as_dict(batch))
    if status == "failed":
        errors = payload.get_list(batch, "errors", "data")
        operation.error_type = error_code(payload.coalesce(*errors)) or UNKNOWN
    if operation.response_status in _OVER:
        # Nobody else counts a batch, in whatever process it was made.
        uncounted.count_fetched(operation, usage(payload.get(batch, "usage")), is_background=True)


CREATE = Endpoint(_parse_creation, _read_creation)
FETCH = Endpoint(_parse_fetch, _read_fetched)
