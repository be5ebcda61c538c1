"""A faked model for Agno as it is installed; nothing is imported before a driver asks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MODEL = "faked-1"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
ANSWER = "It rains."
_CITY = {"city": "Lisbon"}
_ARGUMENTS = {
    "delegate_task_to_member": {"member_id": "booker", "task": "Book."},
    "add_memory": {"memory": "Likes rain."},
    "search_knowledge_base": {"query": "rain"},
}
_LEFT_OUT = ("update_memory", "delete_memory", "clear_memory")


def model() -> Any:
    """Return a model that calls each tool once, all in one turn, and then answers."""
    return _kind()(id=MODEL)


@cache
def _kind() -> Any:
    base: Any = import_module("agno.models.base").Model
    response: Any = import_module("agno.models.response").ModelResponse

    @dataclass
    class FakedModel(base):  # type: ignore[misc]  # a class of the library's
        """A model without a provider, as users derive theirs."""

        id: str = MODEL
        provider: str = "OpenAI"

        def invoke(self, *, messages: Any, tools: Any = None, **_: Any) -> Any:
            usage = _usage_kind()(input_tokens=INPUT_TOKENS, output_tokens=OUTPUT_TOKENS)
            calls = _calls(messages, tools)
            said = None if calls else ANSWER
            return response(role="assistant", content=said, tool_calls=calls, response_usage=usage)

        async def ainvoke(self, **more: Any) -> Any:
            return self.invoke(**more)

        def invoke_stream(self, **more: Any) -> Iterator[Any]:
            yield self.invoke(**more)

        async def ainvoke_stream(self, **more: Any) -> AsyncIterator[Any]:
            yield self.invoke(**more)

        def _parse_provider_response(self, answer: Any, **_: Any) -> Any:
            return answer

        def _parse_provider_response_delta(self, answer: Any) -> Any:
            return answer

    return FakedModel


@cache
def _usage_kind() -> Any:
    try:
        return import_module("agno.metrics").MessageMetrics
    except ImportError:
        return import_module("agno.models.metrics").Metrics


def _calls(messages: Any, tools: Any) -> list[Any]:
    # Newer releases offer them in the order of the letters.
    names = sorted((each["function"]["name"] for each in tools or []), reverse=True)
    if any(each.role == "tool" for each in messages):
        return []
    return [
        {
            "id": f"call_{name}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(_ARGUMENTS.get(name, _CITY))},
        }
        for name in names
        if name not in _LEFT_OUT
    ]
