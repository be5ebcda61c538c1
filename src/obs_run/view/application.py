"""The viewer as an ASGI application: its pages, the data that they ask for, and Jaeger's API."""

from __future__ import annotations

import sqlite3
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from obs_run import _version
from obs_run.telemetry.reader import ReadError
from obs_run.view import comparing, conversations, listing, mapping, metrics, span_details, waterfall
from obs_run.view.jaeger import interface
from obs_run.view.jaeger.routes import routes as jaeger_routes
from obs_run.view.responses import RecordedJSON

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from obs_run.view.source import Source

_HERE = Path(__file__).parent
_PAGES = ("/", "/trace/{id}", "/compare/{a}/{b}", "/conversations", "/conversation/{id:path}", "/map", "/metrics")
_DATA = {
    "/data/version": listing.version,
    "/data/traces": listing.traces,
    "/data/traces/{id}": waterfall.trace,
    "/data/traces/{id}/spans/{span}": span_details.span,
    "/data/traces/{id}/conversation": conversations.of_trace,
    "/data/conversations": conversations.listed,
    "/data/conversation": conversations.one,
    "/data/compare": comparing.compared,
    "/data/map": mapping.mapped,
    "/data/metrics": metrics.listed,
    "/data/metric": metrics.one,
}


def create(source: Source, jaeger_ui: Path | None = None) -> Starlette:
    """Return the application, with Jaeger's interface if its folder is given.

    :class:`obs_run.view.access.Access` goes before it.
    """
    templates = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined)
    page = templates.get_template("page.html").render(name=source.name, version=_version.__version__)

    def show_page(request: Request) -> Response:
        del request
        return HTMLResponse(page)

    routes: list[BaseRoute] = [Route(path, show_page) for path in _PAGES]
    routes += [Route(path, _answering(source, answer)) for path, answer in _DATA.items()]
    if jaeger_ui is not None:
        routes.append(interface.mounted(jaeger_ui, source))
    return Starlette(
        routes=[*routes, *jaeger_routes(source), Mount("/static", StaticFiles(directory=_HERE / "static"))],
        exception_handlers={ReadError: _unreadable, sqlite3.Error: _unreadable},
    )


def _answering(source: Source, answer: Callable[[Source, Request], Any]) -> Callable[[Request], Response]:
    # Not a coroutine: it runs in a thread of its own, and reading takes its time.
    @wraps(answer)
    def endpoint(request: Request) -> Response:
        found = answer(source, request)
        if found is None:
            return RecordedJSON({"error": "it is not there, or not there any more"}, 404)
        return RecordedJSON(found)

    return endpoint


def _unreadable(request: Request, error: Exception) -> Response:
    del request
    return RecordedJSON({"error": f"what was recorded cannot be read: {error}"}, 503)
