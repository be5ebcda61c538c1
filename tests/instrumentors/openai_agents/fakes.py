"""A faked model for OpenAI's Agents SDK as it is installed; nothing is imported before a driver asks."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MODEL = "faked-1"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
_ARGUMENTS = {"transfer": "{}", "ask": '{"input": "Lisbon"}'}
"""By the first word of a tool's name."""
_CITY = '{"city": "Lisbon"}'


def model() -> Any:
    """Return a model that calls each tool once, all in one turn, or hands over, and else answers."""
    return _kind()()


@cache
def _kind() -> Any:
    base: Any = import_module("agents.models.interface").Model
    agents = import_module("agents")
    generation_span = import_module("agents.tracing").generation_span
    types = import_module("openai.types.responses")

    class FakedModel(base):  # type: ignore[misc]  # a class of the library's
        """A model without a provider, which tells of its calls as the library's own models do."""

        async def get_response(
            self,
            system_instructions: Any,
            input: Any,  # noqa: A002 (the library's name)
            model_settings: Any,  # noqa: ARG002 (the library gives it)
            tools: Any,
            output_schema: Any,  # noqa: ARG002 (the library gives it)
            handoffs: Any,
            tracing: Any,
            **_: Any,
        ) -> Any:
            with generation_span(model=MODEL, disabled=tracing.is_disabled()) as span:
                output = _output(types, input, tools, handoffs)
                span.span_data.usage = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
                span.span_data.output = [_message(each) for each in output]
                if tracing.include_data():
                    system = {"role": "system", "content": system_instructions or ""}
                    span.span_data.input = [system, *_messages(input)]
            return agents.ModelResponse(output=output, usage=agents.Usage(requests=1), response_id=None)

        async def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
            answer = await self.get_response(*args, **more)
            response = types.Response(
                id="resp_1",
                created_at=0,
                model=MODEL,
                object="response",
                output=answer.output,
                parallel_tool_calls=True,
                tool_choice="auto",
                tools=[],
            )
            yield types.ResponseCompletedEvent(response=response, sequence_number=0, type="response.completed")

    return FakedModel


def _output(types: Any, said: Any, tools: Any, handoffs: Any) -> list[Any]:
    names = [each.tool_name for each in handoffs] or [each.name for each in tools]
    has_results = any("output" in str(each.get("type")) for each in said if isinstance(each, dict))
    if not names or has_results:
        text = types.ResponseOutputText(text="It rains.", type="output_text", annotations=[])
        message = {"id": "msg_1", "role": "assistant", "status": "completed", "type": "message"}
        return [types.ResponseOutputMessage(content=[text], **message)]
    return [
        types.ResponseFunctionToolCall(
            arguments=_ARGUMENTS.get(name.partition("_")[0], _CITY),
            call_id=f"call_{name}",
            name=name,
            type="function_call",
        )
        for name in names
    ]


def _messages(said: Any) -> list[dict[str, Any]]:
    if isinstance(said, str):
        return [{"role": "user", "content": said}]
    return [dict(each) for each in said if "role" in each]


def _message(item: Any) -> dict[str, Any]:
    if item.type == "message":
        return {"role": "assistant", "content": item.content[0].text}
    function = {"name": item.name, "arguments": item.arguments}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": item.call_id, "type": "function", "function": function}],
    }
