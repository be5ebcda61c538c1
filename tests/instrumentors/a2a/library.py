"""a2a-sdk, both sides: a client and an agent that speak over real HTTP, here in one process."""

from __future__ import annotations

import asyncio
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.a2a import agents
from tests.instrumentors.scenarios import Driver, Library, Scenario, shown
from tests.instrumentors.trees import Node
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST = "1.0"
DEADLINE = 20.0
SPAN = f"invoke_agent {agents.AGENT}"
ANSWER = {"role": "assistant", "finish_reason": "stop"}
WHO = {
    "gen_ai.agent.name": agents.AGENT,
    "gen_ai.agent.version": "7",
    "gen_ai.agent.description": "Tells the weather.",
    "gen_ai.conversation.id": "trip",
}


class A2a(Driver):
    """A client and the agent's server, in one loop."""

    binding = "JSONRPC"
    path = "/"
    handler = "DefaultRequestHandler"

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        port = free_port()
        self.base = f"http://{agents.HOST}:{port}"
        self.card = agents.card(f"{self.base}{self.path}", self.binding)
        handler = agents.make_handler(self.card, self.handler)
        self.executor = agents.executor_of(handler)
        self.server = agents.make_server(agents.make_app(self.card, handler), port)
        self.http: Any = None
        self.serving: Any = None
        self.run(self._start())

    async def _start(self) -> None:
        self.serving = asyncio.ensure_future(self.server.serve())
        self.http = import_module("httpx").AsyncClient(timeout=30)
        while not self.server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.01)

    def close(self) -> None:
        async def stop() -> None:
            await self.http.aclose()
            self.server.force_exit = self.server.should_exit = True
            await self.serving
            rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        self.run(stop())
        super().close()

    def client(self, **config: Any) -> Any:
        bindings = [self.binding]
        return agents.make_client(self.card, self.http, supported_protocol_bindings=bindings, **config)

    def request(self, text: str, **more: Any) -> Any:
        return agents.types().SendMessageRequest(message=agents.message(text, context_id="trip", **more))

    async def settle(self) -> None:
        """Let the agent go on, and wait until what goes on beside answers is over."""
        self.executor.released.set()
        await self.until(lambda: not self.executor.running and not self.server.server_state.tasks)
        self.executor.released.clear()

    async def until(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + DEADLINE
        while not is_so() and time.monotonic() < until:  # noqa: ASYNC110 (nobody sets an event)
            await asyncio.sleep(0.005)
        for _ in range(50):
            await asyncio.sleep(0)

    def send(self, text: str, *, streaming: bool = False, **config: Any) -> Any:
        """Send a message and return the events that come of it, as JSON."""

        async def sending() -> Any:
            events = self.client(streaming=streaming, **config).send_message(self.request(text))
            try:
                told = [event async for event in events]
            finally:
                await self.settle()
            return [type(events), *map(as_json, told)]

        return self.run(sending())

    def ask(self, method: str, **fields: Any) -> Any:
        """Ask for something that has one answer."""

        async def asking() -> Any:
            request = getattr(agents.types(), f"{method}Request")(**fields)
            snake = "".join(f"_{each.lower()}" if each.isupper() else each for each in method).lstrip("_")
            try:
                return as_json(await getattr(self.client(), snake)(request))
            finally:
                await self.until(lambda: not self.server.server_state.tasks)

        return self.run(asking())

    def leave(self, text: str) -> Any:
        """Read one event of a stream, and close it."""

        async def leaving() -> Any:
            events = self.client().send_message(self.request(text))
            first = await events.__anext__()
            await events.aclose()
            await self.until(lambda: not self.server.server_state.tasks)
            await self.settle()
            return as_json(first)

        return self.run(leaving())

    def wait(self, work: Callable[[Any], Any]) -> Any:
        """Begin a task that takes long, and return what ``work(its id)`` gives."""

        async def beginning() -> Any:
            events = self.client(streaming=False, polling=True).send_message(self.request("wait"))
            told = [event async for event in events]
            return told[0].task.id

        asked = work(self.run(beginning()))
        self.run(self.settle())
        return asked


def as_json(message: Any) -> Any:
    """Return a message of protobuf's without what differs from run to run."""
    plain = import_module("google.protobuf.json_format").MessageToDict(message)
    return shown(without_times(plain))


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(each) for name, each in value.items() if name not in ("timestamp", "lastModified")}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def run(asked: str, *inside: Node, state: str | None = "completed", outcome: str | None = None) -> Node:
    """Return what the agent did, beneath what it was asked by."""
    attributes = {"obs.a2a.task.state": state, "gen_ai.conversation.id": "trip", "obs.outcome": outcome}
    status = "ERROR" if state == "failed" or asked == "crash" else "UNSET"
    thought = Node(f"think of {asked}", kind="INTERNAL")
    return Node(SPAN, thought, *inside, kind="INTERNAL", status=status, attributes=attributes)


AGAIN = Node("think again", kind="INTERNAL")


def both(method: str, *inside: Node, name: str | None = None, status: str = "UNSET", **told: Any) -> Node:
    """Return a request as both sides tell it; ``told`` are attributes of the server's side."""
    attributes = {"rpc.method": method, **{each.replace("__", "."): value for each, value in told.items()}}
    server = Node(method, *inside, kind="SERVER", status=status, attributes=attributes)
    return Node(name or method, server, kind="CLIENT", status=status)


def sent(asked: str, state: str | None = "completed", method: str = "SendMessage", **more: Any) -> Node:
    """Return a message as both sides tell it, and what the agent did for it."""
    its_run = run(asked, state=state, outcome=more.get("obs__outcome"))
    return both(method, its_run, name=SPAN, status=str(its_run.status), obs__a2a__task__state=state, **more)


def streamed(asked: str, state: str | None = "completed", **more: Any) -> Node:
    return sent(asked, state, "SendStreamingMessage", **more)


def system(its: Any) -> dict[str, str]:
    name = {"JSONRPC": "jsonrpc", "GRPC": "grpc"}.get(its.binding)
    return {} if name is None else {"rpc.system.name": name}


def told(method: str = "SendMessage", **more: Any) -> Callable[[Any], dict[str, Any]]:
    def attributes(its: Any) -> dict[str, Any]:
        named = {name.replace("__", "."): value for name, value in more.items() if value is not None}
        return {
            **WHO,
            "gen_ai.operation.name": "invoke_agent",
            "rpc.method": method,
            **system(its),
            **named,
        }

    return attributes


def content(asked: str, *answers: str) -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": asked}]}],
        "gen_ai.output.messages": [{**ANSWER, "parts": [{"type": "text", "content": each}]} for each in answers],
    }


DONE = {"obs__a2a__task__state": "completed"}
STREAMED = {"gen_ai__request__stream": True}


def get_task(its: A2a) -> Any:
    return its.wait(lambda task_id: its.ask("GetTask", id=task_id))


def cancel_task(its: A2a) -> Any:
    return its.wait(lambda task_id: its.ask("CancelTask", id=task_id))


def cancelled(its: A2a) -> Any:
    events = its.client(streaming=False).send_message(its.request("wait"))

    async def cancelling() -> None:
        task = asyncio.ensure_future(anext(events))
        await its.until(lambda: its.executor.running > 0)
        task.cancel()
        try:
            await task
        finally:
            await its.settle()

    return its.run(cancelling())


def request(method: str, **more: Any) -> Callable[[Any], dict[str, Any]]:
    named = {name.replace("__", "."): value for name, value in more.items() if value is not None}

    def attributes(its: Any) -> dict[str, Any]:
        who = {name: value for name, value in WHO.items() if name not in named or named[name] is not None}
        del who["gen_ai.conversation.id"]
        return {**who, **system(its), "rpc.method": method, **named}

    return attributes


LATER = both("SendMessage", run("wait", AGAIN), name=SPAN, obs__a2a__task__state="submitted")
SCENARIOS = (
    Scenario(
        "message",
        lambda its: its.send("hello"),
        SPAN,
        told(),
        content("hello", "Hello."),
        tree=(sent("hello", None),),
    ),
    Scenario(
        "task",
        lambda its: its.send("rain"),
        SPAN,
        told(**DONE),
        content("rain", "It rains in Lisbon."),
        tree=(sent("rain"),),
    ),
    Scenario(
        "stream",
        lambda its: its.send("rain", streaming=True),
        SPAN,
        told("SendStreamingMessage", **STREAMED, **DONE),
        content("rain", "I look.", "It rains in Lisbon."),
        tree=(streamed("rain"),),
    ),
    Scenario(
        "failed task",
        lambda its: its.send("fail"),
        SPAN,
        told(obs__a2a__task__state="failed", error__type="failed"),
        content("fail", "No data."),
        tree=(sent("fail", "failed"),),
    ),
    Scenario(
        "input required",
        lambda its: its.send("ask", streaming=True),
        SPAN,
        told("SendStreamingMessage", **STREAMED, obs__a2a__task__state="input-required", obs__outcome="interrupted"),
        content("ask", "I look.", "Where?"),
        tree=(streamed("ask", "input-required", obs__outcome="interrupted"),),
    ),
    Scenario(
        "error",
        lambda its: its.send("crash"),
        SPAN,
        told(error__type="a2a.utils.errors.InternalError"),
        error="InternalError",
        failures=2,
        tree=(sent("crash", None),),
    ),
    Scenario(
        "abandoned stream",
        lambda its: its.leave("wait"),
        SPAN,
        told("SendStreamingMessage", **STREAMED, obs__outcome="abandoned", obs__a2a__task__state="submitted"),
        tree=(both("SendStreamingMessage", run("wait", AGAIN), name=SPAN),),
    ),
    Scenario(
        "cancelled",
        cancelled,
        SPAN,
        told(obs__outcome="cancelled"),
        error="CancelledError",
        failures=0,
        tree=(both("SendMessage", run("wait", AGAIN), name=SPAN),),
    ),
    Scenario(
        "no such task",
        lambda its: its.ask("GetTask", id="nothing"),
        "GetTask",
        request("GetTask", error__type="a2a.utils.errors.TaskNotFoundError"),
        error="TaskNotFoundError",
        failures=2,
        tree=(both("GetTask", status="ERROR"),),
    ),
    Scenario(
        "answer at once",
        lambda its: its.send("wait", polling=True),
        SPAN,
        told(obs__a2a__task__state="submitted"),
        tree=(LATER,),
    ),
    Scenario(
        "get task",
        get_task,
        "GetTask",
        request("GetTask", gen_ai__conversation__id="trip", obs__a2a__task__state="working"),
        tree=(LATER, both("GetTask", obs__a2a__task__state="working")),
    ),
    Scenario(
        "cancel task",
        cancel_task,
        "CancelTask",
        request("CancelTask", gen_ai__conversation__id="trip", obs__a2a__task__state="canceled"),
        tree=(
            both("SendMessage", run("wait", state="working", outcome="cancelled"), name=SPAN),
            both("CancelTask", obs__a2a__task__state="canceled"),
        ),
    ),
    Scenario(
        "extended card",
        lambda its: its.ask("GetExtendedAgentCard")[1]["name"],
        "GetExtendedAgentCard",
        request("GetExtendedAgentCard"),
        tree=(both("GetExtendedAgentCard"),),
    ),
)
LIBRARY = Library(
    name="a2a",
    instrumentor="obs_instrumentors.a2a",
    environments={
        OLDEST: ("a2a-sdk[grpc,http-server]==1.0.0", "uvicorn"),
        "newest": ("a2a-sdk[grpc,http-server]>=1.3,<2", "uvicorn"),
    },
    driver=A2a,
    kinds=("async",),
    traces_itself=(OLDEST, "newest"),
    more=("more.py",),
    scenarios=SCENARIOS,
)
