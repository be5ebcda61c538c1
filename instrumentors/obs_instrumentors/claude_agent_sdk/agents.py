"""An agent at work: its model calls and tools, piece by piece as the CLI tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, recorder
from obs_run.core.callback_runs import CallbackRuns

from . import runs

if TYPE_CHECKING:
    from collections.abc import Hashable

    from obs_run.core.callback_runs import Run

ongoing = CallbackRuns()


class Asked:
    """A tool that the model asked for, and when."""

    __slots__ = ("block", "moment")

    def __init__(self, block: Any) -> None:
        self.block = block
        self.moment = recorder.now()


class Agent:
    """The agent that was asked, or one that it asks by a tool; ``session`` is what its runs are told apart by."""

    def __init__(self, session: object, key: Hashable, run: Run, begun: int) -> None:
        self.key = key
        self.run = run
        self.input_messages: list[Any] = list(self._operation_messages())
        """What the model was told and said in this run, while content is wanted."""
        self.failure: str | None = None
        """The kind of error that its last model call ended with."""
        self.is_background = False
        self.has_answered = False
        """Whether a turn of its run has come to its end."""
        self._session = session
        self._chat_key = (key, "chat")
        self._chat: Run | None = None
        self._message: dict[str, Any] = {}
        """What has come of the answer that goes on."""
        self._final_usage: Any = None
        self._last_piece = self._may_ask_since = begun
        self._tools: dict[str, Run] = {}

    def _operation_messages(self) -> list[Any]:
        operation = self.operation()
        return [] if operation is None else operation.input_messages or []

    def operation(self) -> Any:
        """Return the operation of its run; None where that is not recorded."""
        return self.run.recording.operation if self.run.is_recorded else None

    def hear(self, said: list[Any] | None) -> None:
        """Take note of what the user says besides."""
        operation = self.operation()
        if said and operation is not None:
            self.input_messages += said
            operation.input_messages = [*(operation.input_messages or []), *said]

    def read_piece(self, piece: Any, options: Any) -> None:
        """Read a piece of an answer: a message with the id of the whole and some of its blocks."""
        if self._chat is None or payload.get(piece, "id") != self._message["id"]:
            self._start_answer(piece, options)
        self.failure = None
        new_blocks = payload.get_list(piece, "content")
        message = self._message
        message["content"] += new_blocks
        for name in ("usage", "stop_reason"):
            message[name] = payload.coalesce(payload.get(piece, name), message[name])
        self._last_piece = recorder.now()
        for block in new_blocks:
            if payload.get(block, "type") == "tool_use":
                self._start_tool(block)

    def read_event(self, event: Any, options: Any) -> None:
        """Read an event of a stream, where the agent asked for them: what they tell that the pieces do not."""
        kind = payload.get(event, "type")
        if kind == "message_start":
            self._start_answer(payload.get(event, "message"), options)
        elif self._chat is None or not self._chat.is_recorded:
            return
        elif kind == "content_block_delta":
            self._chat.recording.chunk()
        elif kind == "message_delta":
            self._final_usage = payload.get(event, "usage")
            self._message["stop_reason"] = payload.get(event, "delta", "stop_reason")
            self._last_piece = recorder.now()

    def _start_answer(self, piece: Any, options: Any) -> None:
        self.finish_answer()
        model = payload.get_text(piece, "model")
        self._message = {
            "id": payload.get(piece, "id"),
            "model": model,
            "content": [],
            "usage": None,
            "stop_reason": None,
        }
        operation = runs.answer(model, options, self.input_messages)
        self._chat = ongoing.start(self._chat_key, self.key, operation, begun=self._may_ask_since)

    def may_ask(self) -> None:
        """Take note that the next model call may begin."""
        self._may_ask_since = recorder.now()

    def finish_answer(self, reason: str | None = None) -> None:
        """End the model call that goes on, all of which has come; ``reason`` is why the model stopped, where told."""
        if self._chat is None:
            return
        message, self._chat = self._message, None
        message["stop_reason"] = message["stop_reason"] or reason
        if content.wanted():
            self.input_messages.append(runs.next_input("assistant", message))
        chat = ongoing.pop(self._chat_key)
        if chat is not None:
            content.read("end", runs.read_answer, chat.recording.operation, message, self._final_usage)
            chat.recording.over_at(self._last_piece)
            chat.recording.end()
        self._final_usage = None
        self._may_ask_since = self._last_piece

    def read_failed_call(self, message: Any, model: str | None, options: Any) -> None:
        """Read what the CLI says in place of a model that could not be asked."""
        self.finish_answer()
        operation = runs.failed_answer(message, model, options, self.input_messages)
        self.failure = operation.error_type
        ongoing.start(self._chat_key, self.key, operation, begun=self._may_ask_since)
        chat = ongoing.pop(self._chat_key)
        if chat is not None:
            ongoing.end(chat)

    def read_user(self, message: Any, outcome: str | None) -> None:
        """Read what the model is told: results of tools, and more; ``outcome`` is that of tools that were stopped."""
        self.finish_answer()
        for block in payload.get_list(message, "content"):
            if payload.get(block, "type") == "tool_result":
                self._end_tool(block, outcome)
        if content.wanted():
            self.input_messages.append(runs.next_input("user", message))
        self.may_ask()

    def _start_tool(self, block: Any) -> None:
        tool_id = str(payload.get(block, "id"))
        if tool_id not in self._tools:
            asked = Asked(block)
            self._tools[tool_id] = ongoing.start((self._session, tool_id), self.key, runs.tool(block), asked)

    def _end_tool(self, block: Any, outcome: str | None) -> None:
        tool_id = str(payload.get(block, "tool_use_id"))
        self._tools.pop(tool_id, None)
        tool = ongoing.pop((self._session, tool_id))
        if tool is None:
            return
        if outcome is not None and payload.get(block, "is_error") is True:
            ongoing.leave(tool, outcome)
            return
        content.read("result", runs.read_tool_result, tool.recording.operation, block)
        ongoing.end(tool)

    def tool_named(self, name: str, arguments: Any) -> str | None:
        """Return the id of a tool's call that goes on."""
        for tool_id, tool in self._tools.items():
            block = tool.about.block
            if payload.get(block, "name") == name and payload.get(block, "input") == arguments:
                return tool_id
        return None

    def end(self, outcome: str | None = None, error: BaseException | None = None, reason: str | None = None) -> None:
        """End its run, and what goes on inside where that did not come to its end."""
        self.finish_answer(reason)
        run = ongoing.pop(self.key)
        if run is None:
            return
        said = next((each for each in reversed(self.input_messages) if each["role"] == "assistant"), None)
        operation = run.recording.operation
        if operation.output_messages is None and said is not None:
            operation.output_messages = [said]
        if outcome is not None:
            ongoing.leave(run, outcome)
        else:
            ongoing.end(run, error)
