"""An agent that speaks A2A, and its clients; as a program it serves over HTTP.

Nothing of the library is imported before somebody asks.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import Any

from opentelemetry import trace

HOST = "127.0.0.1"
AGENT = "forecaster"


def types() -> Any:
    return import_module("a2a.types.a2a_pb2")


def message(text: str, role: str = "ROLE_USER", **more: Any) -> Any:
    pb = types()
    return pb.Message(message_id=f"m-{role}-{text}", role=pb.Role.Value(role), parts=[pb.Part(text=text)], **more)


def card(url: str, *bindings: str, **capabilities: bool) -> Any:
    pb = types()
    return pb.AgentCard(
        name=AGENT,
        version="7",
        description="Tells the weather.",
        supported_interfaces=[
            pb.AgentInterface(url=url, protocol_binding=binding, protocol_version="1.0") for binding in bindings
        ],
        capabilities=pb.AgentCapabilities(**{"streaming": True, "extended_agent_card": True, **capabilities}),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        skills=[pb.AgentSkill(id="weather", name="weather", description="weather", tags=["weather"])],
    )


def think(name: str) -> None:
    with trace.get_tracer("agent").start_as_current_span(name):
        pass


class Told:
    """What an agent tells of a task."""

    def __init__(self, context: Any, queue: Any) -> None:
        self.context = context
        self.queue = queue
        self.ids = {"task_id": context.task_id, "context_id": context.context_id}

    async def begin(self) -> None:
        pb = types()
        submitted = pb.TaskStatus(state=pb.TaskState.TASK_STATE_SUBMITTED)
        task = pb.Task(id=self.ids["task_id"], context_id=self.ids["context_id"], status=submitted)
        task.history.append(self.context.message)
        await self.queue.enqueue_event(task)

    async def state(self, state: str, text: str | None = None) -> None:
        pb = types()
        said = None if text is None else message(text, "ROLE_AGENT", **self.ids)
        status = pb.TaskStatus(state=pb.TaskState.Value(f"TASK_STATE_{state}"), message=said)
        await self.queue.enqueue_event(pb.TaskStatusUpdateEvent(status=status, **self.ids))

    async def weather(self) -> None:
        pb = types()
        for place, piece in enumerate(("It rains", " in Lisbon.")):
            artifact = pb.Artifact(artifact_id="a1", name="weather", parts=[pb.Part(text=piece)])
            is_more = place > 0
            update = pb.TaskArtifactUpdateEvent(artifact=artifact, append=is_more, last_chunk=is_more, **self.ids)
            await self.queue.enqueue_event(update)


def make_executor() -> Any:
    """Return what the agent does, which depends on what it is asked."""
    base: Any = import_module("a2a.server.agent_execution").AgentExecutor

    class Executor(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.running = 0
            self.released = asyncio.Event()
            """What it waits for where it is asked to wait."""

        async def execute(self, context: Any, event_queue: Any) -> None:
            self.running += 1
            try:
                await self.answer(context, event_queue)
            finally:
                self.running -= 1

        async def answer(self, context: Any, event_queue: Any) -> None:
            asked = context.get_user_input()
            think(f"think of {asked}")
            if asked == "crash":
                raise ValueError(asked)
            if asked == "hello":
                await event_queue.enqueue_event(message("Hello.", "ROLE_AGENT", context_id=context.context_id))
                return
            told = Told(context, event_queue)
            if context.current_task is None:
                await told.begin()
            await told.state("WORKING", "I look.")
            if asked == "wait":
                await self.released.wait()
                think("think again")
            if asked == "fail":
                await told.state("FAILED", "No data.")
            elif asked == "ask":
                await told.state("INPUT_REQUIRED", "Where?")
            else:
                await told.weather()
                await told.state("COMPLETED")

        async def cancel(self, context: Any, event_queue: Any) -> None:
            await Told(context, event_queue).state("CANCELED")

    return Executor()


def make_handler(its_card: Any, kind: str = "DefaultRequestHandler") -> Any:
    handlers = import_module("a2a.server.request_handlers")
    store = import_module("a2a.server.tasks").InMemoryTaskStore()
    return getattr(handlers, kind)(make_executor(), store, its_card, extended_agent_card=its_card)


def executor_of(handler: Any) -> Any:
    return handler.agent_executor


def make_app(its_card: Any, handler: Any) -> Any:
    """Return the application that serves JSON-RPC at /, and plain HTTP at /rest."""
    routes = import_module("a2a.server.routes")
    return import_module("starlette.applications").Starlette(
        routes=[
            *routes.create_agent_card_routes(its_card),
            *routes.create_jsonrpc_routes(handler, "/"),
            *routes.create_rest_routes(handler, path_prefix="/rest"),
        ]
    )


def make_server(app: Any, port: int) -> Any:
    """Return a server that leaves the signals alone."""
    uvicorn = import_module("uvicorn")
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_level="critical", lifespan="off"))
    server.capture_signals = import_module("contextlib").nullcontext
    return server


def make_client(its_card: Any, http: Any, **config: Any) -> Any:
    factory = import_module("a2a.client.client_factory").ClientFactory
    settings = import_module("a2a.client").ClientConfig(httpx_client=http, **config)
    return factory(settings).create(its_card)


def main() -> None:
    """Serve over HTTP."""
    port = int(sys.argv[1])
    its_card = card(f"http://{HOST}:{port}/", "JSONRPC")
    make_server(make_app(its_card, make_handler(its_card)), port).run()


if __name__ == "__main__":
    main()
