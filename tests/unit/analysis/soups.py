"""Spans as hypothesis makes them: well-formed traces, and any soup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies

from tests.unit.analysis import drawing

if TYPE_CHECKING:
    from obs_run.telemetry.records import Span

IDS = ("a", "b", "c", "d", "e", "f")
OPERATIONS = ("chat", "invoke_agent", "execute_tool", "embeddings", "invoke_workflow", None)


@strategies.composite
def soup(draw: strategies.DrawFn) -> list[Span]:
    """Return any spans: ids twice, cycles, missing parents, ends before starts, several hosts, services and traces."""
    small = strategies.integers(-5, 20)

    def one(name: str) -> Span:
        return drawing.span(
            name,
            draw(small),
            draw(strategies.none() | small),
            draw(strategies.sampled_from([None, "", "missing", *IDS])),
            trace_id=draw(strategies.sampled_from(["1" * 32, "2" * 32])),
            name=draw(strategies.sampled_from(["chat m", "execute_tool t", "POST", ""])),
            kind=draw(strategies.sampled_from(["internal", "client", "server", "producer", "consumer"])),
            status=draw(strategies.sampled_from(["unset", "ok", "error"])),
            service=draw(strategies.sampled_from(["one", "two", ""])),
            operation=draw(strategies.sampled_from(OPERATIONS)),
            agent=draw(strategies.sampled_from([None, "x", "y"])),
            conversation=draw(strategies.sampled_from([None, "talk"])),
            model=draw(strategies.sampled_from([None, "m"])),
            tool=draw(strategies.sampled_from([None, "t"])),
            input_tokens=draw(strategies.none() | strategies.integers(-1, 100)),
            output_tokens=draw(strategies.none() | strategies.integers(0, 100)),
            cost=draw(strategies.none() | strategies.floats(0, 10)),
            resource=draw(strategies.sampled_from([{}, {"host.name": "near"}, {"host.name": "far"}, {"host.id": 3}])),
            attributes=draw(strategies.dictionaries(strategies.sampled_from(NAMES), values, max_size=4)),
        )

    return [one(name) for name in draw(strategies.lists(strategies.sampled_from(IDS), max_size=12))]


NAMES = (
    "peer.service", "db.system.name", "messaging.destination.name", "server.address", "error.type",
    "gen_ai.tool.call.arguments", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions",
    "gen_ai.provider.name", "exception.type",
)  # fmt: skip
scalars = strategies.none() | strategies.integers() | strategies.floats() | strategies.text(max_size=3)
values = strategies.recursive(
    scalars | strategies.sampled_from(["[", '[{"role": 1}]', '[{"role": "user", "parts": [{"type": "text"}, 3]}]']),
    lambda inner: (
        strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.sampled_from(["role", "parts"]), inner)
    ),
    max_leaves=5,
)


@strategies.composite
def nested(draw: strategies.DrawFn) -> list[Span]:
    """Return a trace of one root in which every span lies within its parent, siblings as they like."""
    made = [drawing.span("0", 0, 100)]
    limits = [(0, 100)]
    for number in range(draw(strategies.integers(0, 10))):
        parent = draw(strategies.integers(0, len(made) - 1))
        low, high = limits[parent]
        start = draw(strategies.integers(low, high))
        end = draw(strategies.integers(start, high))
        made.append(drawing.span(str(number + 1), start, end, made[parent].span_id))
        limits.append((start, end))
    return made


@strategies.composite
def sequential(draw: strategies.DrawFn) -> list[Span]:
    """Return a trace of one root in which no two siblings overlap."""
    made = [drawing.span("0", 0, 100)]
    free = [(0, 100)]
    for number in range(draw(strategies.integers(0, 10))):
        parent = draw(strategies.integers(0, len(made) - 1))
        low, high = free[parent]
        start = draw(strategies.integers(low, high))
        end = draw(strategies.integers(start, high))
        free[parent] = (end, high)
        made.append(drawing.span(str(number + 1), start, end, made[parent].span_id))
        free.append((start, end))
    return made
