# ruff: noqa: BLE001, G004 - agents catch everything and log with f-strings
"""A trip planner: asks a model, runs the tools that it wants, looks things up, and lets a worker help.

Needs OPENAI_API_KEY, and OPENAI_BASE_URL for anything but OpenAI itself; OPENAI_MODEL picks the model.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from openai import BadRequestError, OpenAI

MODEL = os.environ.get("OPENAI_MODEL", "gpt-5-mini")
EMBEDDING_MODEL = os.environ.get("OPENAI_EMBEDDING_MODEL", "text-embedding-3-small")

logging.basicConfig(format="%(levelname)-7s %(name)s: %(message)s")
logging.getLogger("openai").setLevel(logging.INFO)  # says when it retries
log = logging.getLogger("trip")
log.setLevel(logging.INFO)
tool_log = logging.getLogger("trip.tools")
tool_log.propagate = False
tool_log.addHandler(logging.StreamHandler())

NOTES = (
    "The castle of Lisbon opens at nine and is quiet before ten.",
    "Tram 28 in Lisbon is crowded at noon; ride it early.",
    "Kyoto's temples close at five in winter.",
)
FORECASTS = {"Lisbon": "21 degrees and sunny", "Oslo": "3 degrees and snow"}


def weather(city: str) -> str:
    """Return the forecast of a city."""
    return f"{city}: {FORECASTS[city]}"


def hotel(city: str) -> str:
    """Find a room; the booking service is closed today."""
    raise ConnectionError(f"the booking service for {city} does not answer")


TOOLS = {"weather": weather, "hotel": hotel}
TOOL_SCHEMAS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": tool.__doc__,
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for name, tool in TOOLS.items()
]


def run_tool(name: str, arguments: str) -> str:
    """Run a tool the model asked for; a failing tool is an answer too."""
    try:
        result = TOOLS[name](**json.loads(arguments))
    except Exception as error:
        tool_log.error(f"tool {name} failed: {error}")
        return f"{name} is not available"
    tool_log.info(f"tool {name} says: {result}")
    return result


def plan(client: OpenAI, city: str, notes: list[str]) -> str:
    """Let the model plan, running tools until it is content."""
    prompt = f"Plan one day in {city}. Check the weather and find a hotel. What I know: {' '.join(notes)}"
    messages: list[Any] = [
        {"role": "system", "content": "You are a brief and friendly trip planner."},
        {"role": "user", "content": prompt},
    ]
    for _ in range(5):
        message = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOL_SCHEMAS).choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message)
        for call in message.tool_calls:
            if call.type == "function":
                content = run_tool(call.function.name, call.function.arguments)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
    log.warning("the model never stopped asking for tools")
    return ""


def recall(client: OpenAI, question: str, count: int = 2) -> list[str]:
    """Return the notes nearest to a question."""
    found = client.embeddings.create(model=EMBEDDING_MODEL, input=[question, *NOTES])
    asked, *known = (item.embedding for item in found.data)
    near = [sum(a * b for a, b in zip(asked, vector, strict=True)) for vector in known]
    best = sorted(range(len(NOTES)), key=lambda index: near[index], reverse=True)[:count]
    log.info(f"recalled {count} of {len(NOTES)} notes")
    return [NOTES[index] for index in best]


def ask(client: OpenAI, question: str) -> str:
    """Ask one question."""
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": question}])
    return answer.choices[0].message.content or ""


def timetable(client: OpenAI) -> str:
    """Ask for more than a model can hold, and live without it."""
    try:
        return ask(client, "List every train timetable ever printed, in one line.")
    except BadRequestError as error:
        log.warning(f"no timetable: {error.code}")
        return ""


def packing_list(client: OpenAI, city: str) -> str:
    """Read a streamed answer to its end."""
    question = f"Write a packing list for {city} in one sentence."
    parts: list[str] = []
    with client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": question}], stream=True
    ) as stream:
        for chunk in stream:
            parts += (choice.delta.content or "" for choice in chunk.choices)
    log.info(f"packing list came in {len(parts)} pieces")
    return "".join(parts)


def phrases(city: str) -> str:
    """Have the worker write the phrases."""
    worker = Path(__file__).with_name("worker.py")
    done = subprocess.run([sys.executable, str(worker), city], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main() -> None:
    """Plan a day in the city named on the command line."""
    city = sys.argv[1] if len(sys.argv) > 1 else "Lisbon"
    client = OpenAI()
    log.info(f"planning a day in {city} with {MODEL}")
    print("Plan:    ", plan(client, city, recall(client, f"What should I know about {city}?")))
    print("Traffic: ", ask(client, f"In one sentence: how do I avoid rush hour in {city}?"))
    timetable(client)
    print("Packing: ", packing_list(client, city))
    print("Phrases: ", phrases(city))


if __name__ == "__main__":
    main()
