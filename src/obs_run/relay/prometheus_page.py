"""One page for Prometheus with the metrics of all agents of a configuration, told apart by ``service_name``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource

from obs_run.base import guard
from obs_run.prometheus import endpoint
from obs_run.relay.merged_metrics import labelled, merged

if TYPE_CHECKING:
    from obs_run.relay.services import Services

_SERVICE_NAME = "service.name"
_NOBODY = Resource({})


def serve(services: Services) -> None:
    """Serve the page at the address that the settings say; what is wrong with it is said."""
    if endpoint.serve() is None:
        return
    reader = endpoint.make_reader(is_first=False)

    def collect() -> None:
        collected = guard.call("metrics", _collect, services)
        if collected is not None:
            reader._receive_metrics(collected)  # noqa: SLF001 (the method that readers are made by)

    # It would ask the one provider that it is registered with, of which there is none.
    reader._collector._callback = collect  # noqa: SLF001 (there is no public way)


def _collect(services: Services) -> Any:
    # As one collection: the exporter takes the names of the labels from the first metric of a name.
    return merged((labelled(service.look(), {_SERVICE_NAME: service.name}) for service in services.all()), _NOBODY)
