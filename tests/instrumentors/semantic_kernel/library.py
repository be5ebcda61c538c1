"""Semantic Kernel's agents: the story of ``frameworks``, with a faked model, and with OpenAI's client."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.frameworks.answers import ANSWER, CLIENTS_MODEL, INPUT_TOKENS, MODEL, OUTPUT_TOKENS
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OLDEST = "1.30"
SYSTEM = "Be brief."
PLUGIN = "travels"


class SemanticKernel(story.Teller):
    """Agents with a faked model, or with the library's for OpenAI behind the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.library = import_module("semantic_kernel")
        self.agents = import_module("semantic_kernel.agents")
        self.functions = import_module("semantic_kernel.functions")
        self.client = import_module("openai").AsyncOpenAI(base_url=stub.url, api_key="none", max_retries=0)

    def model(self) -> Any:
        if self.is_faked:
            return faked_kind()(ai_model_id=MODEL, async_client=self.client)
        kind = import_module("semantic_kernel.connectors.ai.open_ai").OpenAIChatCompletion
        return kind(ai_model_id=CLIENTS_MODEL, async_client=self.client)

    def plugin(self, *tools: Callable[..., Any]) -> Any:
        """Return functions as a plugin."""
        made = [self.functions.kernel_function(description=each.__doc__)(each) for each in tools]
        return self.functions.KernelPlugin(PLUGIN, functions=made)

    def named(self, name: str, *tools: Callable[..., Any], **more: Any) -> Any:
        told = {"description": "Knows things.", "instructions": SYSTEM, "id": f"id-of-{name}"}
        plugins = [self.plugin(*tools)] if tools else []
        return self.agents.ChatCompletionAgent(service=self.model(), name=name, plugins=plugins, **{**told, **more})

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "a failing function never fails an agent"
        agent = self.named(story.AGENT, *tools)
        for function in agent.kernel.plugins[PLUGIN].functions.values() if tools else ():
            # Models call functions by the plugin's name too, of which the story knows nothing.
            function.metadata.plugin_name = None
        return agent

    def thread(self) -> Any:
        return self.agents.ChatHistoryAgentThread(thread_id=story.CONVERSATION)

    def asking(self, agent: Any) -> Any:
        async def answer() -> Any:
            return str((await agent.get_response(messages=story.PROMPT, thread=self.thread())).message)

        return answer()

    def stream(self, agent: Any) -> Any:
        async def texts() -> AsyncIterator[Any]:
            async for item in agent.invoke_stream(messages=story.PROMPT, thread=self.thread()):
                yield str(item.message)

        return texts()


@cache
def faked_kind() -> Any:
    """Return a model's service such as users derive, which needs no server."""
    contents = import_module("semantic_kernel.contents")
    reasons = import_module("semantic_kernel.contents.utils.finish_reason").FinishReason
    usage = import_module("semantic_kernel.connectors.ai.completion_usage").CompletionUsage
    base: Any = import_module("semantic_kernel.connectors.ai.open_ai").OpenAIChatCompletion

    class FakedService(base):  # type: ignore[misc]  # a class of the library's
        """Calls each function once, all in its first turn, and then answers."""

        def _answer(self, history: Any, settings: Any) -> dict[str, Any]:
            has_called = any(each.role == "tool" for each in history.messages)
            offered = [] if has_called else [each["function"]["name"] for each in settings.tools or ()]
            items: list[Any] = [
                contents.FunctionCallContent(id=f"call_{name}", name=name, arguments=_arguments(name), index=index)
                for index, name in enumerate(name for name in offered if not name.endswith("complete_task"))
            ]
            return {
                "role": "assistant",
                "finish_reason": reasons.TOOL_CALLS if items else reasons.STOP,
                "metadata": {"usage": usage(prompt_tokens=INPUT_TOKENS, completion_tokens=OUTPUT_TOKENS)},
                "items": items,
            }

        async def _inner_get_chat_message_contents(self, chat_history: Any, settings: Any) -> list[Any]:
            told = self._answer(chat_history, settings)
            told["items"] = told["items"] or [contents.TextContent(text=ANSWER)]
            return [contents.ChatMessageContent(**told)]

        async def _inner_get_streaming_chat_message_contents(
            self, chat_history: Any, settings: Any, function_invoke_attempt: int = 0
        ) -> AsyncIterator[list[Any]]:
            told = self._answer(chat_history, settings)
            told |= {"choice_index": 0, "function_invoke_attempt": function_invoke_attempt}
            texts = [] if told["items"] else ["It ", "rains."]
            for text in texts:
                piece = contents.StreamingTextContent(text=text, choice_index=0)
                yield [contents.StreamingChatMessageContent(**{**told, "items": [piece], "metadata": {}})]
            yield [contents.StreamingChatMessageContent(**told)]

    return FakedService


def _arguments(function: str) -> str:
    if "transfer_to" in function:
        return "{}"
    return '{"messages": "Ask."}' if function == "inner-inner" else '{"city": "Lisbon"}'


attributes = answers.attributes(
    gen_ai__agent__id=f"id-of-{story.AGENT}",
    gen_ai__agent__description="Knows things.",
    gen_ai__conversation__id=story.CONVERSATION,
)
CONTENT = {
    "gen_ai.system_instructions": [{"type": "text", "content": SYSTEM}],
    **answers.texts(answers=story.AGENT),
}
LIBRARY = Library(
    name="semantic-kernel",
    instrumentor="obs_instrumentors.semantic_kernel",
    beside=("obs_instrumentors.openai",),
    environments={
        OLDEST: ("semantic-kernel==1.30.0", "openai<3", "protobuf"),
        "newest": ("semantic-kernel>=1.45", "protobuf"),
    },
    driver=SemanticKernel,
    kinds=("async",),
    traces_itself=(OLDEST, "newest"),
    more=("more.py", "more_failures.py"),
    less={OLDEST: ("more_failures.py",)},
    scenarios=(
        *story.stories(
            "",
            attributes,
            content=CONTENT,
            stream_kinds=("async",),
            without=("hand-off", "a tool fails the agent", "interrupted"),
        ),
    ),
)
