"""OpenTelemetry's current context for the length of a block, wherever and however often the block is left.

The API's own tokens fit one context of Python's only: a block that is left in another task, in another order or twice
is an error in its log. Here each entering is an entry that lies in the context itself, and that its owner knows, so
whoever leaves finds it. An entry that was left is current no more in the task that entered it and in the one that left
it; tasks that were begun inside of it keep it as their parent, as they do everywhere in OpenTelemetry.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry.context import Context

from obs_run.base import guard
from obs_run.context import runtime_context

if TYPE_CHECKING:
    from collections.abc import Callable

_ENTRY = "obs-run-entry"
_DEEPEST = 1000  # entries inside of each other
_MOST_OPEN = 1000  # entries that an owner knows of

_here: ContextVar[None] = ContextVar("obs-run-here")


class Place:
    """One of Python's contexts, such as a task's: a token can be used in no other than the one it was made in."""

    __slots__ = ("_token",)

    def __init__(self) -> None:
        self._token = _here.set(None)

    def is_here(self) -> bool:
        """Whether the caller runs in this very context, and not in a copy of it."""
        if not _reset(self._token):
            return False
        self._token = _here.set(None)
        return True


class _Rarity:
    """What only those entries have that are not left as blocks are."""

    __slots__ = ("before", "entered_in", "left_in")

    def __init__(self) -> None:
        self.before: Context | None = None
        self.entered_in: Place | None = None
        self.left_in: Place | None = None


class Entry:
    """One entering of ``owner``; ``carried`` is what the owner wants back when it is left."""

    __slots__ = ("_rarity", "carried", "depth", "is_left", "outer", "owner", "token", "top")

    def __init__(self, owner: object, carried: Any) -> None:
        self.owner = owner
        self.carried = carried
        self.outer: Entry | None = None
        self.depth = 0
        self.is_left = False
        self.token: Any = None
        self.top = 0
        """The id of the context that was made current; what is attached on top of it has another."""
        self._rarity: _Rarity | None = None

    @property
    def before(self) -> Context:
        """What was current before."""
        if self._rarity is not None and self._rarity.before is not None:
            return self._rarity.before
        earlier = self.token.old_value
        return Context() if earlier is Token.MISSING else earlier

    @property
    def may_come_up(self) -> bool:
        """Whether it may be current again once it is left, as those inside of it that were left too early."""
        return self._rarity is not None

    def keep_before(self, context: Context) -> None:
        """Note what was current before, which the token does not tell."""
        rarity = self._with_rarity()
        rarity.before, rarity.entered_in = context, Place()

    def shorten_chain(self) -> None:
        """Let go of the newer half of the entries that this one is inside of, which nobody leaves."""
        inner = self.outer
        while inner is not None and inner.depth > _DEEPEST // 2:
            inner = inner.outer
        if inner is not None:
            self.keep_before(inner.before)
            # The token would hold on to all of them.
            self.token = None
            self.outer, self.depth = inner.outer, inner.depth

    def note_leaving(self) -> None:
        """Note that it is left, by the caller."""
        self.is_left = True
        self._with_rarity().left_in = Place()
        if self.outer is not None:
            # When this one comes up again, so does what is around it, which is then to be known as left here too.
            self.outer._with_rarity()  # noqa: SLF001 (another one of these)

    def is_of_here(self) -> bool:
        """Whether the caller runs where this was entered or left, and not in a task that was begun inside of it."""
        if _reset(self.token):
            self._with_rarity().entered_in = Place()
            return True
        rarity = self._rarity
        if rarity is None:
            return False
        return any(place is not None and place.is_here() for place in (rarity.entered_in, rarity.left_in))

    def _with_rarity(self) -> _Rarity:
        if self._rarity is None:
            self._rarity = _Rarity()
        return self._rarity


def enter(
    owner: object, change: Callable[[Context], Context], entries: list[Entry] | None = None, carried: Any = None
) -> Context | None:
    """Make ``change(current)`` current until ``leave(owner)``; None, said once, where that cannot be done.

    ``owner`` may enter several times, in several tasks. ``entries`` is a list of the owner's own, in which ``leave``
    finds those that were entered in another task.
    """
    entry = Entry(owner, carried)
    if entries is not None:
        entries.append(entry)
        if len(entries) > _MOST_OPEN:
            del entries[0]
    try:
        return _enter(entry, change)
    except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
        guard.failed("context", error)
        return None


def leave(owner: object, entries: list[Entry] | None = None) -> Entry | None:
    """Undo the newest entry of ``owner`` in the current context, else in another one, and return it; None for none.

    As with OpenTelemetry's tokens what was current before is so again, whatever is still open inside.
    """
    try:
        return _leave(owner, entries)
    except Exception as error:  # noqa: BLE001 (as in ``enter``)
        guard.failed("context", error)
        return None


def current() -> Context:
    """Return the current context without the entries that were left elsewhere."""
    return _without_left(api_context.get_current())


def _enter(entry: Entry, change: Callable[[Context], Context]) -> Context:
    before = api_context.get_current()
    outer: Any = before.get(_ENTRY)
    if outer is not None:
        if outer.is_left:
            before = _without_left(before)
            outer = before.get(_ENTRY)
        if outer is not None:
            entry.outer = outer
            entry.depth = outer.depth + 1
    entered = Context({**change(before), _ENTRY: entry})
    entry.top = id(entered)
    token = entry.token = api_context.attach(entered)
    if type(token) is not Token:
        # Another package keeps the context, and its tokens tell nothing.
        entry.keep_before(before)
    elif entry.depth > _DEEPEST:
        entry.shorten_chain()
    return entered


def _leave(owner: object, entries: list[Entry] | None) -> Entry | None:
    at_leaving = api_context.get_current()
    top: Any = at_leaving.get(_ENTRY)
    if top is None or top.owner is not owner or top.is_left or not _reset(top.token):
        return _leave_further_out(owner, entries, top)
    if id(at_leaving) == top.top and not top.may_come_up:
        top.is_left = True
    else:
        # Something was attached on top, here or further in; when that is detached this entry comes up again.
        top.note_leaving()
        _watch()
    if entries:
        _forget(entries, top)
    if top.outer is not None and top.outer.is_left:
        current()
    return top  # type: ignore[no-any-return]


def _leave_further_out(owner: object, entries: list[Entry] | None, top: Any) -> Entry | None:
    """Leave an entry that others are inside of, that a task inherited, or that was entered in another one."""
    entry: Entry | None = top
    while entry is not None and (entry.is_left or entry.owner is not owner):
        entry = entry.outer
    if entry is not None:
        if entry.is_of_here():
            api_context.attach(entry.before)
    elif entries:
        entry = entries[-1]
    else:
        return None
    entry.note_leaving()
    if entries:
        _forget(entries, entry)
    _watch()
    current()
    return entry


def _forget(entries: list[Entry], entry: Entry) -> None:
    try:
        entries.remove(entry)
    except ValueError:  # too many were open, or another thread was faster
        return


def _watch() -> None:
    """Have everybody who asks for the current context get it without what was left elsewhere."""
    runtime_context.filter_current(_without_left)


def _without_left(context: Context) -> Context:
    """Return the current context without the entries on top that were left; what it then is stays current."""
    entry: Any = context.get(_ENTRY)
    if entry is None or not entry.is_left or id(context) != entry.top:
        return context
    remaining: Context = guard.call("context", _drop_left, context, default=context)
    return remaining


def _drop_left(context: Context) -> Context:
    while True:
        entry: Any = context.get(_ENTRY)
        if entry is None or not entry.is_left or id(context) != entry.top:
            return context
        is_own = entry.is_of_here()
        if is_own:
            context = entry.before
        else:
            # Begun inside of the entry, which stays the parent; it need not be looked at again.
            context = Context({name: value for name, value in context.items() if name != _ENTRY})
        api_context.attach(context)
        if not is_own:
            return context


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

    __slots__ = ("_context", "_entries")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._entries: list[Entry] = []

    def __enter__(self) -> Context:
        """Make it current."""
        # The list stands for the scope: an entry that is never left must not hold on to the scope's context.
        enter(self._entries, lambda _: self._context, self._entries)
        return self._context

    def __exit__(self, *_: object) -> None:
        """Make the one before current again."""
        leave(self._entries, self._entries)
