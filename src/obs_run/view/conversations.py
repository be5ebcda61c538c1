"""Conversations: what was said in one trace, and what belongs together over many."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from obs_run.analysis import conversations, trace_tree, usage
from obs_run.analysis.messages import content, value
from obs_run.core import semconv
from obs_run.view.texts import shortened, shown
from obs_run.view.waterfall import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from starlette.requests import Request

    from obs_run.analysis.conversations import Turn
    from obs_run.analysis.messages import Message
    from obs_run.analysis.trace_tree import Node
    from obs_run.telemetry.records import LogLine
    from obs_run.view.source import Source

Json = dict[str, Any]

_TRACES = 100  # newest traces that tell which conversations there are
_TRACES_OF_ONE = 300
_LINE = 200


def of_trace(source: Source, request: Request) -> Json | None:
    """Return what was said in one trace, model call after model call, with the calls of tools between them."""
    recorded = read(source, request.path_params["id"])
    if recorded is None:
        return None
    tree = trace_tree.build(recorded.spans)
    conversation = next((span.conversation for span in recorded.spans if span.conversation), None)
    return {"conversation": conversation, "steps": list(_steps(tree.walk(), recorded.logs))}


def listed(source: Source, request: Request) -> Json:
    """Return the conversations of the newest traces, the one that went on last first."""
    del request

    def read_all() -> list[Json]:
        with source.open() as reader:
            recorded = [source.recorded(reader, trace) for trace in reader.traces(_TRACES)]
        trees = [trace_tree.build(one.spans) for one in recorded]
        logs = [line for one in recorded for line in one.logs if line.event_name]
        found = [_summary(name, conversations.turns(name, trees, logs)) for name in conversations.conversations(trees)]
        return sorted(found, key=lambda one: -float(one["last_ms"]))

    return {"conversations": source.keep(("conversations", source.version()), read_all), "traces": _TRACES}


def one(source: Source, request: Request) -> Json | None:
    """Return one conversation: its turns with their steps, over all its traces."""
    name = request.query_params.get("id", "")
    with source.open() as reader:
        recorded = [source.recorded(reader, trace) for trace in reader.traces(_TRACES_OF_ONE, conversation=name)]
    trees = [trace_tree.build(each.spans) for each in recorded]
    logs = [line for each in recorded for line in each.logs]
    turns = conversations.turns(name, trees, logs)
    if not turns:
        return None
    seen: set[str] = set()
    return {
        **_summary(name, turns),
        "all": [{**_turn(turn), "steps": list(_steps(turn.node.walk(), logs, seen))} for turn in turns],
    }


def _summary(name: str, turns: Sequence[Turn]) -> Json:
    total = usage.Totals()
    for turn in turns:
        total.add(turn.usage)
    return {
        "id": name,
        "turns": len(turns),
        "traces": len({turn.node.span.trace_id for turn in turns}),
        "errors": sum(turn.errors for turn in turns),
        "agents": list(dict.fromkeys(agent for turn in turns for agent in turn.agents)),
        "question": next((shortened(turn.question, _LINE) for turn in turns if turn.question), None),
        "first_ms": min(turn.node.start_ns for turn in turns) / 1e6,
        "last_ms": max(turn.node.end_ns for turn in turns) / 1e6,
        "calls": total.calls,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cost": total.cost,
    }


def _turn(turn: Turn) -> Json:
    return {
        "trace": turn.node.span.trace_id,
        "span": turn.node.span.span_id,
        "name": turn.node.span.name,
        "start_ms": turn.node.start_ns / 1e6,
        "took_ns": turn.node.duration_ns,
        "idle_ns": turn.idle_ns,
        "tools": len(turn.tools),
        "errors": turn.errors,
        "input_tokens": turn.usage.input_tokens,
        "output_tokens": turn.usage.output_tokens,
        "cost": turn.usage.cost,
    }


def _steps(nodes: Iterable[Node], logs: Sequence[LogLine], seen: set[str] | None = None) -> Iterator[Json]:
    """Return calls of models and tools in the order of time; a message that was shown is not shown again."""
    seen = set() if seen is None else seen
    lines: dict[str | None, list[LogLine]] = {}
    for line in logs:
        if line.event_name:
            lines.setdefault(line.span_id, []).append(line)
    chosen = [node for node in nodes if _is_step(node, lines)]
    for node in sorted(chosen, key=lambda node: node.start_ns):
        span = node.span
        own = lines.get(span.span_id, ())
        told = content(span, own)
        yield {
            "trace": span.trace_id,
            "span": span.span_id,
            "name": span.name,
            "kind": _kind(node),
            "agent": usage.agent_of(node),
            "start_ms": node.start_ns / 1e6,
            "took_ns": node.duration_ns,
            "failure": (span.status_text or "failed") if span.status == "error" else None,
            "input_tokens": span.input_tokens,
            "output_tokens": span.output_tokens,
            "cost": span.cost,
            "messages": [*_new(told.system, seen), *_new(told.input, seen), *_new(told.output, seen, always=True)],
            "arguments": shown(value(span.attributes.get(semconv.TOOL_CALL_ARGUMENTS))),
            "result": shown(value(span.attributes.get(semconv.TOOL_CALL_RESULT))),
        }


def _is_step(node: Node, lines: dict[str | None, list[LogLine]]) -> bool:
    if _kind(node) != "agent":
        return True
    # An agent's own messages are those of its model calls, where there are any.
    calls = any(usage.calls_model(each.span) for each in node.walk())
    return not calls and any(content(node.span, lines.get(node.span.span_id, ())))


def _kind(node: Node) -> str:
    if usage.calls_model(node.span):
        return "model"
    return "tool" if node.span.operation == "execute_tool" else "agent"


def _new(messages: Iterable[Message], seen: set[str], *, always: bool = False) -> Iterator[Json]:
    for message in messages:
        digest = json.dumps([message["role"], message["parts"]], sort_keys=True, default=str)
        if digest not in seen or always:
            seen.add(digest)
            yield shown(message)
