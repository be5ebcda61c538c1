"""Critical paths computed by hand: below each trace, which span is on the path in each microsecond."""

from __future__ import annotations

import pytest

from obs_run.analysis.critical_path import Section, critical_path, critical_paths, critical_time_ns
from obs_run.analysis.trace_tree import build
from obs_run.telemetry.records import Link
from tests.unit.analysis import drawing

TRACES = {
    "one span": """
a   |==========
>   |aaaaaaaaaa
""",
    "a span that takes no time": """
a   |
>   |
""",
    "a child in the middle": """
a   |==========
  b |  ====
>   |aabbbbaaaa
""",
    "a child as long as its parent": """
a   |==========
  b |==========
>   |bbbbbbbbbb
""",
    "two children, one after the other": """
a   |==========
  b | ===
  c |      ==
>   |abbbaaccaa
""",
    "a child that begins when the other ends": """
a   |==========
  b | ===
  c |    ===
>   |abbbcccaaa
""",
    "a chain without gaps": """
a   |=========
  b |===
  c |   ===
  d |      ===
>   |bbbcccddd
""",
    "concurrent children: the one that ends last": """
a   |==========
  b | =====
  c | ========
>   |acccccccca
""",
    "concurrent children that end together: the one that began first": """
a   |==========
  b |    =====
  c | ========
>   |acccccccca
""",
    "overlapping children: the one before is not waited for": """
a   |==========
  b | =====
  c |    =====
>   |aaaaccccca
""",
    "of three that overlap, those that follow one another": """
a   |============
  b | ===
  c |  =====
  d |     =====
>   |abbbadddddaa
""",
    "fan out and join, twice": """
a   |============
  b | ==
  c | ===
  d |     ==
  e |     =====
>   |acccaeeeeeaa
""",
    "grandchildren": """
a   |==========
  b | =======
    c|  ==
    d|     ==
>   |abccbddbaa
""",
    "a grandchild of one that is not on the path": """
a   |==========
  b | ===
    c| ===
  d | ========
>   |adddddddda
""",
    "five deep": """
a   |=========
  b | =======
    c|  =====
      d|   ===
        e|    =
>   |abcdedcba
""",
    "a child that outlives its parent is cut": """
a   |======
  b |   =======
>   |aaabbb
""",
    "a grandchild that outlives both is cut": """
a   |======
  b |  ===
    c|   ======
>   |aabcca
""",
    "a child that begins before its parent is cut": """
a   |   =======
  b | =====
>   |...bbbaaaa
""",
    "a child longer than its parent on both sides": """
a   |  ====
  b |========
>   |..bbbb
""",
    "a child after its parent is not on the path": """
a   |=====
  b |      ===
>   |aaaaa
""",
    "a child that begins as its parent ends is not on the path": """
a   |=====
  b |     ===
>   |aaaaa
""",
    "a child before its parent is not on the path": """
a   |     =====
  b | ===
>   |.....aaaaa
""",
    "below a child that is not on the path nothing is": """
a   |====
  b |     ===
    c| ==
>   |aaaa
""",
    "fire and forget: a task that outlives its parent began before the last wait": """
a   |==========
  b |  ============
  c |      ===
>   |aabbbbbbbb
""",
    "a consumer below its producer is not waited for": """
a   |==========
  b | == producer
    c|  ======= consumer
>   |abbaaaaaaa
""",
    "a producer is waited for": """
a   |==========
  b | ==== producer
>   |abbbbaaaaa
""",
    "a consumer that no producer is above is waited for": """
a   |==========
  b | ==== consumer
>   |abbbbaaaaa
""",
    "a consumer as the root": """
a   |====== consumer
  b | ==
>   |abbaaa
""",
    "the children of a consumer below its producer are not waited for": """
a   |==========
  b | ======= producer
    c| ====== consumer
      d|  ====
>   |abbbbbbbaa
""",
    "a remote call": """
a   |==========
  b | ======= client @near
    c|   ==== server @far
>   |abbccccbaa
""",
    "the clock of another host is behind: it is moved into the middle": """
a   |     ==========
  b |      ======== client @near
    c|==== server @far
>   |.....abbccccbba
""",
    "the clock of another host is ahead": """
a   |==========
  b | ======== client @near
    c|         ==== server @far
>   |abbccccbba
""",
    "what is inside of the moved span moves with it": """
a   |========== @near
  b |         ====== server @far
    c|           ==  @far
>   |aabbccbbaa
""",
    "a span of another host that lasts longer than its parent only begins with it": """
a   |    ====== @near
  b | ======== @far
>   |....bbbbbb
""",
    "a span of the same host is never moved": """
a   |     ===== @near
  b | === @near
>   |.....aaaaa
""",
    "a span without an end lasts until the last moment of its trace": """
a   |===~
  b | ==
  c |     ===
>   |abbaaccc
""",
    "a call without an end is what is waited for": """
a   |=========
  b | ==
  c |    ==~
>   |abbaccccc
""",
    "a model call, the tools that it asked for at once, and the next one": """
a   |================
  b |=====
  c |     ===
  d |     ======
  e |     ==
  f |           ====
>   |bbbbbddddddffffa
""",
    "retries with waits between them": """
a   |==============
  b | ==
  c |     ==
  d |         ====
>   |abbaaccaadddda
""",
    "a child that takes no time changes nothing": """
a   |==========
  b | ====
  c |     internal
  d |     ===
>   |abbbbdddaa
""",
}
OVERLAPPING = {
    "a stream that ends while what it asked for has begun": """
a   |============
  b | =====
  c |     =====
>   |abbbbcccccaa
""",
    "two handovers": """
a   |============
  b |====
  c |   ====
  d |      =====
>   |bbbcccddddda
""",
    "another sibling begins in the overlap": """
a   |============
  b | =====
  c |     =====
  d |     ===
>   |aaaaacccccaa
""",
    "an overlap that is too long": """
a   |============
  b | ======
  c |     =====
>   |aaaaacccccaa
""",
    "one inside of the other is no handover": """
a   |============
  b |     =
  c |     =====
>   |aaaaacccccaa
""",
}


def drawn(sections: list[Section]) -> str:
    """Return the line that shows the sections."""
    line = ""
    for section in sections:
        start, end = ((moment - drawing.AT) // drawing.UNIT for moment in (section.start_ns, section.end_ns))
        assert start >= len(line), "sections overlap"
        line = line.ljust(start, ".") + section.node.span.name * (end - start)
    return line


def cases(traces: dict[str, str]) -> list[tuple[str, str]]:
    """Return each drawing and the line of its path."""
    halves = [trace.partition("\n>   |") for trace in traces.values()]
    return [(trace, path.strip()) for trace, _, path in halves]


@pytest.mark.parametrize(("trace", "expected"), cases(TRACES), ids=list(TRACES))
def test_the_path_is_the_one_computed_by_hand(trace: str, expected: str) -> None:
    tree = drawing.tree(trace)
    assert drawn(critical_paths(tree)) == expected
    # Not a matter of the order in which spans come.
    assert drawn(critical_paths(build(reversed(drawing.spans(trace))))) == expected


@pytest.mark.parametrize(("trace", "expected"), cases(OVERLAPPING), ids=list(OVERLAPPING))
def test_children_that_overlap_a_little_follow_one_another(trace: str, expected: str) -> None:
    [root] = drawing.tree(trace).roots
    assert drawn(critical_path(root, overlap=0.1)) == expected


def test_without_an_allowance_an_overlap_is_one() -> None:
    [root] = drawing.tree(cases(OVERLAPPING)[0][0]).roots
    assert drawn(critical_path(root, overlap=0)) == "aaaaacccccaa"


def test_each_root_has_a_path() -> None:
    tree = drawing.tree("""
a    |======
  b  | ==
  ?c |   ====
    d|    ==
e    |   =====
""")
    assert [drawn(critical_path(root)) for root in tree.roots] == ["abbaaa", "...eeeee", "...cddc"]
    assert tree.main_root is tree.roots[0]
    assert len(critical_paths(tree)) == 7


def test_links_are_not_followed() -> None:
    other = drawing.span("b", 2, 8, trace_id="2" * 32, links=(Link("1" * 32, "a"),))
    tree = build([drawing.span("a", 0, 10), other])
    assert [drawn(critical_path(root)) for root in tree.roots] == ["aaaaaaaaaa", "..bbbbbb"]


def test_how_long_each_span_is_on_the_path() -> None:
    [root] = drawing.tree(cases(TRACES)[4][0]).roots
    times = {node.span.name: time for node, time in critical_time_ns(critical_path(root)).items()}
    assert times == {"a": 5000, "b": 3000, "c": 2000}
    assert list(times) == ["a", "b", "c"]


def test_the_worked_example_of_jaeger() -> None:
    """The first test case of Jaeger's interface and its result, in microseconds."""
    tree = build([drawing.span("c", 1, 101), drawing.span("d", 20, 40, "c"), drawing.span("e", 50, 60, "c")])
    found = [
        (section.node.span.name, *((at - drawing.AT) // drawing.UNIT for at in section[1:]))
        for section in reversed(critical_paths(tree))
    ]
    assert found == [("c", 60, 101), ("e", 50, 60), ("c", 40, 50), ("d", 20, 40), ("c", 1, 20)]
