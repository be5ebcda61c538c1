"""Qdrant's REST API: searches, over no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wire import Reply

if TYPE_CHECKING:
    from .wire import Request

_TEXTS = ("Lisbon is a capital.", "Porto has port.")


def query(request: Request) -> Reply:
    """Answer with as many points as are asked for, two at most."""
    points = [
        {"id": number, "version": 0, "score": 1 / number, "payload": {"text": text}}
        for number, text in enumerate(_TEXTS[: int(request.body.get("limit") or 10)], 1)
    ]
    return Reply({"result": {"points": points}, "status": "ok", "time": 0.001})


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure; Qdrant tells neither code nor kind."""
    assert code is None or kind is not None
    return Reply({"status": {"error": message}, "time": 0.0}, status)


ROUTES = {"POST /points/query": query}
ERRORS = error
