"""What the faked models of all frameworks say and use, and what an agent's span has of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import story

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MODEL = "faked-1"
CLIENTS_MODEL = "gpt-5-mini"
"""The one behind the stub, where a provider's client asks it."""
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
ANSWER = "It rains."
CITY = {"city": "Lisbon"}


def attributes(**known: Any) -> Callable[..., dict[str, Any]]:
    """Return what gives the attributes of an agent's span, by how often its model answered and by what is special.

    ``known`` are those beside the usual ones, with underscores for dots; None for one that is not there.
    """
    usual = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": story.AGENT,
        "gen_ai.request.model": MODEL,
        **{name.replace("__", "."): value for name, value in known.items()},
    }

    def of_calls(calls: int, **others: Any) -> dict[str, Any]:
        tokens = {
            "gen_ai.usage.input_tokens": calls * INPUT_TOKENS,
            "gen_ai.usage.output_tokens": calls * OUTPUT_TOKENS,
        }
        return {name: value for name, value in {**usual, **tokens, **others}.items() if value is not None}

    return of_calls


def texts(
    *, prompt: str = story.PROMPT, answer: str = ANSWER, reason: str = "stop", tools: Sequence[Any] = (), **names: str
) -> dict[str, Any]:
    """Return what an agent's span has of texts; ``names`` are those of who ``asks`` and who ``answers``."""
    told = {
        "gen_ai.input.messages": [_message("user", prompt, names.get("asks"))],
        "gen_ai.output.messages": [{**_message("assistant", answer, names.get("answers")), "finish_reason": reason}],
        "gen_ai.tool.definitions": [{"type": "function", **tool} for tool in tools],
    }
    return {name: value for name, value in told.items() if value}


def _message(role: str, said: str, name: str | None) -> dict[str, Any]:
    message = {"role": role, "parts": [{"type": "text", "content": said}]}
    return message if name is None else {**message, "name": name}


def weather_tool(parameters: Any = None) -> dict[str, Any]:
    """Return the definition of the story's tool, with what the framework says of its parameters."""
    told = {"name": "weather", "description": story.weather.__doc__}
    return told if parameters is None else {**told, "parameters": parameters}
