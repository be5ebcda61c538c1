"""Calls that came again with the same arguments, and sequences that went round and round.

What the run itself counts while it goes on (``obs.run.repeated_tool_calls``, ``obs.run.loops``) is found again here by
the same rule (:mod:`obs_run.core.call_patterns`): a call equals another of the same name and arguments, and a sequence
of up to eight calls is a loop when it came three times in a row. Arguments have to have been recorded for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from obs_run.analysis.messages import value
from obs_run.analysis.usage import calls_model
from obs_run.core import semconv
from obs_run.core.call_patterns import CallPatterns, identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from obs_run.analysis.trace_tree import Node, Tree

_RUNS = frozenset({"invoke_agent", "invoke_workflow"})
_FEWEST_AGENTS = 2


class Repeat(NamedTuple):
    """Calls that were the same."""

    kind: str
    """tool or model."""
    name: str
    nodes: tuple[Node, ...]
    """The calls in the order of time; all but the first are repeats."""


class Loop(NamedTuple):
    """A sequence that went round."""

    kind: str
    """tools or agents."""
    names: tuple[str, ...]
    """What was called, in its order, once round."""
    within: Node
    """The run in which it was."""
    times: int
    """How many there were of it, one after another."""


def repeats(tree: Tree) -> list[Repeat]:
    """Return calls of tools and models that came again in the same run, the most frequent first."""
    groups: dict[tuple[Node, str, str, int], list[Node]] = {}
    for node in sorted(tree.walk(), key=lambda node: node.start_ns):
        call = _call(node)
        if call is not None:
            groups.setdefault((_run_of(node), *call), []).append(node)
    found = [Repeat(kind, name, tuple(nodes)) for (_, kind, name, _), nodes in groups.items() if len(nodes) > 1]
    return sorted(found, key=lambda repeat: -len(repeat.nodes))


def loops(tree: Tree) -> list[Loop]:
    """Return sequences of tool calls, and of agents, that went round; what a run counted itself where nothing shows."""
    tools: dict[Node, list[Node]] = {}
    agents: dict[Node, list[Node]] = {}
    for node in sorted(tree.walk(), key=lambda node: node.start_ns):
        if node.span.operation == "execute_tool":
            tools.setdefault(_run_of(node), []).append(node)
        elif node.span.operation == "invoke_agent" and node.span.agent and node.parent is not None:
            agents.setdefault(_root_of(node), []).append(node)
    found = [loop for run, calls in tools.items() for loop in _tool_loops(run, calls)]
    found += (loop for run, calls in agents.items() for loop in _agent_loops(run, calls))
    shown = {loop.within for loop in found}
    found += (loop for node in tree.walk() if node not in shown for loop in _counted(node))
    return found


def _call(node: Node) -> tuple[str, str, int] | None:
    """Return kind, name and identity of a call whose arguments are known."""
    span = node.span
    if span.operation == "execute_tool":
        kind, name, arguments = "tool", span.tool or span.name, span.attributes.get(semconv.TOOL_CALL_ARGUMENTS)
    elif calls_model(span):
        kind, name, arguments = "model", span.name, span.attributes.get(semconv.INPUT_MESSAGES)
    else:
        return None
    number = None if arguments is None else identity(name, value(arguments))
    return None if number is None else (kind, name, number)


def _run_of(node: Node) -> Node:
    """Return the agent's or workflow's span around the call, else the root."""
    return next((above for above in node.ancestors() if above.span.operation in _RUNS), _root_of(node))


def _root_of(node: Node) -> Node:
    *_, root = (node, *node.ancestors())
    return root


def _tool_loops(run: Node, calls: Iterable[Node]) -> list[Loop]:
    sequence = []
    for node in calls:
        call = _call(node)
        sequence.append((node.span.tool or node.span.name, None if call is None else call[2]))
    return _found("tools", run, sequence)


def _agent_loops(run: Node, calls: Iterable[Node]) -> list[Loop]:
    names = [node.span.agent or "" for node in calls]
    loops = _found("agents", run, [(name, identity(name, None)) for name in names])
    # The same agent again and again is a series of tasks.
    return [loop for loop in loops if len(set(loop.names)) >= _FEWEST_AGENTS]


def _found(kind: str, run: Node, sequence: Iterable[tuple[str, int | None]]) -> list[Loop]:
    patterns = CallPatterns()
    counts: dict[tuple[str, ...], int] = {}
    seen = 0
    for name, number in sequence:
        patterns.add(name, number)
        if patterns.loops > seen:
            seen = patterns.loops
            names = tuple(patterns.loop)
            counts[names] = counts.get(names, 0) + 1
    return [Loop(kind, names, run, count) for names, count in counts.items()]


def _counted(node: Node) -> Iterator[Loop]:
    count, tools = (node.span.attributes.get(name) for name in (semconv.OBS_RUN_LOOPS, semconv.OBS_RUN_LOOP_TOOLS))
    if isinstance(count, int) and count > 0 and isinstance(tools, list):
        yield Loop("tools", tuple(map(str, tools)), node, count)
