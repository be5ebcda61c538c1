"""A build of Jaeger's own interface, served beside the viewer and reading what the viewer reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from obs_run.view.jaeger.routes import routes

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from obs_run.view.source import Source

PATH = "/jaeger"
# Its page has scripts and styles of its own in it; it may still ask nobody else.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
_BASE = '<base href="/" data-inject-target="BASE_URL" />'


def mounted(folder: Path, source: Source) -> Mount:
    """Return the interface in ``folder`` under a path of its own, with the API where it looks for it."""
    page = (folder / "index.html").read_text(encoding="utf-8").replace(_BASE, _BASE.replace('"/"', f'"{PATH}/"'))

    def show(request: Request) -> Response:
        # Each path that is no file is one of its pages.
        del request
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    files = Mount("/static", StaticFiles(directory=folder / "static"))
    return Mount(PATH, routes=[*routes(source), files, Route("/{page:path}", show)])
