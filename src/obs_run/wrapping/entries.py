"""What a file says of functions: which are meant, what their calls are recorded as, and what of them is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

SPAN, HANDLER, TOOL, CONTRACT = "span", "handler", "tool", "contract"
POOL, BREAKER, LIMITER, CACHE = "pool", "breaker", "limiter", "cache"
RECORDED = (SPAN, HANDLER, TOOL, CONTRACT)
MEASURED = (POOL, BREAKER, LIMITER, CACHE)
KINDS = (*RECORDED, *MEASURED)
TARGET, RELEASE = "target", "release"
SELF, RESULT = "self", "result"
_WILDCARD = re.compile(r"[*?\[]")


class ValuePath(NamedTuple):
    """Where a value stands: a parameter's name, ``self`` or ``result``, and the keys and attributes from there on."""

    root: str
    keys: tuple[str, ...]


class Target(NamedTuple):
    """The functions of a module that are meant: those with a name, in a class or in it and all derived from it."""

    module: str
    owner: str
    """The dotted name of the class, or a pattern; empty for functions of the module."""
    with_derived: bool
    function: str
    """The function's name, or a pattern."""

    def __str__(self) -> str:
        """Return it as it is written."""
        owner = f"{self.owner}{'+' * self.with_derived}." if self.owner else ""
        return f"{self.module}:{owner}{self.function}"

    def first_name(self) -> str:
        """Return the name in the module by which it is found, which may be a pattern."""
        return (self.owner or self.function).partition(".")[0]


@dataclass
class Entry:
    """One entry of a file."""

    name: str
    where: str
    """The file and line, for people."""
    targets: tuple[Target, ...]
    kind: str
    span_name: tuple[str | ValuePath, ...] = ()
    """The pieces of the name, of which some are values; empty for the function's own."""
    attributes: dict[str, ValuePath] = field(default_factory=dict)
    content: dict[str, ValuePath] = field(default_factory=dict)
    met: ValuePath | None = None
    """What tells by its truth whether a contract is met."""
    release: tuple[Target, ...] = ()
    """What gives a pool's connection back."""
    connection: ValuePath | None = None
    """What stands for a pool's connection, where that is not what is returned and given back."""
    state: ValuePath | None = None
    """The state of a breaker."""
    rejects: tuple[str, ...] = ()
    """The classes of the exceptions by which a breaker or limiter says that it does not let a call through."""
    allows: ValuePath | None = None
    """What is false where a breaker or limiter does not let a call through."""
    hit: ValuePath | None = None
    """What is None, or false, where a lookup in a cache finds nothing."""

    def paths(self) -> list[ValuePath]:
        """Return all values that it names."""
        named = [piece for piece in self.span_name if isinstance(piece, ValuePath)]
        single = [path for path in (self.met, self.state, self.allows, self.hit) if path is not None]
        return [*named, *self.attributes.values(), *self.content.values(), *single]


def is_pattern(name: str) -> bool:
    """Whether a name has wildcards."""
    return _WILDCARD.search(name) is not None
