"""Replicate's API: predictions that are answered at once, fetched until they are done, or streamed as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import answers
from .wire import Reply, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .wire import Json, Request

_VERSION = "5c7854e8"
_MADE = "2025-10-09T08:53:20Z"


def predict(request: Request) -> Reply:
    """Start a prediction; it is done at once unless the model's name says `poll`, `poll-twice` or `failed`."""
    parts = request.path.split("/")
    name = "/".join(parts[-3:-1]) if len(parts) > 3 else "meta/llama-3"
    # The id carries what is asked of the requests to come.
    word = next((each for each in request.switches if each.startswith("poll")), "")
    limited = "stub-429-once" if word == "poll-limited" else request.state.next_id("prediction-")
    asked = request.body.get("input") or {}
    origin = f"http://{request.headers['host']}"
    told: Json = {
        "id": limited,
        "model": name.partition("+")[0],
        "version": request.body.get("version") or _VERSION,
        "input": asked,
        "output": _output(request, asked),
        "logs": "",
        "error": None,
        "status": "succeeded",
        "created_at": _MADE,
        "metrics": _metrics(request, asked),
        "urls": {"get": f"{origin}/v1/predictions/{limited}", "stream": f"{origin}/v1/events/{limited}"},
    }
    if "failed" in request.switches:
        told |= {"status": "failed", "output": None, "error": "The model ran out of memory."}
    request.state.responses[limited] = told
    if word:
        return Reply({**told, "status": "starting", "output": None, "metrics": {}}, 201)
    return Reply(told, 201)


def fetch(request: Request) -> Reply:
    """Return a prediction as it is now."""
    return Reply(request.state.responses[request.path.rpartition("/")[2]])


def events(request: Request) -> Stream:
    """Return a prediction's output event by event."""
    told = request.state.responses[request.path.rpartition("/")[2]]
    failing = b'event: error\nid: 9:0\ndata: {"detail": "overloaded"}\n\n'
    return Stream(_events(told), content_type="text/event-stream", failing=failing)


def version(request: Request) -> Reply:
    """Return a version of a model, whose output is a list that grows."""
    output = {"type": "array", "items": {"type": "string"}, "x-cog-array-type": "iterator"}
    schema = {"components": {"schemas": {"Output": output}}}
    name = request.path.rpartition("/")[2]
    return Reply({"id": name, "created_at": _MADE, "cog_version": "0.9.4", "openapi_schema": schema})


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure as a problem of RFC 7807."""
    assert code is None or kind is not None
    return Reply({"title": kind, "detail": message, "status": status}, status)


def _output(request: Request, asked: Json) -> Any:
    if "picture" in request.switches:
        return ["https://example.invalid/1.png"]
    return answers.pieces(answers.reply(str(asked.get("prompt")), []))


def _metrics(request: Request, asked: Json) -> Json:
    if "no-usage" in request.switches or "picture" in request.switches:
        return {"predict_time": 0.5}
    words = _output(request, asked)
    return {
        "predict_time": 0.5,
        "input_token_count": answers.count(str(asked.get("prompt"))),
        "output_token_count": len(words),
    }


def _events(told: Json) -> Iterator[bytes]:
    for number, text in enumerate(told["output"]):
        yield f"event: output\nid: {number}:0\ndata: {text}\n\n".encode()
    yield b"event: done\nid: 99:0\ndata: {}\n\n"


ROUTES: dict[str, Callable[[Request], Reply | Stream]] = {
    "POST /v1/models/*/predictions": predict,
    "POST /v1/deployments/*/predictions": predict,
    "POST /v1/predictions": predict,
    "GET /v1/predictions/*": fetch,
    "GET /v1/events/*": events,
    "GET /v1/models/*/versions/*": version,
}
ERRORS = error
