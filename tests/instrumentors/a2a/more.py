"""What the two sides of A2A do besides: other transports and handlers, tasks that go on, wild peers."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from tests.instrumentors.a2a import agents
from tests.instrumentors.a2a.library import AGAIN, SPAN, A2a, both, run, sent, streamed
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees, start_of
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OTHER = "0af7651916cd43dd8448eb211c80319c"
ELSEWHERE = f"00-{OTHER}-b7ad6b7169203331-01"


class Rest(A2a):
    """The same by plain HTTP."""

    binding = "HTTP+JSON"
    path = "/rest"


class Legacy(A2a):
    """The same with the older of the two handlers."""

    handler = "LegacyRequestHandler"


@pytest.fixture
def make(stub: Any, telemetry: Any) -> Iterator[Callable[..., Any]]:
    assert telemetry is not None
    made: list[A2a] = []

    def its(kind: type[A2a] = A2a) -> A2a:
        made.append(kind("async", stub))
        return made[-1]

    with instrumented():
        yield its
        for one in made:
            one.close()


@pytest.fixture
def its(make: Callable[..., Any]) -> A2a:
    made: A2a = make()
    return made


async def all_of(events: Any) -> list[Any]:
    return [event async for event in events]


def named(telemetry: Any, name: str, kind: str) -> Any:
    return next(span for span in telemetry.spans() if (span.name, span.kind.name) == (name, kind))


@pytest.mark.parametrize("kind", [Rest, Legacy])
def test_other_transports_and_handlers_tell_the_same(kind: type[A2a], make: Any, telemetry: Any) -> None:
    its = make(kind)
    its.send("rain")
    its.send("rain", streaming=True)
    its.send("hello", streaming=True)
    assert_trees(telemetry.spans(), sent("rain"), streamed("rain"), streamed("hello", None))
    system = {"A2a": "jsonrpc", "Legacy": "jsonrpc"}.get(kind.__name__)
    found = {span.attributes.get("rpc.system.name") for span in telemetry.spans() if "rpc.method" in span.attributes}
    assert found == {system}


def test_a_failure_in_the_older_handler_is_one_on_both_sides(make: Any, telemetry: Any) -> None:
    its = make(Legacy)
    with pytest.raises(Exception, match="crash"):
        its.send("crash")
    assert_trees(telemetry.spans(), sent("crash", None))


def test_both_sides_over_grpc(make: Any, telemetry: Any) -> None:
    grpc = import_module("grpc")
    handlers = import_module("a2a.server.request_handlers")
    its = make()
    port = free_port()
    its_card = agents.card(f"{agents.HOST}:{port}", "GRPC")

    async def asking() -> None:
        server = grpc.aio.server()
        handler = handlers.GrpcHandler(agents.make_handler(its_card))
        import_module("a2a.types.a2a_pb2_grpc").add_A2AServiceServicer_to_server(handler, server)
        server.add_insecure_port(f"{agents.HOST}:{port}")
        await server.start()
        settings = {"supported_protocol_bindings": ["GRPC"], "grpc_channel_factory": grpc.aio.insecure_channel}
        for streaming in (False, True):
            client = agents.make_client(its_card, None, streaming=streaming, **settings)
            assert [event async for event in client.send_message(its.request("rain"))]
            await client.close()
        await server.stop(None)

    its.run(asking())
    assert_trees(telemetry.spans(), sent("rain"), streamed("rain"))
    client, server = named(telemetry, SPAN, "CLIENT"), named(telemetry, "SendMessage", "SERVER")
    assert {span.attributes["rpc.system.name"] for span in (client, server)} == {"grpc"}
    assert (client.attributes["server.address"], client.attributes["server.port"]) == (agents.HOST, port)


def test_the_next_message_of_a_task_has_its_own_run_beneath_it(its: A2a, telemetry: Any) -> None:
    async def talking() -> None:
        client = its.client(streaming=False)
        asked = (await all_of(client.send_message(its.request("ask"))))[0].task
        again = agents.types().SendMessageRequest(message=agents.message("rain", context_id="trip", task_id=asked.id))
        assert await all_of(client.send_message(again))
        await its.settle()

    its.run(talking())
    first = sent("ask", "input-required", obs__outcome="interrupted")
    assert_trees(telemetry.spans(), first, sent("rain"))
    runs = [span for span in telemetry.spans() if (span.name, span.kind.name) == (SPAN, "INTERNAL")]
    first_run, second_run = sorted(runs, key=start_of)
    assert [span.attributes.get("obs.resumed") for span in (first_run, second_run)] == [None, True]
    assert [link.context.span_id for link in second_run.links] == [first_run.context.span_id]
    assert dict(second_run.links[0].attributes) == {"obs.link.kind": "previous_run"}
    assert not first_run.links
    assert len({span.context.trace_id for span in telemetry.spans()}) == 2


def test_who_subscribes_to_a_task_that_goes_on(its: A2a, telemetry: Any) -> None:
    async def watching() -> None:
        client = its.client()
        begun = its.client(streaming=False, polling=True).send_message(its.request("wait"))
        task = (await all_of(begun))[0].task
        heard = client.subscribe(agents.types().SubscribeToTaskRequest(id=task.id))
        assert await heard.__anext__()
        its.executor.released.set()
        assert [event async for event in heard]
        await its.settle()

    its.run(watching())
    first = both("SendMessage", run("wait", AGAIN), name=SPAN, obs__a2a__task__state="submitted")
    assert_trees(telemetry.spans(), first, both("SubscribeToTask", obs__a2a__task__state="completed"))


def test_an_agent_is_found_by_its_card(its: A2a, telemetry: Any) -> None:
    async def asking() -> None:
        client = await import_module("a2a.client").create_client(its.base)
        assert [event async for event in client.send_message(its.request("hello"))]
        await its.settle()
        await client.close()

    with trace.get_tracer("agent").start_as_current_span("work"):
        its.run(asking())
    card = Node(
        "GetAgentCard",
        kind="CLIENT",
        status="UNSET",
        attributes={"gen_ai.agent.name": agents.AGENT, "server.address": agents.HOST},
    )
    assert_trees(telemetry.spans(), Node("work", card, streamed("hello", None)))


def test_a_host_that_must_not_have_the_trace_does_not_get_it(
    its: A2a, telemetry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_HOSTS", "none")
    its.send("hello")
    client, server = named(telemetry, SPAN, "CLIENT"), named(telemetry, "SendMessage", "SERVER")
    assert client.context.trace_id != server.context.trace_id


@pytest.mark.parametrize("name", ["traceparent", "Traceparent"])
def test_the_trace_that_the_agent_sends_itself_stays(name: str, its: A2a, telemetry: Any) -> None:
    async def sending() -> None:
        context = import_module("a2a.client").ClientCallContext(service_parameters={name: ELSEWHERE}, state={"a": 1})
        told = its.client(streaming=False).send_message(its.request("hello"), context=context)
        assert [event async for event in told]
        assert context.service_parameters == {name: ELSEWHERE}
        await its.settle()

    its.run(sending())
    assert f"{named(telemetry, 'SendMessage', 'SERVER').context.trace_id:032x}" == OTHER


@pytest.mark.parametrize("value", ["", "x" * 9999, "00-zz-zz-01"])
def test_headers_that_are_no_trace_do_no_harm(value: str, its: A2a, telemetry: Any) -> None:
    body = {"jsonrpc": "2.0", "id": 7, "method": "SendMessage", "params": {"message": as_message("hello")}}

    async def posting() -> Any:
        headers = {"traceparent": value, "baggage": value, "A2A-Version": "1.0"}
        return (await its.http.post(its.card.supported_interfaces[0].url, json=body, headers=headers)).json()

    assert its.run(posting())["result"]["message"]["parts"] == [{"text": "Hello."}]
    its.run(its.settle())
    server = named(telemetry, "SendMessage", "SERVER")
    assert server.parent is None
    assert server.attributes["jsonrpc.request.id"] == "7"


def as_message(text: str) -> Any:
    return {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": text}], "contextId": "trip"}


def test_a_server_that_knows_nothing_of_us_gets_two_headers_more_at_most(its: A2a) -> None:
    heard: list[dict[str, str]] = []

    async def noting(request: Any) -> None:
        heard.append(dict(request.headers))

    its.http.event_hooks = {"request": [noting]}
    its.send("hello")
    with_us = {name for headers in heard for name in headers}
    usual = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type"}
    assert with_us - usual == {"a2a-version", "traceparent"}


def test_interceptors_see_the_context_that_the_agent_gave(its: A2a, telemetry: Any) -> None:
    base: Any = import_module("a2a.client.interceptors").ClientCallInterceptor
    seen: list[Any] = []

    class Noting(base):  # type: ignore[misc]
        async def before(self, args: Any) -> None:
            seen.append(args.context)

        async def after(self, args: Any) -> None:
            seen.append(args.context)

    async def asking() -> None:
        client = its.client(streaming=False)
        await client.add_interceptor(Noting())
        assert [event async for event in client.send_message(its.request("hello"))]
        await its.settle()

    its.run(asking())
    assert seen == [None, None]
    assert_trees(telemetry.spans(), sent("hello", None))


def test_a_handler_around_another_is_told_once(its: A2a, telemetry: Any) -> None:
    base: Any = import_module("a2a.server.request_handlers").DefaultRequestHandler

    class Own(base):  # type: ignore[misc]
        async def on_message_send(self, params: Any, context: Any) -> Any:
            return await super().on_message_send(params, context)

        async def on_message_send_stream(self, params: Any, context: Any) -> Any:
            async for event in super().on_message_send_stream(params, context):
                yield event

    store = import_module("a2a.server.tasks").InMemoryTaskStore()
    handler = Own(agents.make_executor(), store, its.card)
    context = import_module("a2a.server.context").ServerCallContext()

    async def asking() -> None:
        assert await handler.on_message_send(its.request("hello"), context)
        assert [event async for event in handler.on_message_send_stream(its.request("hello"), context)]

    its.run(asking())
    first, second = sent("hello", None).children[0], streamed("hello", None).children[0]
    assert_trees(telemetry.spans(), first, second)


def test_an_executor_around_another_is_one_run(its: A2a, telemetry: Any) -> None:
    inner = type(its.executor)

    class Routing(inner):  # type: ignore[misc,valid-type]
        async def execute(self, context: Any, event_queue: Any) -> None:
            await super().execute(context, event_queue)

    its.executor.__class__ = Routing
    its.send("fail")
    assert_trees(telemetry.spans(), sent("fail", "failed"))


def test_an_agent_that_asks_another_has_it_beneath_its_run(its: A2a, telemetry: Any) -> None:
    port = free_port()
    its_card = agents.card(f"http://{agents.HOST}:{port}/", "JSONRPC")
    server = agents.make_server(agents.make_app(its_card, agents.make_handler(its_card)), port)

    class Asking(type(its.executor)):  # type: ignore[misc]
        async def answer(self, _: Any, event_queue: Any) -> None:
            asked = agents.make_client(its_card, its.http, streaming=False).send_message(its.request("hello"))
            for event in await all_of(asked):
                await event_queue.enqueue_event(event.message)

    async def asking() -> None:
        serving = asyncio.ensure_future(server.serve())
        await its.until(lambda: bool(server.started))
        assert await all_of(its.client().send_message(its.request("rain")))
        await its.settle()
        server.force_exit = server.should_exit = True
        await serving

    its.executor.__class__ = Asking
    its.run(asking())
    outer = Node(SPAN, sent("hello", None), kind="INTERNAL")
    assert_trees(telemetry.spans(), both("SendStreamingMessage", outer, name=SPAN))


def test_an_http_span_of_the_server_stays_between(its: A2a, telemetry: Any) -> None:
    from opentelemetry import propagate

    app = its.server.config.loaded_app
    tracer = trace.get_tracer("http")

    async def traced(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
        with tracer.start_as_current_span("POST", propagate.extract(headers)):
            await app(scope, receive, send)

    its.server.config.loaded_app = traced
    its.send("hello")
    client = sent("hello", None)
    assert_trees(telemetry.spans(), Node(SPAN, Node("POST", *client.children), kind="CLIENT"))


def test_what_all_kinds_of_parts_say(its: A2a, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    pb = agents.types()
    value = import_module("google.protobuf.json_format").ParseDict({"n": 3, "x": [1.5, None, True]}, pb.Part().data)
    parts = [
        pb.Part(text="hello"),
        pb.Part(url="https://example.com/a.png", media_type="image/png"),
        pb.Part(raw=b"ab", media_type="audio/wav"),
        pb.Part(data=value),
        pb.Part(),
    ]

    async def asking() -> None:
        message = pb.Message(message_id="m", role=pb.Role.ROLE_USER, parts=parts)
        client = its.client(streaming=False)
        assert [event async for event in client.send_message(pb.SendMessageRequest(message=message))]
        await its.settle()

    its.run(asking())
    told = json.loads(named(telemetry, SPAN, "CLIENT").attributes["gen_ai.input.messages"])
    kinds = [(part["type"], part.get("modality")) for part in told[0]["parts"]]
    assert kinds == [("text", None), ("uri", "image"), ("omitted_blob", "audio"), ("text", None)]
    assert json.loads(told[0]["parts"][3]["content"]) == {"n": 3, "x": [1.5, None, True]}


def test_the_sdks_own_spans_are_there_where_the_environment_asks_for_them(
    make: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from obs_run.core import hooks

    # They do not keep to the conventions.
    telemetry.may_fail = True
    hooks.undo()
    monkeypatch.setenv("OTEL_INSTRUMENTATION_A2A_SDK_ENABLED", "true")
    with instrumented():
        make().send("hello")
    names = {span.name for span in telemetry.spans()}
    assert SPAN in names
    assert any(name.startswith("a2a.") for name in names)


def test_what_the_agent_traces_by_the_sdks_functions_stays(its: A2a, telemetry: Any) -> None:
    telemetry_of_sdk = import_module("a2a.utils.telemetry")

    def mine() -> int:
        return 3

    assert telemetry_of_sdk.trace_function(span_name="mine")(mine)() == 3
    its.send("hello")
    assert_trees(telemetry.spans(), Node("mine"), sent("hello", None))


def test_requests_are_measured_on_both_sides(its: A2a, telemetry: Any) -> None:
    def counted(metric: str, **labels: Any) -> int:
        telemetry.flush()
        return sum(point.count for point in telemetry.points(metric, **labels))

    its.send("hello")
    metrics = ("rpc.client.call.duration", "rpc.server.call.duration", "gen_ai.invoke_agent.duration")
    labels: tuple[dict[str, str], ...] = (
        {"rpc.method": "SendMessage", "rpc.system.name": "jsonrpc"},
        {"rpc.method": "SendMessage", "rpc.system.name": "jsonrpc"},
        {"gen_ai.agent.name": agents.AGENT},
    )
    before = [counted(metric, **each) for metric, each in zip(metrics, labels, strict=True)]
    its.send("hello")
    after = [counted(metric, **each) for metric, each in zip(metrics, labels, strict=True)]
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1, 2]


def test_many_at_once_keep_apart(its: A2a, telemetry: Any) -> None:
    async def asking() -> None:
        client = its.client()

        async def one(text: str) -> int:
            return len([event async for event in client.send_message(its.request(text))])

        await asyncio.gather(*(one(text) for text in ("rain", "hello", "rain", "ask") * 5))
        await its.settle()

    its.run(asking())
    spans = telemetry.spans()
    assert len({span.context.trace_id for span in spans}) == 20
    assert len(spans) == 80
    by_id = {span.context.span_id: span for span in spans}
    ends = [span for span in spans if span.name.startswith("think of")]
    for end in ends:
        names = []
        span = end
        while span.parent is not None:
            span = by_id[span.parent.span_id]
            names.append((span.name, span.kind.name))
        assert names == [(SPAN, "INTERNAL"), ("SendStreamingMessage", "SERVER"), (SPAN, "CLIENT")]
