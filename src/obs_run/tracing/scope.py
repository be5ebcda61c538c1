"""The block of code that a span stands for: ``with``, ``async with``, or a decorated function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from obs_run.base import guard
from obs_run.base.noop_awaitable import NOOP_AWAITABLE
from obs_run.context.current_context import enter, leave
from obs_run.tracing.headers import context_of
from obs_run.tracing.span import Span
from obs_run.tracing.traced_calls import with_span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping

    from typing_extensions import Self

    from obs_run.context.current_context import Entry
    from obs_run.tracing.headers import Headers
    from obs_run.tracing.traced_calls import SpanStarter
    from obs_run.tracing.vocabulary import SpanKind

    F = TypeVar("F", bound=Callable[..., Any])


class SpanScope:
    """Begins its span on entering and ends it on leaving; between the two the span is current."""

    __slots__ = ("_entries", "_headers", "_kind", "_name", "_tags", "_tracer")

    def __init__(
        self, tracer: SpanStarter, name: str, kind: SpanKind, tags: Mapping[str, Any] | None, headers: Headers = None
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._kind = kind
        self._tags = tags
        self._headers = headers
        self._entries: list[Entry] = []

    def __enter__(self) -> Span:
        """Begin the span and make it current."""
        try:
            context = None if self._headers is None else context_of(self._headers)
            span = self._tracer.begin(self._name, self._kind, self._tags, context)
            inside = span.context_inside(context)
            enter(self, lambda _: inside, self._entries, span)
        except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
            guard.failed("span", error)
            # One that is recorded nowhere.
            return Span()
        return span

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        """End the span of this block, with the error that it is left by."""
        guard.call("span", self._leave, error)

    def _leave(self, error: BaseException | None) -> Awaitable[Any]:
        entry = leave(self, self._entries)
        if entry is None:
            return NOOP_AWAITABLE  # left twice
        span: Span = entry.carried
        return span.leave(error)

    async def __aenter__(self) -> Span:
        """Begin the span and make it current."""
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        """End the span of this block, with the error that it is left by."""
        recorded = guard.call("span", self._leave, error, default=NOOP_AWAITABLE)
        if recorded is not NOOP_AWAITABLE and error is None:
            await recorded

    def __await__(self) -> Generator[Any, Any, Self]:
        """Return itself: what is awaited, by habit, is the block."""
        return self
        yield

    def __call__(self, function: F) -> F:
        """Return ``function`` with such a span around each call."""
        return with_span(function, lambda: self._tracer, self._name, self._kind, self._tags)
