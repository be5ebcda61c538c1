"""What clients made by Speakeasy have in common: one hook that every request passes each time it is sent, streams."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import host_and_port
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import semconv

if TYPE_CHECKING:
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call


@dataclass
class SentOperation:
    """An operation that reads its request as it is sent."""

    request: Any = None
    retries: int = 0

    @abstractmethod
    def read_request(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""


def note_request(operation: Operation, call: Call) -> None:
    """Read the request that is about to be sent, and count how often it is sent again."""
    if not isinstance(operation, SentOperation):
        return
    request = call.argument(1, "request")
    if request is operation.request:
        operation.retries += 1
        operation.extra[semconv.OBS_REQUEST_RETRIES] = operation.retries
        return
    is_first = operation.request is None
    operation.request = request
    if not is_first:
        # The rest of an answer that comes in several requests.
        return
    operation.server_address, operation.server_port = host_and_port(request.url)
    body = from_json(request.content)
    if isinstance(body, dict):
        operation.read_request(body)


def sent_fields(model: Any) -> dict[str, Any]:
    """Return the fields of a model that the provider did send; the others have defaults that mean nothing."""
    fields = payload.as_dict_or_self(model)
    if not isinstance(fields, dict):
        return {}
    names = payload.get(model, "model_fields_set")
    if not isinstance(names, set):
        return fields
    return {name: fields[name] for name in names if name in fields}
