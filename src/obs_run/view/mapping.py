"""The map of services, agents, models, tools and stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.analysis import trace_tree
from obs_run.analysis.service_map import service_map
from obs_run.view.listing import search

if TYPE_CHECKING:
    from starlette.requests import Request

    from obs_run.view.source import Source

Json = dict[str, Any]

_TRACES = 200


def mapped(source: Source, request: Request) -> Json:
    """Return who calls whom in the newest traces that fit."""
    asked = search(request)

    def read() -> Json:
        with source.open() as reader:
            traces = reader.traces(_TRACES, **asked)
            trees = [trace_tree.build(source.recorded(reader, trace).spans) for trace in traces]
        found = service_map(trees)
        at = {place: index for index, place in enumerate(found.places)}
        return {
            "traces": len(traces),
            "seconds": found.seconds,
            "places": [[place.kind, place.name] for place in found.places],
            "edges": [
                {
                    "from": at[edge.caller],
                    "to": at[edge.callee],
                    "calls": edge.calls,
                    "errors": edge.errors,
                    "rate": found.rate(edge),
                    "p50_ns": edge.p50_ns,
                    "p95_ns": edge.p95_ns,
                    "cost": edge.usage.cost,
                }
                for edge in found.edges
            ],
        }

    return source.keep(("map", str(request.query_params), source.version()), read)
