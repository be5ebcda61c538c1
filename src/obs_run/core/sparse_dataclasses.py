"""Dataclasses whose instances hold only what they were given: a default is its class's.

Operations have dozens of fields of which a call knows a few. Nor is an ``__init__`` compiled for each class, which
costs a third of a millisecond: a library's import brings dozens of which an agent uses a few.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields
from typing import TYPE_CHECKING, Any

__all__ = ["sparse_dataclass"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as sparse_dataclass
else:

    def sparse_dataclass(cls: type) -> type:
        """Make ``cls`` a dataclass without ``__eq__`` and ``__repr__`` of its own."""
        made = dataclass(init=False, eq=False, repr=False)(cls)
        made.__init__ = _make_init(made)
        return made


def _maker(of: Field[Any]) -> Callable[[], Any] | None:
    """Return what makes a field's value for each instance, None where the class has it for all of them."""
    if of.default_factory is not MISSING:
        return of.default_factory
    # A function that is found in the class would be a method.
    return (lambda: of.default) if hasattr(type(of.default), "__get__") else None


def _make_init(cls: type) -> Callable[..., None]:
    """Return an ``__init__`` that takes what the one takes that ``dataclass`` writes for ``cls``."""
    taken = [each for each in fields(cls) if each.init]
    names = {each.name for each in taken}
    by_position = [each.name for each in taken if not each.kw_only]
    factories = [(each.name, make) for each in fields(cls) if (make := _maker(each)) is not None]
    required = [each.name for each in taken if each.default is MISSING and each.default_factory is MISSING]
    has_more = hasattr(cls, "__post_init__")

    def __init__(self: Any, /, *args: Any, **given: Any) -> None:  # noqa: N807 (tracebacks tell the name)
        values = self.__dict__
        if args:
            if len(args) > len(by_position):
                raise TypeError(
                    f"{cls.__name__}.__init__() takes {len(by_position)} values by position, not {len(args)}"
                )
            values.update(zip(by_position, args, strict=False))
            if not given.keys().isdisjoint(values):
                raise TypeError(f"{cls.__name__}.__init__() got multiple values for an argument")
        if not names.issuperset(given):
            unknown = next(name for name in given if name not in names)
            raise TypeError(f"{cls.__name__}.__init__() got an unexpected keyword argument {unknown!r}")
        values.update(given)
        for name, make in factories:
            if name not in values:
                values[name] = make()
        for name in required:
            if name not in values:
                raise TypeError(f"{cls.__name__}.__init__() missing 1 required positional argument: {name!r}")
        if has_more:
            self.__post_init__()

    return __init__
