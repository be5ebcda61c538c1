"""A faked model for CrewAI as it is installed; nothing is imported before a driver asks."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import Any

MODEL = "faked-1"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
ANSWER = "It rains."
_ARGUMENTS = {"delegate_work_to_coworker": {"task": "Go.", "context": "None.", "coworker": "booker"}}
_CITY = {"city": "Lisbon"}


def model() -> Any:
    """Return a model that calls each tool once, all in one turn, and then answers."""
    return _kind()(model=MODEL)


@cache
def _kind() -> Any:
    base_llm = import_module("crewai.llms.base_llm")
    call_type = import_module("crewai.events.types.llm_events").LLMCallType
    base: Any = base_llm.BaseLLM

    class FakedModel(base):  # type: ignore[misc]  # a class of the library's
        """A model without a provider, which tells of its calls as the library's own models do."""

        def supports_function_calling(self) -> bool:
            return True

        def call(  # the library gives them by name or place
            self,
            messages: Any,
            tools: Any = None,
            callbacks: Any = None,
            available_functions: Any = None,
            from_task: Any = None,
            from_agent: Any = None,
            response_model: Any = None,  # noqa: ARG002 (the library gives it)
        ) -> Any:
            about = {"from_task": from_task, "from_agent": from_agent}
            with base_llm.llm_call_context():
                self._emit_call_started_event(messages, tools, callbacks, available_functions, **about)
                answer = _answer(messages, tools)
                if self.stream and isinstance(answer, str):
                    self._emit_stream_chunk_event(answer, **about)
                usage = {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}
                kind = call_type.LLM_CALL if isinstance(answer, str) else call_type.TOOL_CALL
                self._emit_call_completed_event(answer, kind, messages=messages, usage=usage, **about)
                return answer

        async def acall(self, *args: Any, **more: Any) -> Any:
            return self.call(*args, **more)

    return FakedModel


def _answer(messages: Any, tools: Any) -> Any:
    names = [each["function"]["name"] for each in tools or []]
    names = [name for name in names if name != "ask_question_to_coworker"]
    has_results = any(each.get("role") == "tool" for each in messages if isinstance(each, dict))
    if not names or has_results:
        return ANSWER
    return [
        {
            "id": f"call_{name}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(_ARGUMENTS.get(name, _CITY))},
        }
        for name in names
    ]
