"""Have an agent of a framework run with one product; what is counted lies between two signals. Run by agent_run.py."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMEWORK, PRODUCT, *LENGTHS = sys.argv[1:]
MODEL_CALLS = 10
INSTRUMENTORS = {
    ("langchain", "official"): ("opentelemetry.instrumentation.genai.langchain", "LangChainInstrumentor"),
    ("langchain", "openinference"): ("openinference.instrumentation.langchain", "LangChainInstrumentor"),
    ("openai-agents", "official"): ("opentelemetry.instrumentation.genai.openai_agents", "OpenAIAgentsInstrumentor"),
    ("openai-agents", "openinference"): ("openinference.instrumentation.openai_agents", "OpenAIAgentsInstrumentor"),
    ("crewai", "openinference"): ("openinference.instrumentation.crewai", "CrewAIInstrumentor"),
}
seen: dict[str, int] = {}


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"rain in {city}"


class Turns:
    """What the model does: ten calls, the first asks for two tools and the others for one, but for the last."""

    def __init__(self) -> None:
        self.number = 0

    def wanted(self) -> list[tuple[str, str]]:
        """Return ids and cities of the calls of tools that the next answer asks for; no two are of the same city.

        CrewAI stops an agent that calls a tool with the same arguments again and again.
        """
        self.number = self.number % MODEL_CALLS + 1
        if self.number == MODEL_CALLS:
            return []
        calls = range(2 if self.number == 1 else 1)
        return [(f"call_{self.number}_{index}", f"Lisbon {self.number}{index}") for index in calls]


def langchain() -> Callable[[], object]:
    """Return what has an agent of LangChain run."""
    messages = import_module("langchain_core.messages")
    outputs = import_module("langchain_core.outputs")
    base: Any = import_module("langchain_core.language_models.chat_models").BaseChatModel
    turns = Turns()

    class Model(base):  # type: ignore[misc]  # a class of the library's
        @property
        def _llm_type(self) -> str:
            return "faked"

        def bind_tools(self, *_: Any, **__: Any) -> Any:
            return self

        def _generate(self, *_: Any, **__: Any) -> Any:
            calls = [{"name": "weather", "args": {"city": city}, "id": each} for each, city in turns.wanted()]
            usage = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}
            message = messages.AIMessage("" if calls else "It rains.", tool_calls=calls, usage_metadata=usage)
            return outputs.ChatResult(generations=[outputs.ChatGeneration(message=message)])

    agent = import_module("langchain.agents").create_agent(Model(), [weather], name="traveller")
    return lambda: agent.invoke({"messages": [("user", "What is it like?")]}, {"recursion_limit": 100})


def openai_agents() -> Callable[[], object]:
    """Return what has an agent of OpenAI's SDK run."""
    agents = import_module("agents")
    base: Any = import_module("agents.models.interface").Model
    types = import_module("openai.types.responses")
    generation_span = import_module("agents.tracing").generation_span
    turns = Turns()

    class Model(base):  # type: ignore[misc]  # a class of the library's
        async def get_response(self, *_: Any, **__: Any) -> Any:
            said = {"role": "user", "content": "What is it like?"}
            with generation_span(model="faked-1", input=[said]) as span:
                output: list[Any] = [
                    types.ResponseFunctionToolCall(
                        arguments=f'{{"city": "{city}"}}', call_id=each, name="weather", type="function_call"
                    )
                    for each, city in turns.wanted()
                ]
                if not output:
                    text = types.ResponseOutputText(text="It rains.", type="output_text", annotations=[])
                    output = [
                        types.ResponseOutputMessage(
                            id="msg_1", role="assistant", status="completed", type="message", content=[text]
                        )
                    ]
                span.span_data.usage = {"input_tokens": 12, "output_tokens": 5}
                span.span_data.output = [{"role": "assistant", "content": "It rains."}]
            return agents.ModelResponse(output=output, usage=agents.Usage(requests=1), response_id=None)

        def stream_response(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError

    # Nothing may be sent to OpenAI; the product adds its own later.
    agents.set_trace_processors([])
    agent = agents.Agent(name="traveller", model=Model(), tools=[agents.function_tool(weather)])
    return lambda: agents.Runner.run_sync(agent, "What is it like?", max_turns=20)


def crewai() -> Callable[[], object]:
    """Return what has a crew of CrewAI run."""
    crewai = import_module("crewai")
    base_llm = import_module("crewai.llms.base_llm")
    call_type = import_module("crewai.events.types.llm_events").LLMCallType
    base: Any = base_llm.BaseLLM
    turns = Turns()

    class Model(base):  # type: ignore[misc]  # a class of the library's
        def supports_function_calling(self) -> bool:
            return True

        def call(self, messages: Any, tools: Any = None, *_: Any, **more: Any) -> Any:
            about = {name: more.get(name) for name in ("from_task", "from_agent")}
            with base_llm.llm_call_context():
                self._emit_call_started_event(messages, tools, None, None, **about)
                calls = [
                    {
                        "id": each,
                        "type": "function",
                        "function": {"name": "weather", "arguments": f'{{"city": "{city}"}}'},
                    }
                    for each, city in turns.wanted()
                ]
                kind = call_type.TOOL_CALL if calls else call_type.LLM_CALL
                usage = {"prompt_tokens": 12, "completion_tokens": 5}
                answer = calls or "It rains."
                self._emit_call_completed_event(answer, kind, messages=messages, usage=usage, **about)
                return answer

    tool = import_module("crewai.tools").tool("weather")(weather)
    tool.cache_function = lambda *_: False
    agent = crewai.Agent(role="traveller", goal="Help.", backstory="Be kind.", llm=Model(model="faked-1"), tools=[tool])

    def run() -> object:
        task = crewai.Task(description="What is it like?", expected_output="A sentence.", agent=agent)
        return crewai.Crew(agents=[agent], tasks=[task]).kickoff()

    return run


FRAMEWORKS = {"langchain": langchain, "openai-agents": openai_agents, "crewai": crewai}


def set_up() -> None:
    """Switch the product on, with the SDK's providers, and a processor that only counts."""
    if PRODUCT in ("plain", "obs-run"):
        return
    from opentelemetry import trace
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

    class Counting(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            name = span.name.partition(" ")[0]
            seen[name] = seen.get(name, 0) + 1

    provider = TracerProvider()
    provider.add_span_processor(Counting())
    trace.set_tracer_provider(provider)
    module, name = INSTRUMENTORS[FRAMEWORK, PRODUCT]
    getattr(import_module(module), name)().instrument(tracer_provider=provider)


def tell(*words: str) -> None:
    subprocess.run(["callgrind_control", *words, str(os.getpid())], check=True, stdout=subprocess.DEVNULL)


def repeat(run: Callable[[], object], times: int) -> None:
    """Have the agent run, and do what the export thread still has to do for it."""
    for _ in range(times):
        run()
    ours = sys.modules.get("obs_run.runtime.process_runtime")
    if ours is not None and ours.runtime().is_in_use():
        ours.runtime().items().flush(time.monotonic() + 60)


def main() -> None:
    run = FRAMEWORKS[FRAMEWORK]()
    set_up()
    repeat(run, 2)
    for times in map(int, LENGTHS):
        tell("-i", "on")
        repeat(run, times)
        tell("-i", "off")
        tell("-d")
    # Each model call, each tool, and the agent's run.
    assert sum(seen.values()) > MODEL_CALLS or PRODUCT in ("plain", "obs-run"), seen


main()
