"""A faked chat model, and tools, for LangChain as it is installed; nothing is imported before a driver asks."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "faked-1"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
_USAGE = {
    "input_tokens": INPUT_TOKENS,
    "output_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}


def chat_model() -> Any:
    """Return a model that calls each tool once, all in one turn, and then answers."""
    return _kind()()


@cache
def _kind() -> Any:
    messages = import_module("langchain_core.messages")
    outputs = import_module("langchain_core.outputs")
    base: Any = import_module("langchain_core.language_models.chat_models").BaseChatModel

    class FakedModel(base):  # type: ignore[misc]  # a class of the library's
        """A chat model without a provider."""

        @property
        def _llm_type(self) -> str:
            return "faked"

        def _get_ls_params(self, **_: Any) -> dict[str, Any]:
            return {"ls_provider": "openai", "ls_model_name": MODEL, "ls_model_type": "chat", "ls_temperature": 0.5}

        def bind_tools(self, tools: Any, **more: Any) -> Any:
            return self.bind(tools=[{"type": "function", "function": {"name": each.name}} for each in tools], **more)

        def _generate(self, asked: Any, stop: Any = None, run_manager: Any = None, **details: Any) -> Any:  # noqa: ARG002
            message = messages.AIMessage(usage_metadata=_USAGE, **answer(asked, details.get("tools") or []))
            return outputs.ChatResult(generations=[outputs.ChatGeneration(message=message)])

    return FakedModel


def answer(asked: Any, tools: list[Any]) -> dict[str, Any]:
    """Return what the model says to messages."""
    if any(message.type == "tool" for message in asked) or not tools:
        return {"content": "It rains.", "response_metadata": {"finish_reason": "stop"}}
    names = [each["function"]["name"] for each in tools]
    calls = [{"name": name, "args": _arguments(name), "id": f"call_{name}"} for name in names]
    return {"content": "", "tool_calls": calls, "response_metadata": {"finish_reason": "tool_calls"}}


def _arguments(name: str) -> dict[str, Any]:
    return {} if name.startswith("transfer") else {"city": "Lisbon"}


def tool(function: Callable[..., Any]) -> Any:
    """Return a function as a tool."""
    return import_module("langchain_core.tools").tool(function)


def transfer(name: str) -> Any:
    """Return a tool that hands over to the agent ``name``."""
    message = import_module("langchain_core.messages").ToolMessage
    command = import_module("langgraph.types").Command
    injected = import_module("langchain_core.tools").InjectedToolCallId

    def transfer_to(tool_call_id: Any) -> Any:
        """Let the other agent go on."""
        said = message(f"over to {name}", tool_call_id=tool_call_id)
        return command(goto=name, graph=command.PARENT, update={"messages": [said]})

    transfer_to.__name__ = f"transfer_to_{name}"
    transfer_to.__annotations__ = {"tool_call_id": Annotated[str, injected], "return": command}
    return tool(transfer_to)


def error_handler() -> Any:
    """Return a middleware that tells the model what went wrong with a tool."""
    base: Any = import_module("langchain.agents.middleware").AgentMiddleware
    message = import_module("langchain_core.messages").ToolMessage

    class Handler(base):  # type: ignore[misc]  # a class of the library's
        """Around each call of a tool."""

        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            try:
                return handler(request)
            except ValueError as error:
                return message(str(error), tool_call_id=request.tool_call["id"], status="error")

        async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
            try:
                return await handler(request)
            except ValueError as error:
                return message(str(error), tool_call_id=request.tool_call["id"], status="error")

    return Handler()
