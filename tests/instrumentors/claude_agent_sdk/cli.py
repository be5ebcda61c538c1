"""A CLI that speaks as Claude Code does, as recorded of release 2.1.332, and needs neither binary nor model."""

from __future__ import annotations

import asyncio
import itertools
import json
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MODEL = "claude-faked-1"
SESSION = "5f1e3d0e-0000-4000-8000-000000000001"
SERVER = "city"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
COST = 0.25
ANSWER = "It rains."
CLOSED: dict[str, Any] = {}


def kind() -> Any:
    """Return the class of the CLI, which is the SDK's way to another transport."""
    return _kind(import_module("claude_agent_sdk").Transport)


@cache
def _kind(base: Any) -> Any:
    class Cli(_Cli, base):  # type: ignore[misc]  # a class of the library's
        """The CLI as a transport."""

    return Cli


class _Cli:
    """What the SDK's transport starts, in this process."""

    def __init__(self, *tools: str, starts_alone: bool = False) -> None:
        self.tools = tools
        """What the model asks for first, all in one answer."""
        self.starts_alone = starts_alone
        """Whether it was told the question as it was started."""
        self.session = SESSION
        self.results = 0
        self._numbers = itertools.count(1)
        self._written: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._turns: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        if self.starts_alone:
            self._begin_turn()
            await self.end_input()

    async def write(self, data: str) -> None:
        message = json.loads(data)
        kind = message["type"]
        if kind == "user":
            self._begin_turn()
        elif kind == "control_request":
            if message["request"]["subtype"] == "interrupt":
                self._interrupt()
            answer = {"subtype": "success", "request_id": message["request_id"], "response": {}}
            self.say(type="control_response", response=answer)
        else:
            self._answers.pop(message["response"]["request_id"]).set_result(message["response"].get("response"))

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            message = await self._written.get()
            if message is CLOSED:
                return
            if "raised" in message:
                raise message["raised"]
            yield message

    async def close(self) -> None:
        for turn in self._turns:
            turn.cancel()
        self.say_nothing_more()

    async def end_input(self) -> None:
        asyncio.gather(*self._turns, return_exceptions=True).add_done_callback(lambda _: self.say_nothing_more())

    def is_ready(self) -> bool:
        return True

    def say(self, **message: Any) -> None:
        """Write a message."""
        self._written.put_nowait({"session_id": self.session, "uuid": "00000001", **message})

    def say_nothing_more(self) -> None:
        """Come to an end."""
        self._written.put_nowait(CLOSED)

    def fail(self, error: BaseException) -> None:
        """Come to a bad end."""
        self._written.put_nowait({"raised": error})

    async def ask_back(self, **request: Any) -> Any:
        """Ask the SDK for something, and return the answer."""
        request_id = f"back_{next(self._numbers)}"
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        self.say(type="control_request", request_id=request_id, request=request)
        return await answer

    def _begin_turn(self) -> None:
        turn = asyncio.ensure_future(self.turn())
        turn.add_done_callback(self._end_turn)
        self._turns.append(turn)

    def _end_turn(self, turn: asyncio.Task[None]) -> None:
        error = None if turn.cancelled() else turn.exception()
        if error is not None:
            self.fail(error)

    def _interrupt(self) -> None:
        for turn in self._turns:
            turn.cancel()

    async def turn(self) -> None:
        """Do what is asked: a model call for the tools, the tools, and a model call that answers."""
        if self.tools and not self.results:
            await self.shake_hands()
        self.say_init()
        if self.tools:
            calls = [self.call_of(each) for each in self.tools]
            self.say_answer(*calls)
            await asyncio.gather(*map(self.run, calls))
        self.say_answer({"type": "text", "text": ANSWER})
        self.say_result()

    def say_init(self) -> None:
        """Say how a turn begins."""
        self.say(type="system", subtype="init", cwd="/", tools=["Read"], mcp_servers=[], model=MODEL)

    async def shake_hands(self) -> None:
        """Begin a session with the SDK's server, as is done before the first question is answered."""
        about = {"name": "claude-code", "version": "2.1.332"}
        params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": about}
        begin = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        for message in (begin, {"jsonrpc": "2.0", "method": "notifications/initialized"}):
            await self.ask_back(subtype="mcp_message", server_name=SERVER, message=message)

    def call_of(self, tool: str, server: str | None = SERVER, **arguments: Any) -> dict[str, Any]:
        """Return the block by which a model asks for a tool."""
        name = tool if server is None else f"mcp__{server}__{tool}"
        return {
            "type": "tool_use",
            "id": f"toolu_{next(self._numbers):03}",
            "name": name,
            "input": arguments or {"city": "Lisbon"},
        }

    def say_answer(self, *blocks: Any, parent: str | None = None, **more: Any) -> None:
        """Say a model's answer, each block in a message of its own that has the id and the usage of the whole."""
        number = next(self._numbers)
        for block in blocks:
            message = {
                "id": f"msg_{number:03}",
                "type": "message",
                "role": "assistant",
                "model": MODEL,
                "content": [block],
                "stop_reason": None,
                # Not more than a placeholder stands for what comes out.
                "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": 1},
                **more,
            }
            self.say(type="assistant", message=message, parent_tool_use_id=parent)

    async def run(self, call: dict[str, Any]) -> None:
        """Run a tool of the SDK's process, and say what came of it."""
        _, server, tool = call["name"].split("__")
        params = {"name": tool, "arguments": call["input"], "_meta": {"claudecode/toolUseId": call["id"]}}
        message = {"jsonrpc": "2.0", "id": next(self._numbers), "method": "tools/call", "params": params}
        answer = await self.ask_back(subtype="mcp_message", server_name=server, message=message)
        result = answer["mcp_response"]["result"]
        self.say_tool_result(call, result["content"], is_error=bool(result.get("isError") or result.get("is_error")))

    def say_tool_result(self, call: Any, content: Any, *, is_error: bool = False, parent: str | None = None) -> None:
        """Say what the model is told of a tool."""
        block = {"type": "tool_result", "tool_use_id": call["id"], "content": content}
        if is_error:
            block["is_error"] = True
        self.say(type="user", message={"role": "user", "content": [block]}, parent_tool_use_id=parent)

    def say_result(self, calls: int | None = None, **more: Any) -> None:
        """Say how a turn ended, and what it used."""
        self.results += 1
        calls = calls or (2 if self.tools else 1)
        used = {
            "inputTokens": INPUT_TOKENS * calls,
            "outputTokens": OUTPUT_TOKENS * calls,
            "cacheReadInputTokens": 0,
            "cacheCreationInputTokens": 0,
            "costUSD": COST,
        }
        total = {name: count * self.results for name, count in used.items()}
        fields = {
            "subtype": "success",
            "duration_ms": 5,
            "duration_api_ms": 4,
            "is_error": False,
            "num_turns": calls,
            "stop_reason": "end_turn",
            "terminal_reason": "completed",
            "total_cost_usd": COST * self.results,
            "usage": {"input_tokens": INPUT_TOKENS * calls, "output_tokens": OUTPUT_TOKENS * calls},
            "modelUsage": {MODEL: total},
            "result": ANSWER,
        }
        self.say(type="result", **{**fields, **more})
