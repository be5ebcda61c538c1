"""Dataclasses whose ``__init__`` is written and compiled with the first instance.

It costs a third of a millisecond for each class, and a library's import brings dozens of which an agent uses a few.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

__all__ = ["late_dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass as late_dataclass
else:

    def late_dataclass(cls: type) -> type:
        """Make ``cls`` a dataclass without ``__eq__`` and ``__repr__`` of its own."""

        def first_init(self: Any, *args: Any, **kwargs: Any) -> None:
            # Two threads may do this at once, to the same effect.
            cls.__init__ = _make_init(cls)
            cls.__init__(self, *args, **kwargs)

        made = dataclass(init=False, eq=False, repr=False)(cls)
        made.__init__ = first_init
        return made


def _make_init(cls: type) -> Any:
    """Return the ``__init__`` that ``dataclass`` makes of the fields of ``cls``, by way of a class with no more."""
    namespace: dict[str, Any] = {"__annotations__": {}}
    for each in fields(cls):
        namespace["__annotations__"][each.name] = each.type
        namespace[each.name] = field(
            default=each.default, default_factory=each.default_factory, init=each.init, kw_only=each.kw_only
        )
    if hasattr(cls, "__post_init__"):
        namespace["__post_init__"] = cls.__post_init__
    alike = type(cls.__name__, (), namespace)
    alike.__module__ = cls.__module__
    return vars(dataclass(eq=False, repr=False)(alike))["__init__"]
