"""What spans used, tokens and cost, so that no usage counts twice: the one rule of all that adds up.

The usage of a model call counts. Spans of agents, workflows and tools may repeat what the calls inside of them used,
so theirs counts only in a trace in which no model call tells any, each of input tokens, output tokens and cost for
itself; and of such spans inside one another the larger of the outer one's and the sum of the inner ones'. A model call
around others, as where a framework's call and the client's are both recorded, is no call of its own and counts in the
same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from obs_run.telemetry.records import Span

CONTAINERS = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "execute_tool"})
"""The operations whose spans may repeat the usage of the model calls inside them."""
MODEL_OPERATIONS = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
"""The operations that the conventions name a model call."""
_FIELDS = ("input_tokens", "output_tokens", "cost")
_NOTHING: frozenset[str] = frozenset()


@dataclass
class Totals:
    """What spans used together; None for what none of them tells."""

    calls: int = 0
    """Model calls."""
    errors: int = 0
    """Model calls that failed."""
    unpriced: int = 0
    """Model calls that tell tokens and no cost: the true cost is higher."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a call nor usage."""
        return not self.calls and self.input_tokens is self.output_tokens is self.cost is None

    def add(self, other: Totals) -> None:
        """Add what ``other`` used."""
        self.calls += other.calls
        self.errors += other.errors
        self.unpriced += other.unpriced
        for name in _FIELDS:
            setattr(self, name, _plus(getattr(self, name), getattr(other, name)))


def is_container(span: Span) -> bool:
    """Tell whether the span's usage may be that of the model calls inside of it."""
    return span.operation in CONTAINERS


def calls_model(span: Span) -> bool:
    """Tell whether the span is a call of a model: of an operation that is one, or with usage of its own."""
    if is_container(span):
        return False
    tells = span.input_tokens is not None or span.output_tokens is not None or span.cost is not None
    return span.operation in MODEL_OPERATIONS or span.model is not None or tells


def own_usage(span: Span) -> Totals:
    """Return what the span tells, whether or not it counts."""
    called = calls_model(span)
    tokens = bool(span.input_tokens or span.output_tokens)
    return Totals(
        calls=int(called),
        errors=int(called and span.status == "error"),
        unpriced=int(called and tokens and span.cost is None),
        input_tokens=span.input_tokens,
        output_tokens=span.output_tokens,
        cost=span.cost,
    )


def count(spans: Sequence[Span], parents: Sequence[int | None]) -> list[tuple[Totals, Totals]]:
    """Return for each span what it and all below it used, and what of that counts as its own.

    ``parents`` has the place of each span's parent among ``spans``, in which parents come before their children.
    """
    repeated = _fields_of_calls(spans)
    wholes = [Totals() for _ in spans]
    owns = [Totals()] * len(spans)
    for place in reversed(range(len(spans))):
        span, whole = spans[place], wholes[place]
        own = own_usage(span)
        if is_container(span):
            own = _beyond(own, whole, repeated[span.trace_id])
        elif whole.calls and calls_model(span):
            own = _beyond(own, whole, _NOTHING)
        whole.add(own)
        owns[place] = own
        parent = parents[place]
        if parent is not None:
            wholes[parent].add(whole)
    return list(zip(wholes, owns, strict=True))


def total(spans: Sequence[Span]) -> Totals:
    """Return what the spans of a trace used together."""
    ordered, parents = _parents_first(spans)
    added = Totals()
    for _, own in count(ordered, parents):
        added.add(own)
    return added


def _fields_of_calls(spans: Iterable[Span]) -> dict[str, set[str]]:
    """Return for each trace what its model calls tell, which is what other spans can only repeat."""
    told: dict[str, set[str]] = {}
    for span in spans:
        fields = told.setdefault(span.trace_id, set())
        if not is_container(span):
            fields.update(name for name in _FIELDS if getattr(span, name) is not None)
    return told


def _beyond(own: Totals, inner: Totals, repeated: Collection[str]) -> Totals:
    """Return what a span tells beyond what is told by those inside of it."""
    counted = Totals()
    for name in _FIELDS:
        told, below = getattr(own, name), getattr(inner, name)
        if name in repeated or told is None:
            continue
        if below is None:
            setattr(counted, name, told)
        elif told > below:
            setattr(counted, name, told - below)
    return counted


def _plus(one: float | None, other: float | None) -> float | None:
    if one is None:
        return other
    return one if other is None else one + other


def _parents_first(spans: Sequence[Span]) -> tuple[list[Span], list[int | None]]:
    """Return the spans in an order in which parents come first, and the place of each one's parent in it."""
    of_id: dict[str, int] = {}
    for number, span in enumerate(spans):
        of_id.setdefault(span.span_id, number)
    above = [of_id.get(span.parent_id) if span.parent_id else None for span in spans]
    places: dict[int, int] = {}
    ordered: list[Span] = []
    parents: list[int | None] = []
    for number in range(len(spans)):
        chain = _chain_to(number, above, places, spans)
        for each in reversed(chain):
            upper = above[each]
            places[each] = len(ordered)
            ordered.append(spans[each])
            parents.append(None if upper is None else places[upper])
    return ordered, parents


def _chain_to(number: int, above: list[int | None], placed: Collection[int], spans: Sequence[Span]) -> list[int]:
    """Return a span and those above it that have no place yet; a cycle is cut at the span that began first."""
    chain: dict[int, None] = {}
    at: int | None = number
    while at is not None and at not in placed:
        if at in chain:
            members = list(chain)
            cycle = members[members.index(at) :]
            first = min(cycle, key=lambda each: _order(spans[each]))
            above[first] = None
            return _chain_to(number, above, placed, spans)
        chain[at] = None
        at = above[at]
    return list(chain)


def _order(span: Span) -> tuple[int, int]:
    # As a tree has it: of spans that begin together the longer one is the outer one.
    return span.start_ns, -max(span.start_ns, span.end_ns or span.start_ns)
