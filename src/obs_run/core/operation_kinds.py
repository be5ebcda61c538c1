"""The kinds of operations that records name."""

from __future__ import annotations

_VOCABULARY = "obs_run.core.operations"
_kinds: dict[type, str] = {}


def kind_of(operation: type) -> str:
    """Return the name of the operation's class in ``core.operations``; instrumentors derive classes of their own."""
    kind = _kinds.get(operation)
    if kind is None:
        names = [each.__name__ for each in operation.__mro__ if each.__module__.startswith(_VOCABULARY)]
        kind = _kinds[operation] = names[0]
    return kind
