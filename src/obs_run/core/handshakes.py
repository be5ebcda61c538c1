"""Requests by which connections begin at a server: each is over with its answer, the connection may live for long.

What the server does for the connection afterwards, in the same task or thread, goes on in the trace of the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.context import current_context
from obs_run.core.server_requests import RequestStep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context

    from obs_run.core.operations import HttpServerRequest

    Parse = Callable[[], tuple[HttpServerRequest, Mapping[str, list[str]]]]

__all__ = ["HandshakeStep"]


class HandshakeStep(RequestStep):
    """The handling of such a request by ``server``, an object of the connection's own.

    ``refusal`` gives by which status the request is refused for an error, where that is told after it.
    """

    __slots__ = ("_inside", "_parse_request", "_refusal")

    def __init__(
        self, server: object, parse: Parse, refusal: Callable[[BaseException], int | None] | None = None
    ) -> None:
        super().__init__(server, None)
        self._parse_request = parse
        self._refusal = refusal
        self._inside: Context | None = None

    def begin_request(self) -> None:
        """Begin to record the request, which has come."""
        self.begin(*self._parse_request())

    def begun_by(self, hook: Any) -> Any:
        """Return the function that is called in the place of ``hook``, the first that is called with the request."""

        @passed_over
        def handle(*args: Any, **kwargs: Any) -> Any:
            guard.call("begin", self.begin_request)
            if hook is None:
                return None
            with no_frame:
                return hook(*args, **kwargs)

        return handle

    def go_on_in(self, context: Context) -> None:
        """Have what is left to do, for the request and for the connection, done in ``context``."""
        self._inside = context
        super().go_on_in(context)

    def is_recorded(self) -> bool:
        """Whether the request has a span."""
        return self._recording is not None

    def read_returned(self, returned: Any) -> Any:
        """Have the request over, and the connection go on in its trace."""
        super().read_returned(returned)
        if self._inside is not None:
            current_context.ContextScope(self._inside).__enter__()
        return returned

    def end(self, error: BaseException) -> None:
        """Have it failed, unless it was refused: the library raises that too."""
        if self._refusal is not None:
            self.note_status(self._refusal(error))
        is_answered = self._recording is not None and self._recording.operation.status_code is not None
        self.complete(None, None if is_answered else error)
