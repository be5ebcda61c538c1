"""A faked model for LlamaIndex as it is installed; nothing is imported before a driver asks."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MODEL = "faked-1"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
ANSWER = "It rains."
_RAW = {"model": MODEL, "usage": {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}}
_ARGUMENTS = {"handoff": {"to_agent": "booker", "reason": "She books."}}
_CITY = {"city": "Lisbon"}


def model() -> Any:
    """Return a model that calls each tool once, all in one turn, or hands over, and else answers."""
    return kind()()


def embedding(dimensions: int) -> Any:
    """Return a model of embeddings."""
    return _embedding_kind()(embed_dim=dimensions)


@cache
def _embedding_kind() -> Any:
    base: Any = import_module("llama_index.core").MockEmbedding
    own = {"__module__": __name__, "class_name": classmethod(lambda _: "openai")}
    return type(base)("FakedEmbedding", (base,), own)


@cache
def kind() -> Any:
    """Return the class of the model, one of the library's kind."""
    base: Any = import_module("llama_index.core.llms.function_calling").FunctionCallingLLM
    callbacks = import_module("llama_index.core.llms.callbacks")
    told = {each.__name__: callbacks.llm_chat_callback()(each) for each in (chat, achat, stream_chat, astream_chat)}
    told |= {each.__name__: callbacks.llm_completion_callback()(each) for each in (complete, acomplete)}
    told |= {each.__name__: callbacks.llm_completion_callback()(each) for each in (stream_complete, astream_complete)}
    others = {
        "__module__": __name__,
        "class_name": classmethod(lambda _: "openai"),
        "metadata": property(_metadata),
        "_prepare_chat_with_tools": _prepare_chat_with_tools,
        "get_tool_calls_from_response": get_tool_calls_from_response,
    }
    return type(base)("FakedModel", (base,), {**told, **others})


def _metadata(_: Any) -> Any:
    types = import_module("llama_index.core.base.llms.types")
    return types.LLMMetadata(is_chat_model=True, is_function_calling_model=True, model_name=MODEL)


def _prepare_chat_with_tools(_self: Any, tools: Any, user_msg: Any = None, chat_history: Any = None, **_: Any) -> Any:
    asked = [*(chat_history or []), *([user_msg] if user_msg else [])]
    return {"messages": asked, "tools": [tool.metadata.to_openai_tool() for tool in tools]}


def get_tool_calls_from_response(_self: Any, response: Any, **_: Any) -> Any:
    """Return the calls that an answer asks for."""
    made: Any = import_module("llama_index.core.llms.llm").ToolSelection
    calls = response.message.additional_kwargs.get("tool_calls", [])
    functions = [(call["id"], call["function"]) for call in calls]
    return [
        made(tool_id=call_id, tool_name=function["name"], tool_kwargs=function["arguments"])
        for call_id, function in functions
    ]


def _answer(messages: Any, tools: Any) -> Any:
    llms = import_module("llama_index.core.llms")
    has_results = any(each.role == "tool" for each in messages)
    asked = set() if has_results else {each["function"]["name"] for each in tools or ()}
    calls = [
        {"id": f"call_{name}", "function": {"name": name, "arguments": _ARGUMENTS.get(name, _CITY)}}
        for name in sorted(asked & {"handoff"} or asked, reverse=True)
    ]
    said = None if calls else ANSWER
    message = llms.ChatMessage(role="assistant", content=said, additional_kwargs={"tool_calls": calls})
    return llms.ChatResponse(message=message, delta=said, raw=_RAW)


def _completion() -> Any:
    types = import_module("llama_index.core.base.llms.types")
    return types.CompletionResponse(text=ANSWER, delta=ANSWER, raw=_RAW)


def _pieces(answer: Any) -> Iterator[Any]:
    yield answer


async def _async_pieces(answer: Any) -> AsyncIterator[Any]:
    yield answer


def chat(_self: Any, messages: Any, tools: Any = None, **_: Any) -> Any:
    """Answer messages."""
    return _answer(messages, tools)


async def achat(_self: Any, messages: Any, tools: Any = None, **_: Any) -> Any:
    """Answer messages."""
    return _answer(messages, tools)


def stream_chat(_self: Any, messages: Any, tools: Any = None, **_: Any) -> Any:
    """Answer messages, as a stream."""
    return _pieces(_answer(messages, tools))


async def astream_chat(_self: Any, messages: Any, tools: Any = None, **_: Any) -> Any:
    """Answer messages, as a stream."""
    return _async_pieces(_answer(messages, tools))


def complete(_self: Any, _prompt: str, **_: Any) -> Any:
    """Complete a text."""
    return _completion()


async def acomplete(_self: Any, _prompt: str, **_: Any) -> Any:
    """Complete a text."""
    return _completion()


def stream_complete(_self: Any, _prompt: str, **_: Any) -> Any:
    """Complete a text, as a stream."""
    return _pieces(_completion())


async def astream_complete(_self: Any, _prompt: str, **_: Any) -> Any:
    """Complete a text, as a stream."""
    return _async_pieces(_completion())
