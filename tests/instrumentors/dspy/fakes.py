"""A faked model for DSPy as it is installed; nothing is imported before a driver asks."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

MODEL = "faked-1"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
ANSWER = "It rains."


def model() -> Any:
    """Return a model that calls each tool once, one a turn, and then answers."""
    return _kind()(f"openai/{MODEL}")


@cache
def _kind() -> Any:
    base: Any = import_module("dspy").BaseLM

    class FakedModel(base):  # type: ignore[misc]  # a class of the library's
        """A model without a provider, as users derive theirs."""

        def forward(self, prompt: Any = None, messages: Any = None, **_: Any) -> Any:
            said = _fields(_answer(messages or [{"content": prompt}]))
            choice = SimpleNamespace(message=SimpleNamespace(content=said, tool_calls=None), finish_reason="stop")
            usage = {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}
            return SimpleNamespace(choices=[choice], usage=usage, model=MODEL)

        async def aforward(self, *args: Any, **more: Any) -> Any:
            return self.forward(*args, **more)

    return FakedModel


def _answer(messages: list[Any]) -> dict[str, str]:
    system, asked = messages[0]["content"], messages[-1]["content"]
    if "generated_code" in system and "output fields are:\n1. `generated_code`" in system:
        return {"generated_code": "weather('Lisbon')", "finished": "True"}
    if "next_tool_name" not in system:
        return {"reasoning": "I know.", "answer": ANSWER}
    names = re.findall(r"^\s*\(\d+\) (\w+)", system, re.MULTILINE)
    called = re.findall(r"tool_name_\d+ ## \]\]\n(\w+)", asked)
    name = next(name for name in names if name not in called)
    arguments = "{}" if name == "finish" else '{"city": "Lisbon"}'
    return {"next_thought": "I ask.", "next_tool_name": name, "next_tool_args": arguments}


def _fields(answer: dict[str, str]) -> str:
    """Return fields as the library has models write them."""
    return "\n\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in {**answer, "completed": ""}.items())
