"""A fleet of agents, some under obs-run and some not: what each receives, and traces and graph in the real Jaeger."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import pytest

from examples.stub_llm import StubServer
from tests.e2e.backends import waiting
from tests.e2e.backends.kafka import apache_kafka
from tests.e2e.backends.nats import nats_server
from tests.e2e.backends.redis import redis_server
from tests.e2e.fleet_agents import ACTIONS, SOURCES, SPEAK, SPEAKS_TO
from tests.launch import environments, fleet
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from tests.e2e.backends.clients import Jaeger
    from tests.e2e.backends.fixtures import FindTool
    from tests.e2e.backends.records import Span
    from tests.e2e.backends.servers import Backends

pytestmark = [pytest.mark.backends, pytest.mark.environments, pytest.mark.timeout(1800)]

ASKING = frozenset({"client", "planner"})
EVERY_OTHER = frozenset(
    {"client", "registry", "worker", "gateway", "listener", "archivist", "speaker", "notifier", "planner", "display"}
)
LAUNCHED = {
    "all": frozenset(SOURCES),
    "first": frozenset(
        {"client", "coordinator", "worker", "meter", "gateway", "memory", "listener", "planner", "analyst"}
    ),
    "last": frozenset({"registry", "archivist", "auditor", "speaker", "dashboard", "notifier", "display"}),
    "even": EVERY_OTHER,
    "odd": frozenset(SOURCES) - EVERY_OTHER,
}
"""Which agents are under obs-run; of the last two no agent that speaks to another one has what that one has."""
SENDER = {listener: speaker for speaker, listener in SPEAKS_TO}
WORK = frozenset({"request", "event", "sample", "entry", "stored", "shown", "plan", "handshake"})
"""What is received that is no answer, and so may carry a trace."""
HEADERS = frozenset({"traceparent", "tracestate", "baggage", "obs-message-trace"})
_IN_TEXT = re.compile(r"[ \t]{304}(?=[]}]$)|\x00obs-run.{38}$", re.DOTALL)


class Received(NamedTuple):
    """What an agent received: its bytes, and the headers beside them."""

    texts: list[str]
    headers: list[list[str]]


Told: TypeAlias = "dict[str, dict[str, list[Received]]]"
"""What each agent received, by channel in order."""


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    """Serve models, as Ollama and OpenAI do."""
    with StubServer() as stub:
        yield stub.url.removesuffix("/v1")


def talk(endpoint: str, folder: Path, model: str, suffix: str, launched: AbstractSet[str]) -> Told:
    """Run the fleet, each agent as a service that has the suffix; return what each received, by channel."""
    folder.mkdir()
    place = environments.environment("fleet")
    script = folder / f"speak{suffix}.py"
    script.write_text(SPEAK)
    with ExitStack() as stack:
        redis, nats = str(stack.enter_context(redis_server(folder))), stack.enter_context(nats_server(folder))
        kafka = stack.enter_context(apache_kafka(folder))
        named = ("coordinator", "registry", "worker", "meter", "gateway", "memory", "listener", "dashboard", "display")
        ports = dict(zip(named, map(str, free_ports(len(named))), strict=True))
        spoken_to = {
            "client": ACTIONS,
            "coordinator": (ports["worker"], ports["registry"], ports["listener"], ports["gateway"]),
            "worker": (ports["meter"], model),
            "gateway": (ports["memory"],),
            "memory": (redis,),
            "archivist": (redis, nats),
            "auditor": (nats,),
            "speaker": (nats, script.name, model),
            "listener": (ports["dashboard"],),
            "dashboard": (redis,),
            "notifier": (redis,),
            "planner": (kafka, *ACTIONS),
            "analyst": (kafka, ports["display"]),
        }
        own = {**{name: (port,) for name, port in ports.items()}, "client": (ports["coordinator"],)}
        agents = {
            name + suffix: fleet.Agent(
                source, (*own.get(name, ()), *spoken_to.get(name, ())), says_ready=name not in ASKING
            )
            for name, source in SOURCES.items()
        }
        outputs = fleet.talk(place, endpoint, folder, agents, {name + suffix for name in launched})
    return {
        name: _by_channel(outputs[name + suffix], {model.rpartition(":")[2]: "MODEL", **_names(ports)})
        for name in SOURCES
    }


def _names(ports: dict[str, str]) -> dict[str, str]:
    return {port: name.upper() for name, port in ports.items()}


def _by_channel(output: str, names: dict[str, str]) -> dict[str, list[Received]]:
    for port, name in names.items():
        output = output.replace(f":{port}", f":{name}")
    channels: dict[str, list[Received]] = {}
    for line in output.splitlines():
        channel, texts, headers = json.loads(line)
        channels.setdefault(channel, []).append(Received(texts, headers))
    return channels


def without_carrier(received: Received, *, in_text: bool) -> Received:
    """Return what was received without a trace, where one may be."""
    texts = [_IN_TEXT.sub("", text) if in_text else text for text in received.texts]
    return Received(texts, [pair for pair in received.headers if pair[0].lower() not in HEADERS])


@pytest.fixture(scope="module")
def alone(model: str, backend_tool: FindTool, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Return what each agent receives where none is under obs-run."""
    for name in ("redis-server", "nats-server", "apache-kafka"):
        backend_tool(name)
    return talk("http://127.0.0.1:1", tmp_path_factory.mktemp("fleet") / "alone", model, "-alone", frozenset())


def edges_of(spans: dict[str, Span]) -> Counter[tuple[str, str]]:
    """Return which services have spans beneath those of which others, and how many."""
    services = {span_id: str(span.resource["service.name"]) for span_id, span in spans.items()}
    pairs = ((services.get(span.parent_span_id), services[span_id]) for span_id, span in spans.items())
    return Counter((above, below) for above, below in pairs if above and above != below)


def paths_of(spans: list[Span]) -> set[tuple[str, ...]]:
    """Return the services from each root to each leaf, of which each is named once."""
    by_id = {span.span_id: span for span in spans}

    def path(span: Span | None) -> tuple[str, ...]:
        if span is None:
            return ()
        above, service = path(by_id.get(span.parent_span_id)), str(span.resource["service.name"])
        return above if above[-1:] == (service,) else (*above, service)

    paths = {path(span) for span in spans}
    return {each for each in paths if not any(other[: len(each)] == each and other != each for other in paths)}


def expected_paths(edges: set[tuple[str, str]]) -> set[tuple[str, ...]]:
    """Return the ways through a graph, from those to whom nobody speaks to those who speak to nobody."""
    below: dict[str, list[str]] = {}
    for sender, receiver in edges:
        below.setdefault(sender, []).append(receiver)

    def ways(service: str) -> list[tuple[str, ...]]:
        return [(service, *way) for each in below.get(service, ()) for way in ways(each)] or [(service,)]

    heads = {sender for sender, _ in edges} - {receiver for _, receiver in edges}
    return {way for head in heads for way in ways(head)}


def spans_of(jaeger: Jaeger, services: set[str], edges: set[tuple[str, str]]) -> dict[str, Span]:
    """Return the spans of services, once each has spoken to the other as often as it is to."""

    def spans() -> dict[str, Span] | None:
        found = {span.span_id: span for service in services for span in jaeger.find(service)}
        counts = edges_of(found)
        return found if all(counts[edge] >= len(ACTIONS) for edge in edges) else None

    return waiting.until(spans, f"{edges} in Jaeger", 60)


def assert_conversations(told: Told, alone: Told, launched: AbstractSet[str]) -> None:
    """Assert that each agent received what it receives without us, and a trace only from one that is under obs-run."""
    for agent, channels in alone.items():
        assert told[agent].keys() == channels.keys()
        for channel, received in channels.items():
            got = told[agent][channel]
            if channel in WORK and SENDER.get(agent) in launched:
                got = [without_carrier(each, in_text=agent not in launched) for each in got]
            assert got == received, (agent, channel)


def assert_traces(spans: dict[str, Span], edges: set[tuple[str, str]], runs_once: str) -> None:
    """Assert that a request is one trace through all whom its first agent speaks to, those of one run together."""
    by_trace: dict[str, list[Span]] = {}
    for span in spans.values():
        by_trace.setdefault(span.trace_id, []).append(span)
    ways = expected_paths(edges)
    counts: Counter[str] = Counter()
    for trace in by_trace.values():
        if edges_of({span.span_id: span for span in trace}):
            paths = paths_of(trace)
            [first] = {path[0] for path in paths}
            assert paths == {way for way in ways if way[0] == first}
            counts[first] += 1
    assert counts == {way[0]: 1 if way[0] == runs_once else len(ACTIONS) for way in ways}


@pytest.mark.parametrize("half", LAUNCHED)
def test_a_fleet(half: str, alone: Told, model: str, backends: Backends, tmp_path: Path) -> None:
    launched, suffix = LAUNCHED[half], f"-{half}"
    told = talk(backends.collector.otlp_http, tmp_path / "fleet", model, suffix, launched)
    assert_conversations(told, alone, launched)

    traced = {*launched, "speak"} if "speaker" in launched else launched
    edges = {(above + suffix, below + suffix) for above, below in SPEAKS_TO if {above, below} <= traced}
    spans = spans_of(backends.jaeger, {name + suffix for name in traced}, edges)
    assert set(edges_of(spans)) == edges
    assert_traces(spans, edges, f"client{suffix}")
    asked = Counter(
        str(span.resource["service.name"]).removesuffix(suffix)
        for span in spans.values()
        if span.name.startswith("chat ") and span.attributes["gen_ai.usage.output_tokens"]
    )
    assert asked == {name: len(ACTIONS) for name in {"worker", "speak"} & traced}

    def graph() -> set[tuple[str, str]]:
        # A span beneath another one of the same service is an edge to Jaeger, too.
        return {(above, below) for above, below in backends.jaeger.calls() if above.endswith(suffix) and above != below}

    waiting.until(lambda: graph() >= edges, "the graph of services")
    assert graph() == edges
