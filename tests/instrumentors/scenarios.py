"""What a library's scenario set is: how its client is driven, what the agent sees of it, and what is recorded."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES = (
    "chat",
    "tools",
    "structured output",
    "stream",
    "stream of tools",
    "abandoned stream",
    "cancelled",
    "error",
    "rate limit",
    "embeddings",
    "rerank",
    "retrieval",
    "write",
)
"""The scenarios that every library is asked for, where it can do them; libraries add their own beside these."""


class Driver:
    """A client of a library, sync or async behind the same methods."""

    def __init__(self, kind: str, stub: Any) -> None:
        self.kind = kind
        self.stub = stub
        self.loop = asyncio.new_event_loop() if kind == "async" else None

    def run(self, work: Any) -> Any:
        """Return what a sync call returned, or wait for what an async one does."""
        return work if self.loop is None else self.loop.run_until_complete(work)

    def read(self, stream: Any) -> list[Any]:
        """Return a stream's type and all of its pieces; ``stream`` is what the call returned, awaited or not."""
        if self.loop is None:
            return [type(stream), *stream]

        async def reading() -> list[Any]:
            opened = await stream if asyncio.iscoroutine(stream) else stream
            return [type(opened), *[piece async for piece in opened]]

        return list(self.run(reading()))

    def abandon(self, stream: Any) -> Any:
        """Read one piece of a stream, let go of it, and return the piece."""
        if self.loop is None:
            first = next(iter(stream))
            del stream
            gc.collect()
            return first

        async def reading(stream: Any) -> Any:
            opened = await stream if asyncio.iscoroutine(stream) else stream
            del stream
            first = await opened.__aiter__().__anext__()
            del opened
            gc.collect()
            await asyncio.sleep(0.05)
            return first

        first = self.run(reading(stream))
        del stream
        gc.collect()
        self.run(asyncio.sleep(0.05))
        return first

    def cancel(self, work: Any, after: float = 0.2) -> None:
        """Cancel an async call that is under way; raises ``CancelledError``."""

        async def cancelling() -> None:
            task = asyncio.ensure_future(work)
            await asyncio.sleep(after)
            task.cancel()
            await task

        self.run(cancelling())

    def close(self) -> None:
        """Let go of the client, as ``asyncio.run`` does at its end; further clean-up is the library's own."""
        if self.loop is not None:
            # At the interpreter's end a task that still waits can crash it.
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            self.run(asyncio.wait(left, timeout=5) if left else asyncio.sleep(0))
            self.run(self.loop.shutdown_asyncgens())
            self.loop.close()


@dataclass(frozen=True)
class Scenario:
    """One use of a library and the span, or the tree of spans, that it must leave.

    ``attributes`` are the span's, all of them but the server's address, times, cost and response id; a callable is
    given the driver. ``content`` are the content attributes, as objects, where content is switched on.
    """

    name: str
    call: Callable[[Any], Any]
    span: str
    attributes: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]
    content: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]] | None = None
    error: str | None = None
    """End of the qualified name of the library's exception."""
    kinds: tuple[str, ...] = ("sync", "async")
    tree: tuple[Node, ...] = ()
    """The roots of all that is recorded, where that is more than ``span``, which is then the first of this name."""
    shape: tuple[Node, ...] = ()
    """In place of ``tree``: the roots in the normal form, in which all frameworks tell a story alike."""
    failures: int | None = None
    """How many exceptions are told, where that is not one for an ``error``: an agent may go on after that of a tool."""
    unless: tuple[str, ...] = ()
    """Labels of environments whose release of the library cannot do this."""


@dataclass(frozen=True)
class Library:
    """A library, the environments it is tested in, and its scenarios."""

    name: str
    """As the instrumentor calls it."""
    instrumentor: str
    """The module of ``obs_instrumentors``."""
    environments: Mapping[str, tuple[str, ...]]
    """Requirements by label; the labels are release lines and ends of the supported range, oldest first."""
    driver: Callable[[str, Any], Driver]
    scenarios: tuple[Scenario, ...]
    kinds: tuple[str, ...] = ("sync", "async")
    more: tuple[str, ...] = ()
    """Further test files of the library's folder that run in each environment."""
    traces_itself: tuple[str, ...] = ()
    """Labels of environments whose release makes spans by itself wherever there is a provider."""
    less: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Those of ``more`` that the release of an environment cannot do, by its label."""
    beside: tuple[str, ...] = ()
    """Further modules of ``obs_instrumentors`` that are at work, of clients beneath a framework."""
    python: str | None = None
    """The Python for environments that need another than the tests' own, such as "3.12"."""
    heavy: bool = False
    """Whether only ``make test-all`` runs it, because of the size of what must be installed."""
    backend: str | None = None
    """The program that it speaks to, as ``tests/e2e/backends`` calls it."""
    variables: Mapping[str, str] = field(default_factory=dict)
    reads_ahead: bool = False
    """Whether the usage at the end of a stream may have come in when the agent leaves it at the first chunk."""


def seen(call: Callable[[Any], Any], driver: Driver) -> Any:
    """Return what the agent sees of a call: the result, or the error with its last frame; ids left out."""
    reset = getattr(driver.stub, "reset", None)
    if reset is not None:
        reset()
    try:
        return shown(call(driver))
    except asyncio.CancelledError as error:
        # It meets the call wherever that is by then.
        return type(error), without_ids(str(error))
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is compared)
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        assert frame is not None
        code = frame.tb_frame.f_code
        return type(error), without_ids(str(error)), Path(code.co_filename).name, code.co_name


def shown(value: Any) -> Any:
    """Return a value of a library as plain objects with their types."""
    if hasattr(value, "model_dump"):
        return type(value), without_ids(value.model_dump())
    if isinstance(value, Mapping):
        return type(value), {str(key): shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [shown(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value), {one.name: shown(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, (str, int, float, bool, bytes, type, type(None))):
        return without_ids(value)
    return type(value)


def without_ids(value: Any) -> Any:
    """Leave out what differs from run to run: random ids, and the stub's numbers, which abandoned requests take too."""
    if isinstance(value, dict):
        return {key: without_ids(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    return _IDS.sub("N", value) if isinstance(value, str) else value


_IDS = re.compile(
    r"(?<=[-_])0{3,}[0-9]+"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b"
    r"|(?<=0x)[0-9a-f]+|(?<=cancel scope )[0-9a-f]+"
    r"|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"
)


TURN = "turn with tools"
_RESULT = "rain in Lisbon"


def turn_with_tools(
    call: Callable[[Any], Any],
    span: str,
    call_id: str | None = None,
    *,
    arguments: Any = '{"city": "Lisbon"}',
    result: Any = _RESULT,
    error: str | None = None,
    agent: str | None = None,
    **more: Any,
) -> Scenario:
    """Return the scenario of an agent that asks, runs the two tools that the model wants, and asks with their results.

    ``call_id`` and what follows it are of the first tool; ``call`` returns what the model said both times. ``agent`` is
    the name of the agent that a service has asked its model for.
    """
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": call_id,
        "error.type": error,
        "gen_ai.agent.name": agent,
        "obs.tool.inferred": True,
    }
    attributes = {name: value for name, value in attributes.items() if value is not None}
    content = {"gen_ai.tool.call.arguments": _parsed(arguments), "gen_ai.tool.call.result": result}
    tree = (Node(span), Node("execute_tool weather"), Node("execute_tool hotels"), Node(span))
    return Scenario(TURN, call, "execute_tool weather", attributes, content, tree=tree, **more)


def _parsed(arguments: Any) -> Any:
    return json.loads(arguments) if isinstance(arguments, str) else arguments


def chat_turn(ask: Callable[..., Any], asked: Sequence[Any], first: Any, message: Any, **more: Any) -> list[Any]:
    """Ask again as OpenAI's chats do, with the results of the tools that the ``message`` of an answer wants."""
    calls = []
    for call in payload.get_list(message, "tool_calls"):
        function = {name: payload.get(call, "function", name) for name in ("name", "arguments")}
        calls.append({"id": payload.get(call, "id"), "type": "function", "function": function})
    said = {"role": "assistant", "content": "", "tool_calls": calls}
    results = [{"role": "tool", "tool_call_id": call["id"], "content": _RESULT} for call in calls]
    return [first, ask(messages=[*asked, said, *results], **more)]
