"""What the stub says: fixed texts, tool arguments and JSON made from a schema, and counted tokens."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .faults import Switches
    from .wire import Json

_CITIES = ("Lisbon", "Porto", "Kyoto", "Oslo", "Reykjavik")
_REPLIES = {
    "packing list": "Pack a light rain jacket, good shoes, a water bottle and an adapter.",
    "rush hour": "Avoid the metro between 8 and 9:30; trams are emptier after 10.",
    "phrase": "Obrigado means thank you; bom dia means good morning.",
}


def texts(value: Any) -> list[str]:
    """Return every text inside messages, content parts or input items."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    if isinstance(value, dict):
        keys = ("content", "text", "output", "arguments", "refusal")
        return [text for key in keys if key in value for text in texts(value[key])]
    return []


def last_prompt(messages: Any) -> str:
    """Return what the user said last."""
    if isinstance(messages, list):
        asked = [item for item in messages if isinstance(item, dict) and item.get("role") == "user"]
        messages = asked[-1:] or messages[-1:]
    return " ".join(texts(messages))


def reply(prompt: str, tool_results: list[str]) -> str:
    """Return the answer to a prompt: the same for the same words."""
    if tool_results:
        return "Based on the tools: " + "; ".join(tool_results)
    for phrase, text in _REPLIES.items():
        if phrase in prompt.lower():
            return text
    return f"This is the stub's answer to: {prompt[:200]}"


def pieces(text: str) -> list[str]:
    """Cut a text as a model would stream it."""
    return re.findall(r"\S+\s*|\s+", text)


def count(value: Any) -> int:
    """Return the tokens of a prompt: a quarter of its characters, as a rule of thumb has it."""
    text = "".join(texts(value))
    return (len(text) + 3) // 4


def tool_arguments(schema: Json | None, prompt: str, switches: Switches) -> str:
    """Return a tool call's arguments as the model writes them."""
    if "bad-arguments" in switches:
        return '{"city": "Lis'
    return json.dumps(instance(schema or {}, prompt))


def instance(schema: Json, prompt: str, root: Json | None = None, name: str = "value") -> Any:
    """Return a value that a JSON schema allows."""
    root = schema if root is None else root
    if "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found.get(step, {})
        return instance(found, prompt, root, name)
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("enum"):
        return schema["enum"][0]
    for group in ("anyOf", "oneOf", "allOf"):
        if schema.get(group):
            return instance(schema[group][0], prompt, root, name)
    kind = schema.get("type", "object")
    return _typed(kind[0] if isinstance(kind, list) else kind, schema, prompt, root, name)


def _typed(kind: str, schema: Json, prompt: str, root: Json, name: str) -> Any:
    if kind == "object":
        wanted = schema.get("properties", {})
        return {key: instance(part, prompt, root, key) for key, part in wanted.items()}
    if kind == "array":
        return [instance(schema.get("items", {"type": "string"}), prompt, root, name)]
    plain = {"integer": schema.get("minimum", 3), "number": schema.get("minimum", 1.5), "boolean": True, "null": None}
    return plain[kind] if kind in plain else _word(name, prompt)


def _word(name: str, prompt: str) -> str:
    if "city" in name or "place" in name:
        return next((city for city in _CITIES if city.lower() in prompt.lower()), _CITIES[0])
    return f"{name} of the stub"


def chat_usage(prompt: int, answer: int, switches: Switches) -> Json:
    """Return usage as chat and legacy completions report it."""
    everything = "usage-all" in switches
    cached = prompt // 2 if everything or "cached" in switches else 0
    reasoning = 64 if everything or "reasoning" in switches else 0
    audio_in, audio_out = (5, 11) if everything or "audio" in switches else (0, 0)
    accepted, rejected = (7, 3) if everything or "predicted" in switches else (0, 0)
    prompt += audio_in
    answer += reasoning + audio_out + accepted + rejected
    details: Json = {"cached_tokens": cached, "audio_tokens": audio_in}
    if everything or "cache-write" in switches:
        details["cache_write_tokens"] = prompt // 4
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": details,
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": audio_out,
            "accepted_prediction_tokens": accepted,
            "rejected_prediction_tokens": rejected,
        },
    }


def item_usage(prompt: int, answer: int, switches: Switches) -> Json:
    """Return usage as the Responses API reports it."""
    everything = "usage-all" in switches
    reasoning = 64 if everything or "reasoning" in switches else 0
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": prompt // 2 if everything or "cached" in switches else 0,
            "cache_write_tokens": prompt // 4 if everything or "cache-write" in switches else 0,
        },
        "output_tokens": answer + reasoning,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": prompt + answer + reasoning,
    }
