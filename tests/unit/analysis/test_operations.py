"""Bottlenecks, waiting, errors, repeats, the map: of small traces whose figures can be told by looking."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given

from obs_run.analysis.comparison import compare_sets, compare_traces
from obs_run.analysis.conversations import conversations, turns
from obs_run.analysis.errors import Failure, error_chains, failure, group_errors
from obs_run.analysis.operations import operations
from obs_run.analysis.repeats import loops, repeats
from obs_run.analysis.service_map import service_map
from obs_run.analysis.trace_tree import build
from obs_run.analysis.waiting import Waiting, waiting
from obs_run.telemetry.records import Event, Link, LogLine
from tests.unit.analysis import drawing, soups

if TYPE_CHECKING:
    from obs_run.analysis.trace_tree import Tree
    from obs_run.telemetry.records import Span

OTHER = "2" * 32


def agent(span_id: str, start: float, end: float, parent: str | None = None, **fields: Any) -> Span:
    return drawing.span(span_id, start, end, parent, **{"operation": "invoke_agent", "agent": span_id, **fields})


def chat(span_id: str, start: float, end: float, parent: str | None = None, **fields: Any) -> Span:
    return drawing.span(span_id, start, end, parent, **{"operation": "chat", "model": "m", "name": "chat m", **fields})


def tool(span_id: str, start: float, end: float, parent: str | None = None, **fields: Any) -> Span:
    told = {"operation": "execute_tool", "tool": "search", "name": "execute_tool search"}
    return drawing.span(span_id, start, end, parent, **{**told, **fields})


def call(name: str, at: float, arguments: Any, parent: str = "planner", **fields: Any) -> Span:
    return tool(name, at, at + 1, parent, attributes={"gen_ai.tool.call.arguments": arguments}, **fields)


def test_operations_by_service_and_name() -> None:
    first = build([drawing.span("a", 0, 10), drawing.span("b", 1, 4, "a", name="work", status="error")])
    second = build([drawing.span("c", 20, 30), drawing.span("d", 21, 26, "c", name="work")])
    running = build([drawing.span("e", 40, None, name="work", service="other")])
    work, other = (one for one in operations([first, second, running]) if one.name == "work")
    assert (work.service, work.count, work.errors, work.open) == ("agent", 2, 1, 0)
    assert (work.total_ns, work.self_ns, work.critical_ns) == (8000, 8000, 8000)
    assert (work.p50_ns, work.p95_ns) == (4000, 4900)
    assert (work.first_ns, work.last_ns) == (drawing.AT + 1000, drawing.AT + 26000)
    assert (other.count, other.open, other.p50_ns) == (1, 1, None)


def test_what_the_time_of_a_run_went_by_with() -> None:
    run = build(
        [
            agent("planner", 0, 20),
            chat("c1", 1, 5, "planner"),
            chat("c2", 3, 7, "planner"),
            tool("t", 8, 14, "planner"),
            chat("c3", 9, 11, "t"),
            drawing.span("q", 11, 12, "t", kind="client", attributes={"db.system.name": "redis"}),
            drawing.span("h", 12, 13, "t", kind="client"),
            drawing.span("below", 2, 3, "c1", kind="client"),
            chat("late", 18, 25, "planner"),
        ]
    ).roots[0]
    # Models 1 to 7, 9 to 11 and 18 to 20.
    assert waiting(run) == Waiting(10_000, 1000, 1000, 2000, 6000)


def test_an_error_goes_up_to_the_one_that_dealt_with_it() -> None:
    raised = Event("exception", 1, {"exception.type": "TimeoutError", "exception.message": "took 5 s"})
    told = Event("exception", 2, {"exception.type": "KeyError", "exception.message": "k", "level": "ERROR"})
    tree = build(
        [
            drawing.span("run", 0, 20),
            agent("planner", 1, 9, "run", status="error", status_text="no tool"),
            tool("t", 2, 5, "planner", status="error", events=(raised, told)),
            chat("c", 10, 12, "run", status="error", attributes={"error.type": "429"}),
        ]
    )
    line = LogLine(3, 17, "ERROR", "bad", None, "1" * 32, "t", "agent")
    quiet = LogLine(3, 9, "INFO", "good", None, "1" * 32, "t", "agent")
    one, two = error_chains(tree, [line, quiet])
    assert [node.span.span_id for node in one.nodes] == ["planner", "t"]
    assert (one.failure, one.failure.text) == (Failure("TimeoutError", "took 5 s"), "TimeoutError: took 5 s")
    assert one.handled_by is tree.roots[0]
    assert one.logs == (line,)
    assert (two.origin.span.span_id, two.failure.text) == ("c", "429")


def test_the_same_error_goes_through_a_span_that_says_nothing() -> None:
    raised = (Event("exception", 1, {"exception.type": "ValueError", "exception.message": "x"}),)
    inside = drawing.span("c", 2, 3, "b", status="error", events=raised)
    between = [inside, drawing.span("b", 1, 4, "a")]
    [chain] = error_chains(build([drawing.span("a", 0, 5, status="error", events=raised), *between]))
    assert ([node.span.span_id for node in chain.nodes], chain.handled_by) == (["a", "c"], None)
    assert len(error_chains(build([drawing.span("a", 0, 5, status="error", status_text="else"), *between]))) == 2


def test_a_failure_is_told_once() -> None:
    text = "openai.RateLimitError: slow down"
    span = drawing.span("a", 0, 1, status_text=text, attributes={"error.type": "openai.RateLimitError"})
    assert failure(span).text == "openai.RateLimitError: slow down"
    assert failure(drawing.span("a", 0, 1)).text == ""


def test_errors_of_one_type_are_one_group() -> None:
    texts = ["no room in Oslo", "no room in Rome"]
    made = [tool(f"t{at}", at, at + 1, status="error", status_text=text) for at, text in enumerate(texts)]
    typed = [replace(span, attributes={"error.type": "ConnectionError"}) for span in made]
    assert len(group_errors(error_chains(build(made)))) == 2
    [group] = group_errors(error_chains(build(typed)))
    assert (group.count, group.failure.text) == (2, "ConnectionError: no room in Rome")


def test_errors_that_differ_in_numbers_are_one_group() -> None:
    trees = [
        build([tool("t", at, at + 1, status="error", status_text=f"try {at} of id 0a1b2c3d{at}", trace_id=trace)])
        for at, trace in ((1, "1" * 32), (5, OTHER))
    ]
    [group] = group_errors(chain for tree in trees for chain in error_chains(tree))
    assert (group.count, group.reached_root, group.traces) == (2, 2, {"1" * 32, OTHER})
    assert group.last_trace == OTHER
    assert (group.first_ns, group.last_ns) == (drawing.AT + 2000, drawing.AT + 6000)


def test_calls_that_came_again() -> None:
    tree = build(
        [
            agent("planner", 0, 30),
            call("t1", 1, '{"q": 1, "n": 2}'),
            call("t2", 2, {"n": 2, "q": 1}),
            call("t3", 3, '{"q": 2, "n": 2}'),
            tool("t4", 4, 5, "planner"),
            agent("helper", 10, 20, "planner"),
            call("t5", 11, '{"q": 2, "n": 2}', "helper"),
        ]
    )
    [repeat] = repeats(tree)
    assert (repeat.kind, repeat.name, [node.span.span_id for node in repeat.nodes]) == ("tool", "search", ["t1", "t2"])
    assert loops(tree) == []


def test_sequences_that_go_round() -> None:
    names = ["look", "read"] * 3
    made = [call(f"t{at}", at, {"n": at % 2}, tool=name) for at, name in enumerate(names)]
    agents = [agent(f"a{at}", 10 + at, 11 + at, "planner", agent=name) for at, name in enumerate("xyxyxy")]
    same = [agent(f"s{at}", 20 + at, 21 + at, "planner", agent="worker") for at in range(5)]
    found = loops(build([agent("planner", 0, 30), *made, *agents, *same]))
    assert [(loop.kind, sorted(loop.names), loop.times) for loop in found] == [
        ("tools", ["look", "read"], 1),
        ("agents", ["x", "y"], 1),
    ]


def test_what_a_run_counted_itself_where_no_arguments_are_known() -> None:
    counted = {"obs.run.loops": 2, "obs.run.loop_tools": ["look"]}
    [loop] = loops(build([agent("planner", 0, 30, attributes=counted)]))
    assert (loop.kind, loop.names, loop.times, loop.within.span.span_id) == ("tools", ("look",), 2, "planner")


def edges(*trees: Tree) -> dict[str, tuple[int, int]]:
    """Return calls and errors by ``kind:caller > kind:callee``."""
    found = service_map(trees).edges
    return {":".join(edge.caller) + " > " + ":".join(edge.callee): (edge.calls, edge.errors) for edge in found}


def test_the_map_of_agents_and_services() -> None:
    tree = build(
        [
            drawing.span("run", 0, 60),
            agent("planner", 1, 50, "run"),
            chat("c1", 2, 4, "planner", input_tokens=5),
            chat("c2", 5, 6, "planner", status="error", input_tokens=6),
            drawing.span("http", 2, 3, "c1", kind="client", attributes={"server.address": "api.example"}),
            tool("t", 10, 20, "planner"),
            drawing.span("q", 11, 12, "t", kind="client", attributes={"db.system": "chroma"}),
            drawing.span("s", 13, 19, "t", kind="client", attributes={"server.address": "far"}),
            drawing.span("serve", 14, 18, "s", kind="server", service="far"),
            agent("helper", 15, 17, "serve", service="far"),
            chat("c3", 15, 16, "helper", service="far", model="n"),
            drawing.span("get", 30, 31, "run", kind="client", attributes={"peer.service": "weather"}),
            drawing.span("put", 32, 33, "run", kind="producer", attributes={"messaging.destination.name": "jobs"}),
        ]
    )
    consumer = drawing.span(
        "job", 40, 60, trace_id=OTHER, kind="consumer", service="worker", links=(Link("1" * 32, "put"),)
    )
    assert edges(tree, build([consumer])) == {
        "agent:planner > model:m": (2, 1),
        "service:agent > agent:planner": (1, 0),
        "agent:planner > tool:search": (1, 0),
        "tool:search > store:chroma": (1, 0),
        "tool:search > service:far": (1, 0),
        "service:far > agent:helper": (1, 0),
        "agent:helper > model:n": (1, 0),
        "service:agent > peer:weather": (1, 0),
        "service:agent > queue:jobs": (1, 0),
        "service:agent > service:worker": (1, 0),
    }
    found = service_map([tree])
    assert (found.edges[0].usage.input_tokens, found.edges[0].error_rate) == (11, 0.5)
    assert (found.seconds, found.rate(found.edges[0])) == (0.00006, 2 * 60 / 0.00006)
    assert service_map([]).edges == []


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def test_a_conversation_over_many_traces() -> None:
    asked = {"gen_ai.input.messages": [said("user", "hi")], "gen_ai.output.messages": [said("assistant", "hello")]}
    first = build(
        [
            agent("planner", 0, 10, conversation="talk"),
            chat("c", 1, 9, "planner", conversation="talk", input_tokens=5, attributes=asked),
            tool("t", 3, 4, "planner", status="error"),
        ]
    )
    second = build([agent("planner", 40, 50, conversation="talk", trace_id=OTHER)])
    third = build([agent("planner", 60, 70, conversation="else", trace_id="3" * 32)])
    trees = [third, second, first]
    assert conversations(trees) == {"talk": 2, "else": 1}
    one, two = turns("talk", trees)
    assert (one.question, one.answer, one.errors, one.tools, one.agents) == (
        "hi",
        "hello",
        1,
        ("search",),
        ("planner",),
    )
    assert (one.usage.input_tokens, one.idle_ns, two.idle_ns) == (5, None, 30_000)
    assert (two.question, two.answer) == (None, None)


def compared(left: list[Span], right: list[Span]) -> list[str]:
    """Return the rows of a comparison as ``kind name``, indented."""
    return [
        "  " * pair.depth + f"{pair.kind} {pair.node.span.name}" for pair in compare_traces(build(left), build(right))
    ]


def test_two_traces_are_aligned_from_the_root() -> None:
    left = [
        drawing.span("run", 0, 20),
        chat("c1", 1, 2, "run"),
        tool("t1", 3, 4, "run"),
        tool("t2", 5, 6, "run", tool="read", name="execute_tool read"),
        chat("c2", 7, 8, "run"),
    ]
    right = [
        drawing.span("run again", 0, 20),
        chat("c1", 1, 2, "run again", model="n", name="chat n"),
        tool("t1", 3, 4, "run again", status="error"),
        chat("c2", 5, 6, "run again"),
        chat("c3", 7, 8, "run again"),
        agent("helper", 9, 10, "run again"),
        chat("c4", 9, 10, "helper"),
    ]
    assert compared(left, right) == [
        "same run again",
        "  changed chat n",
        "  changed execute_tool search",
        "  removed execute_tool read",
        "  same chat m",
        "  added chat m",
        "  added helper",
        "    added chat m",
    ]
    pairs = compare_traces(build(left), build(right))
    assert [pair.changes for pair in pairs if pair.changes] == [("model m -> n",), ("fails now",)]
    assert all(line.strip().startswith("same") for line in compared(left, left))


def test_other_messages_are_a_change() -> None:
    def run(text: str) -> Tree:
        return build([chat("c", 0, 1, attributes={"gen_ai.output.messages": [said("assistant", text)]})])

    [pair] = compare_traces(run("yes"), run("no"))
    assert pair.changes == ("other output messages",)
    [pair] = compare_traces(run("yes"), run("yes"))
    assert pair.kind == "same"


def test_a_trace_that_took_longer_today() -> None:
    def day(offset: float, *, extra: bool) -> list[Tree]:
        return [
            build(
                [
                    drawing.span("run", 0, 100 + at),
                    chat("c", 1, 20 + at / 10 + offset, "run", cost=0.5 + offset / 100),
                    *([tool("t", 50, 60, "run")] if extra else []),
                ]
            )
            for at in range(12)
        ]

    found = {each.name: each for each in compare_sets(day(0, extra=False), day(5, extra=True))}
    assert found["chat"].is_slower_or_faster
    assert found["chat"].is_cheaper_or_dearer
    assert not found["run"].is_slower_or_faster
    assert (found["execute_tool search"].calls_before, found["execute_tool search"].calls_now) == (0, 1)
    assert found["execute_tool search"].duration is None
    assert found["chat"].duration is not None
    assert found["chat"].duration.effect == 1


@given(soups.soup())
def test_nothing_raises_on_any_soup(spans: list[Span]) -> None:
    tree = build(spans)
    trees = [tree, build(spans[::2], skew=False)]
    assert sum(one.count for one in operations([tree])) == len(spans)
    for node in tree.nodes:
        parts = waiting(node)
        assert sum(parts) == node.duration_ns
        assert min(parts) >= 0
    failed = {node for node in tree.nodes if node.span.status == "error"}
    assert {node for chain in error_chains(tree) for node in chain.nodes} == failed
    group_errors(error_chains(tree))
    repeats(tree)
    loops(tree)
    service_map(trees)
    for conversation in conversations(trees):
        assert turns(conversation, trees)
    pairs = compare_traces(trees[0], trees[1])
    assert sorted(id(pair.left) for pair in pairs if pair.left) == sorted(map(id, trees[0].nodes))
    assert sorted(id(pair.right) for pair in pairs if pair.right) == sorted(map(id, trees[1].nodes))
    assert all(pair.kind == "same" for pair in compare_traces(tree, tree))
    compare_sets(trees, trees[:1])
