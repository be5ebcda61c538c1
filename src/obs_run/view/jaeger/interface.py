"""A build of Jaeger's own interface, served beside the viewer and reading what the viewer reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
# Its page has scripts and styles in it, and a worker that lays out graphs; it may still ask nobody else.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
_BASE = '<base href="/" data-inject-target="BASE_URL" />'


def mounted(folder: Path, source: Source) -> Mount:
    """Return the interface in ``folder`` under a path of its own, with the API where it looks for it."""
    page = (folder / "index.html").read_text(encoding="utf-8").replace(_BASE, _BASE.replace('"/"', f'"{PATH}/"'))

    def show(request: Request) -> Response:
        # Each path that is no file is one of its pages.
        del request
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    files = Mount("/static", _Files(directory=folder / "static"))
    return Mount(PATH, routes=[*routes(source), files, Route("/{page:path}", show)])


class _Files(StaticFiles):
    def file_response(self, *arguments: Any, **more: Any) -> Response:
        """Return a file under the policy of its page: a worker has that of its own file."""
        response = super().file_response(*arguments, **more)
        response.headers["Content-Security-Policy"] = _POLICY
        return response
