"""A conversation (``gen_ai.conversation.id``) as the turns that it had, over any number of traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obs_run.analysis.errors import is_origin
from obs_run.analysis.messages import content, events_by_span, text_of
from obs_run.analysis.usage import Totals, calls_model, usage_by_subtree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from obs_run.analysis.messages import Message
    from obs_run.analysis.trace_tree import Node, Tree
    from obs_run.telemetry.records import LogLine

    Events = Mapping[str | None, Sequence[LogLine]]


@dataclass(frozen=True)
class Turn:
    """A topmost span of the conversation, with all below it."""

    node: Node
    usage: Totals
    agents: tuple[str, ...]
    tools: tuple[str, ...]
    """Those that were called, in their order, each as often as it was."""
    errors: int
    """Failures, each counted where it began."""
    idle_ns: int | None
    """How long nothing had gone on before it; None of the first turn."""
    question: str | None
    """What the user said last, where content was recorded."""
    answer: str | None
    """What was answered last."""


def conversations(trees: Iterable[Tree]) -> dict[str, int]:
    """Return the conversations with the number of their turns, in the order in which they began."""
    found: dict[str, int] = {}
    tops = [node for tree in trees for node in tree.walk() if _is_top(node)]
    for node in sorted(tops, key=lambda node: node.start_ns):
        found[node.span.conversation or ""] = found.get(node.span.conversation or "", 0) + 1
    return found


def turns(conversation: str, trees: Iterable[Tree], logs: Sequence[LogLine] = ()) -> list[Turn]:
    """Return the turns of the conversation in the order of time: spans of it that are not below others of it."""
    found: list[Turn] = []
    tops: list[tuple[Node, Totals]] = []
    for tree in trees:
        subtrees = usage_by_subtree(tree)
        tops += ((node, subtrees[node]) for node in tree.walk() if _is_top(node, conversation))
    reached: int | None = None
    events = events_by_span(logs)
    for node, usage in sorted(tops, key=lambda top: top[0].start_ns):
        idle = None if reached is None else max(0, node.start_ns - reached)
        found.append(_turn(node, usage, idle, events))
        reached = node.end_ns if reached is None else max(reached, node.end_ns)
    return found


def _is_top(node: Node, conversation: str | None = None) -> bool:
    own = node.span.conversation
    if not own or (conversation is not None and own != conversation):
        return False
    return all(above.span.conversation != own for above in node.ancestors())


def _turn(node: Node, usage: Totals, idle: int | None, events: Events) -> Turn:
    nodes = list(node.walk())
    below = [each.span for each in nodes]
    said = list(_said(node, events))
    return Turn(
        node,
        usage,
        tuple(dict.fromkeys(span.agent for span in below if span.agent)),
        tuple(span.tool or span.name for span in below if span.operation == "execute_tool"),
        sum(map(is_origin, nodes)),
        idle,
        next((text for asked, _ in said if (text := _last(asked, "user"))), None),
        next((text for _, answered in reversed(said) if (text := _last(answered, "assistant"))), None),
    )


def _said(node: Node, events: Events) -> Iterator[tuple[list[Message], list[Message]]]:
    """Return input and output of the turn's span and its model calls."""
    for each in node.walk():
        if each is node or calls_model(each.span):
            told = content(each.span, events.get(each.span.span_id, ()))
            yield told.input, told.output


def _last(messages: Sequence[Message], role: str) -> str | None:
    texts = (text_of(message) for message in reversed(messages) if message["role"] == role)
    return next((text for text in texts if text), None)
