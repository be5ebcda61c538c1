"""Switches: how a request asks the stub to fail, to be slow, or to answer in a special shape.

A switch is a word or `word=value`, several joined by `+`. It is read from the model's name (`stub-429-once`,
`gpt-5-mini+cached+slow=0.05`), from the header `x-stub`, or from a tag in the prompt (`[stub:drop=2]`).
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .wire import Reply, Stream, error, event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .wire import Errors, Json, Request

Switches = dict[str, str]

PHRASES = {
    "rush hour": "429-once",
    "every train timetable ever printed": "context-length",
}
"""Harmless words by which the example agent meets a fault here and an ordinary answer elsewhere."""

_TAG = re.compile(r"\[stub:([^\]]+)\]")

_LIMITED = "Rate limit reached for requests. Please try again in 1ms."
_ERRORS = {
    "400": (400, "Invalid value: 'temperature'.", "invalid_value", "invalid_request_error"),
    "401": (401, "Incorrect API key provided: stub.", "invalid_api_key", "invalid_request_error"),
    "403": (403, "Country, region, or territory not supported.", "unsupported_country", "request_forbidden"),
    "404": (404, "The model does not exist or you do not have access to it.", "model_not_found", "not_found_error"),
    "409": (409, "Conflicting request.", "conflict", "invalid_request_error"),
    "422": (422, "Unprocessable request.", "unprocessable", "invalid_request_error"),
    "429": (429, _LIMITED, "rate_limit_exceeded", "requests"),
    "500": (500, "The server had an error while processing your request.", None, "server_error"),
    "503": (503, "The engine is currently overloaded.", None, "server_error"),
    "context-length": (
        400,
        "This model's maximum context length is 8192 tokens.",
        "context_length_exceeded",
        "invalid_request_error",
    ),
    "quota": (429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
}
_TIMES = {"": None, "-once": 1, "-twice": 2}


class HangUp(Exception):  # noqa: N818 - it is an instruction to the server, not an error
    """The connection is to be closed without an answer."""


def read_switches(headers: dict[str, str], body: Json, path: str = "") -> Switches:
    """Collect the switches of a request; some wire formats name the model in the path."""
    words: list[str] = []
    base, *added = (_text(body.get("model") or body.get("model_id")) or _model_of(path)).split("+")
    if base.startswith("stub-"):
        words.append(base.removeprefix("stub-"))
    words += added
    words += headers.get("x-stub", "").split("+")
    said = json.dumps(body, ensure_ascii=False)
    for tag in _TAG.findall(said):
        words += tag.split("+")
    words += [switch for phrase, switch in PHRASES.items() if phrase in said.lower()]
    pairs = (word.strip().partition("=") for word in words if word.strip())
    return {name: value for name, _, value in pairs}


def _model_of(path: str) -> str:
    names = (part.partition(":")[0] for part in unquote(path).split("/"))
    return next((name for name in names if name.startswith("stub-") or "+" in name), "")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def before(request: Request, errors: Errors = error) -> Reply | None:
    """Return the failure that takes the place of an answer, if one was asked for."""
    switches = request.switches
    if "wait" in switches:
        time.sleep(float(switches["wait"]))
    for suffix, times in _TIMES.items():
        for name, (status, message, code, kind) in _ERRORS.items():
            if name + suffix in switches and _due(request, name, times):
                reply = errors(status, message, code, kind)
                if status in {429, 500, 503}:
                    # a client that ignores `retry-after: 0` still retries at once
                    reply.headers = {"retry-after": "0", "retry-after-ms": "1"}
                return reply
        if "hangup" + suffix in switches and _due(request, "hangup", times):
            raise HangUp
    if "malformed" in switches:
        return Reply(b'{"id": "chatcmpl-broken", "choices": [{"index": 0, "mess')
    if "empty" in switches:
        return Reply(b"")
    if "html" in switches:
        return Reply(b"<html><body>Bad gateway</body></html>", 502, content_type="text/html")
    return None


def _due(request: Request, name: str, times: int | None) -> bool:
    if times is None:
        return True
    retry = request.headers.get("x-stainless-retry-count")
    if retry is not None:
        return int(retry) < times
    return request.state.fails_again(json.dumps([name, request.path, request.body], sort_keys=True), times)


def during(request: Request, answer: Stream, *, typed: bool) -> Stream:
    """Return the stream with the faults that were asked for."""
    switches = request.switches
    answer.delay = float(switches.get("slow") or (0.02 if "slow" in switches else 0))
    if "drop" in switches:
        answer.drop_after = int(switches["drop"] or 2)
    if "stream-error" in switches:
        last = answer.failing or _error_event(typed=typed)
        answer.events = _cut(answer.events, int(switches["stream-error"] or 2), last)
    elif "garbage" in switches:
        answer.events = _cut(answer.events, int(switches["garbage"] or 2), b'data: {"id": "chatcmpl-brok\n\n')
    elif "no-finish" in switches:
        answer.events = _unfinished(answer.events)
    return answer


def _error_event(*, typed: bool) -> bytes:
    message = "The server had an error while processing your request."
    if typed:
        body = {"type": "error", "code": "server_error", "message": message, "param": None, "sequence_number": 99}
        return event(body, "error")
    return event({"error": {"message": message, "type": "server_error", "param": None, "code": "server_error"}})


def _cut(events: Iterable[bytes], after: int, last: bytes) -> Iterator[bytes]:
    for number, item in enumerate(events):
        if number == after:
            break
        yield item
    yield last


def _unfinished(events: Iterable[bytes]) -> Iterator[bytes]:
    last = (b'"finish_reason": "', b'"type": "response.completed"', b"[DONE]")
    for item in events:
        if any(mark in item for mark in last):
            return
        yield item
