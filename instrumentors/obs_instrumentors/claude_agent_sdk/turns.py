"""What each message of the CLI's means for the tree of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, recorder

from . import runs
from .agents import Agent, ongoing

if TYPE_CHECKING:
    from obs_run.core.callback_runs import Run

_AGENT_TOOLS = ("Agent", "Task")
_TASK_ENDS = {"completed": None, "failed": None, "killed": "cancelled", "stopped": "cancelled"}
"""The last states of a task, and the outcomes that they are."""


class Turns:
    """What the CLI tells of one session, of which the agent asks one thing after the other."""

    def __init__(self, options: Any, *, is_one_call: bool = False) -> None:
        self._options = options
        self._is_one_call = is_one_call
        """Whether there is a call of the agent's that ends with the session, and with its error."""
        self._is_interrupted = False
        self._agents: dict[str | None, Agent] = {}
        """By the ids of the tools that they were asked by; None for the one that the user asked."""
        self._tasks: dict[str, str] = {}
        """The ids of the tools that began what goes on in the background, by the tasks' ids."""
        self._session_id: str | None = None
        self._model: str | None = None
        self._around: Any = None
        """The context that the last question was asked in."""
        self._result: Any = None
        self._readers = {
            "assistant": self._read_answer,
            "user": self._read_user,
            "stream_event": self._read_event,
            "system": self._read_system,
            "result": self._read_result,
            "error": self._read_error,
            "end": self._read_end,
        }

    def ask(self, prompt: Any) -> Run:
        """Begin the run of what is asked here; a further question while that goes on is a part of it."""
        main = self._agents.get(None)
        if main is not None:
            main.hear(runs.user_messages(prompt))
            return main.run
        self._around = None
        return self._start(prompt)

    def _start(self, prompt: Any) -> Run:
        self._is_interrupted = False
        operation = runs.agent(self._options, prompt)
        operation.conversation_id = self._session_id or operation.conversation_id
        key = (self, "agent")
        run = ongoing.start(key, None, operation, around=self._around)
        if run.is_recorded:
            self._around = run.recording.around
        self._agents[None] = Agent(self, key, run, recorder.now())
        return run

    def hear(self, message: Any) -> None:
        """Read a message of the user's."""
        main = self._agents.get(None)
        said = runs.user_messages(payload.get(message, "message", "content"))
        if main is not None:
            main.hear(said)

    def interrupt(self) -> None:
        """Take note that the user wants the agent to stop."""
        self._is_interrupted = None in self._agents

    def read(self, message: Any) -> None:
        """Read what the CLI wrote."""
        reader = self._readers.get(payload.get_text(message, "type") or "")
        if reader is not None:
            reader(message)

    def recording_of(self, tool_id: str | None) -> Any:
        """Return the recording of a tool, or of the agent where that is not known; None where nothing goes on."""
        run = None if tool_id is None else ongoing.get((self, tool_id))
        if run is None and None in self._agents:
            run = self._agents[None].run
        recording = None if run is None else run.recording
        return None if recording is None or recording.is_ended else recording

    def tool_named(self, name: str, arguments: Any) -> str | None:
        """Return the id of a tool's call that goes on; older CLIs do not tell it."""
        found = (agent.tool_named(name, arguments) for agent in self._agents.values())
        return next((tool_id for tool_id in found if tool_id is not None), None)

    def end(self, error: BaseException | None = None, outcome: str | None = None) -> None:
        """End what goes on because nothing more will come, with the library's error if there was one."""
        if error is not None:
            outcome = ongoing.outcome(error) or outcome
        main = self._agents.pop(None, None)
        for agent in reversed(self._agents.values()):
            agent.end(outcome or "abandoned")
        self._agents.clear()
        if main is not None:
            # What waited for a task in the background has answered.
            if main.has_answered:
                main.end()
            elif error is None:
                main.end(outcome)
            else:
                main.end(None, error)

    def leave(self, error: BaseException | None) -> None:
        """End what goes on because nobody listens any more; ``error`` is what the agent is about to handle."""
        is_of_the_call = error is not None and (self._is_one_call or ongoing.outcome(error) is not None)
        self.end(error if is_of_the_call else None, "abandoned")

    def _agent(self, message: Any) -> Agent:
        """Return the agent that a message is of."""
        tool_id = payload.get_text(message, "parent_tool_use_id")
        agent = self._agents.get(tool_id)
        if agent is None and tool_id is not None:
            agent = self._start_sub_agent(tool_id)
        if agent is None:
            if None not in self._agents:
                # A question that waited, or something that the CLI takes up by itself.
                self._start(None)
            agent = self._agents[None]
        self._note_session(message)
        return agent

    def _start_sub_agent(self, tool_id: str) -> Agent | None:
        tool = ongoing.get((self, tool_id))
        if tool is None:
            return None
        key = (self, tool_id, "agent")
        operation = runs.sub_agent(self._options, payload.get(tool.about.block, "input"))
        run = ongoing.start(key, (self, tool_id), operation, begun=tool.about.moment)
        agent = self._agents[tool_id] = Agent(self, key, run, tool.about.moment)
        return agent

    def _note_session(self, message: Any) -> None:
        self._session_id = payload.get_text(message, "session_id") or self._session_id
        operation = self._agents[None].operation() if None in self._agents else None
        if operation is not None:
            operation.conversation_id = self._session_id or operation.conversation_id
            operation.request_model = self._model or operation.request_model

    def _read_answer(self, message: Any) -> None:
        piece = payload.get(message, "message")
        if payload.get_text(piece, "model") != runs.SYNTHETIC:
            self._agent(message).read_piece(piece, self._options)
        elif payload.get_text(message, "error") is not None:
            # What else the CLI says by itself is no model's.
            self._agent(message).read_failed_call(message, self._model, self._options)

    def _read_event(self, message: Any) -> None:
        self._agent(message).read_event(payload.get(message, "event"), self._options)

    def _read_user(self, message: Any) -> None:
        tool_id = payload.get_text(message, "parent_tool_use_id")
        if tool_id is None and None not in self._agents:
            return
        told = payload.get(message, "message")
        for block in payload.get_list(told, "content"):
            self._end_asked(payload.get_text(block, "tool_use_id"))
        self._agent(message).read_user(told, "interrupted" if self._is_interrupted else None)

    def _end_asked(self, tool_id: str | None) -> None:
        """End the agent that was asked by a tool whose result is there, unless it works on in the background."""
        agent = None if tool_id is None else self._agents.get(tool_id)
        if agent is not None and not agent.is_background:
            del self._agents[tool_id]
            agent.end("interrupted" if self._is_interrupted else None)

    def _read_system(self, message: Any) -> None:
        subtype = payload.get_text(message, "subtype")
        if subtype == "init":
            self._model = payload.get_text(message, "model")
        self._note_session(message)
        if subtype == "task_started":
            self._read_task(message)
        elif subtype in ("task_notification", "task_updated"):
            self._read_task_end(message)

    def _read_task(self, message: Any) -> None:
        tool_id = payload.get_text(message, "tool_use_id") or ""
        tool = ongoing.get((self, tool_id))
        if tool is None or payload.get(tool.about.block, "name") not in _AGENT_TOOLS:
            return
        self._tasks[payload.get_text(message, "task_id") or ""] = tool_id
        agent = self._agents.get(tool_id) or self._start_sub_agent(tool_id)
        if agent is not None:
            agent.is_background = payload.get(message, "is_backgrounded") is True

    def _read_task_end(self, message: Any) -> None:
        status = payload.get_text(message, "status") or payload.get_text(message, "patch", "status")
        tool_id = self._tasks.get(payload.get_text(message, "task_id") or "")
        agent = self._agents.get(tool_id)
        if tool_id is None or agent is None or status not in _TASK_ENDS:
            return
        operation = agent.operation()
        if operation is not None and status == "failed":
            operation.error_type = status
        del self._agents[tool_id]
        agent.end(_TASK_ENDS[status])
        if None in self._agents:
            # Of what came of it the CLI tells the agent by itself.
            self._agents[None].may_ask()

    def _read_result(self, message: Any) -> None:
        """Read the end of a turn, which is that of the run too unless agents work on in the background."""
        main = self._agents.get(None)
        if main is None:
            return
        self._note_session(message)
        main.finish_answer(payload.get_text(message, "stop_reason"))
        operation = main.operation()
        if operation is not None:
            content.read("result", runs.read_result, operation, message)
            runs.read_usage(operation, message, self._result)
        self._result = message
        main.has_answered = True
        outcome = self._outcome(message)
        if outcome is None and len(self._agents) > 1:
            return
        if outcome is None and operation is not None:
            operation.error_type, operation.error_message = runs.failure(message, main.failure) or (None, None)
        del self._agents[None]
        main.end(outcome)

    def _outcome(self, result: Any) -> str | None:
        reason = payload.get_text(result, "terminal_reason") or ""
        waits = payload.get(result, "deferred_tool_use") is not None
        return "interrupted" if waits or self._is_interrupted or reason.startswith("aborted") else None

    def _read_error(self, message: Any) -> None:
        error = payload.get(message, "exception")
        self.end(error if isinstance(error, BaseException) else Exception(str(payload.get(message, "error"))))

    def _read_end(self, _: Any) -> None:
        self.end()
