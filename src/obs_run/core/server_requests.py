"""Requests that reach a server of the agent's, each recorded while the server's own code handles it.

No application is wrapped, and nothing that one is called with: what stands around a request is the function of the
server that handles it, and what is known of request and answer is read where the server reads and writes it. A request
that tells of no trace begins one, which is linked to what was going on where it was received, as the run is.
"""

from __future__ import annotations

import re
import sys
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from obs_run import settings
from obs_run.base import guard, payload
from obs_run.base.steps import Step
from obs_run.context import current_context, incoming_requests
from obs_run.core import ownership, recorder, request_links, semconv
from obs_run.process import termination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextvars import Token
    from types import TracebackType

    from obs_run.core.operations import HttpServerRequest
    from obs_run.core.outcomes import Call

    Parse = Callable[[], tuple[HttpServerRequest, Mapping[str, list[str]]]]
    Finish = Callable[[HttpServerRequest, Any], object]

__all__ = ["MessageStep", "RequestStep", "answers_of", "current_step", "note_reset_signals", "status_of"]

_here: ContextVar[RequestStep | None] = ContextVar("obs-run-server-request", default=None)
_INNER = ("app", "wsgi_app", "asgi_app", "application", "__self__", "__wrapped__")
_DEEPEST = 20
_OF_OTHERS = "opentelemetry.instrumentation."
_SWITCHING = 101
_FIRST_FINAL = 200


class RequestStep(Step):
    """The handling of one request by ``server``, an object of its own; it is recorded once ``begin`` says what it is.

    What ``application`` traces itself, or an instrumentor of others for it, is left to that. ``parse`` gives operation
    and headers, where the request is known before it is handled; ``finish(operation, returned)`` reads what is known
    when it is over.
    """

    __slots__ = (
        "_application",
        "_finish",
        "_name",
        "_parse",
        "_recording",
        "_request",
        "_scopes",
        "_token",
        "details",
        "server",
    )

    def __init__(
        self, server: object, application: object, finish: Finish | None = None, parse: Parse | None = None
    ) -> None:
        super().__init__()
        self.server = server
        self._application = application
        self.details: Any = None
        """What the server keeps of the request, where ``finish`` needs it."""
        self._finish = finish
        self._parse = parse
        self._recording: Any = None
        self._request = Context()
        self._name = ""
        self._scopes: list[current_context.ContextScope] = []
        self._token: Token[RequestStep | None] | None = None

    def __enter__(self) -> None:
        """Be what is handled here."""
        self._token = _here.set(self)
        if self._parse is not None:
            guard.call("begin", self._begin_parsed, self._parse)

    def _begin_parsed(self, parse: Parse) -> None:
        self.begin(*parse())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Be over, and pass on what was raised."""
        guard.call("context", self._leave)
        super().__exit__(kind, error, traceback)

    def _leave(self) -> None:
        token, self._token = self._token, None
        if token is not None:
            _here.reset(token)
        while self._scopes:
            self._scopes.pop().__exit__(None, None, None)

    def begin(self, operation: HttpServerRequest, headers: Mapping[str, list[str]]) -> None:
        """Begin to record the request; names of headers are in small letters."""
        if self._recording is not None or _is_excluded(operation):
            return
        around = current_context.current()
        self._request = incoming_requests.context_of(headers)
        if is_traced_by_others(self._application):
            # Not all of them make current what comes with a request beside its trace.
            self.go_on_in(ownership.no_span(incoming_requests.without_ids(self._request)))
            return
        operation.extra.update(_attributes_of(incoming_requests.ids(self._request)))
        context = incoming_requests.without_ids(self._request)
        self._name = operation.span_name()
        self._recording = recorder.start(operation, context)
        if self._recording is None:
            return
        if not get_current_span(context).get_span_context().is_valid:
            request_links.link_to_receiver(self._recording.span, around)
        self.go_on_in(self._recording.context)

    def go_on_in(self, context: Context) -> None:
        """Have what is left to do for the request done in ``context``."""
        scope = current_context.ContextScope(context)
        scope.__enter__()
        self._scopes.append(scope)

    def note_status(self, status_code: int | None) -> None:
        """Note how the request is answered; what is said before the answer is no answer."""
        if status_code is not None and (status_code >= _FIRST_FINAL or status_code == _SWITCHING):
            recording = self._recording
            if recording is not None and not recording.is_ended:
                recording.operation.note_status(status_code)

    def note_route(self, route: str | None) -> None:
        """Note the path without its varying parts, which the framework has found."""
        recording = self._recording
        if recording is not None and not recording.is_ended:
            recording.operation.route = route

    def has_failed(self) -> bool:
        """Whether it is answered by an error of the server's."""
        recording = self._recording
        return recording is not None and recording.operation.error_type is not None

    def answers(self, present: Iterable[str]) -> dict[str, str]:
        """Return the headers to be added to an answer that has those that are ``present``."""
        recording = self._recording
        span = get_current_span(self._request) if recording is None else recording.span
        return incoming_requests.answers(self._request, span, present)

    def read_returned(self, returned: Any) -> Any:
        """Have it over."""
        guard.call("finish", self.complete, returned)
        return returned

    def end(self, error: BaseException) -> None:
        """Have it failed."""
        self.complete(None, error)

    def complete(self, returned: Any = None, error: BaseException | None = None) -> None:
        """End the recording, once; what the server does for the request after its answer stays inside."""
        recording = self._recording
        if recording is None or recording.is_ended:
            return
        operation = recording.operation
        if self._finish is not None:
            guard.call("finish", self._finish, operation, returned)
        name = operation.span_name()
        if name != self._name:
            recording.span.update_name(name)
        recording.end(error)


class MessageStep(Step):
    """The sending of a part of an answer, after the last of which the request is over."""

    __slots__ = ("_is_last", "_request")

    def __init__(self, request: RequestStep, *, is_last: bool) -> None:
        super().__init__()
        self._request = request
        self._is_last = is_last

    def read_returned(self, returned: Any) -> Any:
        """Have the request over after its last part; what failed of it is raised after that."""
        if self._is_last and not self._request.has_failed():
            guard.call("finish", self._request.complete)
        return returned


def current_step(server: object = None) -> RequestStep | None:
    """Return the request that is handled here, None where that is not by ``server``."""
    step = _here.get()
    return step if step is not None and (server is None or step.server is server) else None


def answers_of(present: Iterable[str], server: object = None) -> dict[str, str]:
    """Return the headers to be added to the answer of the request that is handled here."""
    step = current_step(server)
    return {} if step is None else step.answers(present)


def note_reset_signals(_: Call, __: Any) -> None:
    """Have a server's worker that gave signals their default action back not die of them unseen."""
    termination.handle_again()


def status_of(text: Any) -> int | None:
    """Return the number that a status line begins with."""
    number = str(text).partition(" ")[0]
    return int(number) if number.isdecimal() else None


def _attributes_of(ids: Mapping[str, str]) -> dict[str, Any]:
    return {semconv.HTTP_REQUEST_HEADER + name.lower(): [value] for name, value in ids.items()}


def _is_excluded(operation: HttpServerRequest) -> bool:
    patterns = settings.get("OTEL_PYTHON_EXCLUDED_URLS")
    if not patterns:
        return False
    host = operation.server_address or ""
    port = "" if operation.server_port is None else f":{operation.server_port}"
    return _pattern(patterns).search(f"{operation.scheme}://{host}{port}{operation.path}") is not None


@lru_cache(maxsize=1)
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


def is_traced_by_others(application: Any) -> bool:
    """Whether an application, or one inside of it, makes spans of its requests, or an instrumentor for it."""
    seen: set[int] = set()
    waiting = [application]
    while waiting and len(seen) < _DEEPEST:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if _is_traced(each):
            return True
        waiting += [payload.get_if_readable(each, name) for name in _INNER]
    return False


def _is_traced(application: Any) -> bool:
    roots = [kind.__module__ for kind in type(application).__mro__]
    if any(root.startswith(_OF_OTHERS) for root in roots):
        return True
    if getattr(application, "_is_instrumented_by_opentelemetry", False) is True:
        return True
    if any(_is_tracing_middleware(each) for each in _middlewares(application)):
        return True
    # FastAPI traces itself where there is somebody to take the spans.
    native = payload.get_if_readable(application, "_native_telemetry")
    if native is not None and guard.call("FastAPI's telemetry", native.enabled, default=False):
        return True
    return any(_is_instrumented(root.partition(".")[0]) for root in roots)


def _middlewares(application: Any) -> list[Any]:
    listed = payload.get_if_readable(application, "user_middleware")
    other = payload.get_if_readable(application, "middlewares")
    found = [getattr(each, "cls", each) for each in listed] if isinstance(listed, list) else []
    return found + (list(other) if isinstance(other, (list, tuple)) or hasattr(other, "frozen") else [])


def _is_tracing_middleware(middleware: Any) -> bool:
    module = str(getattr(middleware, "__module__", ""))
    return module.startswith(_OF_OTHERS) or getattr(middleware, "__name__", "") == "OpenTelemetryMiddleware"


def _is_instrumented(framework: str) -> bool:
    """Whether an instrumentor of others is active that instruments all applications of a framework."""
    module = sys.modules.get(_OF_OTHERS + framework)
    kinds = [] if module is None else [each for each in vars(module).values() if isinstance(each, type)]
    # One instance of each is all that there is.
    return any(
        kind().is_instrumented_by_opentelemetry
        for kind in kinds
        if kind.__module__ == _OF_OTHERS + framework and hasattr(kind, "is_instrumented_by_opentelemetry")
    )
