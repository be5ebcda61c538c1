"""OpenTelemetry's current context for the length of a block, wherever the block is left.

The API's own tokens fit one place only: a block that is left in another task, in another order or twice is an error in
its log. Here each entry is a scope that lies in the context itself, so whoever leaves finds it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry.context import Context

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable

_SCOPE = "obs-run-scope"
_DEEPEST = 10_000  # entries without an end; beyond it what lies further out is let go


class _Scope:
    """One entry: who entered, and what was current before."""

    __slots__ = ("before", "depth", "is_left", "outer", "owner", "token")

    def __init__(self, owner: object, before: Context, outer: _Scope | None) -> None:
        self.owner = owner
        self.before = before
        self.outer = outer
        self.depth: int = 0 if outer is None else outer.depth + 1
        self.is_left = False
        self.token: Any = None


def enter(owner: object, change: Callable[[Context], Context]) -> Context | None:
    """Make ``change(current)`` current until ``leave(owner)``; None, said once, where that cannot be done.

    ``owner`` may enter several times, in several tasks: each ``leave`` undoes the newest entry that is found there.
    """
    return guard.call("context", _enter, owner, change)


def leave(owner: object) -> bool:
    """Undo the newest entry of ``owner`` in the current context; False where there is none, and nothing is done.

    An entry with others inside of it that are still open is undone as soon as those are left.
    """
    return bool(guard.call("context", _leave, owner, default=False))


def current() -> Context:
    """Return the current context without the entries that were left elsewhere."""
    found = api_context.get_current()
    scope = found.get(_SCOPE)
    if not isinstance(scope, _Scope) or not scope.is_left:
        return found
    return _lowest_left(scope).before


def _enter(owner: object, change: Callable[[Context], Context]) -> Context:
    before = current()
    outer: Any = before.get(_SCOPE)
    scope = _Scope(owner, before, outer)
    if scope.depth > _DEEPEST:
        # Entered again and again and never left: the chain would grow for ever.
        scope.before, scope.outer, scope.depth = Context(), None, 0
    entered = Context({**change(before), _SCOPE: scope})
    scope.token = api_context.attach(entered)
    return entered


def _leave(owner: object) -> bool:
    top: Any = api_context.get_current().get(_SCOPE)
    scope = top
    while scope is not None and (scope.is_left or scope.owner is not owner):
        scope = scope.outer
    if scope is not None:
        scope.is_left = True
    if top is not None and top.is_left:
        # Perhaps left by another task, which could not change what is current here.
        lowest = _lowest_left(top)
        if not _reset(lowest.token):
            api_context.attach(lowest.before)
    return scope is not None


def _lowest_left(scope: _Scope) -> _Scope:
    """Return the outermost of the entries from ``scope`` outwards that were all left."""
    while scope.outer is not None and scope.outer.is_left:
        scope = scope.outer
    return scope


def _reset(token: Any) -> bool:
    """Take a token back where it was made; False in another task, or where another package keeps the context."""
    variable = getattr(token, "var", None)
    if variable is None:
        return False
    try:
        variable.reset(token)
    except (ValueError, RuntimeError):
        return False
    return True


class ContextScope:
    """Makes a context current from entering to leaving; each block is entered and left on its own."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> Context:
        """Make it current."""
        enter(self, lambda _: self._context)
        return self._context

    def __exit__(self, *_: object) -> None:
        """Make the one before current again."""
        leave(self)
