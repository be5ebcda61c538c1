"""An agent that serves until it is ended, for the dashboards: it asks a model, runs a tool, and at times fails."""

import signal
import sys
import threading
from typing import Any

from openai import APIError, OpenAI

from obs_run.tracing import trace_agent, trace_tool

stopped = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopped.set())
client = OpenAI()


@trace_tool("look_up")
def look_up(question: str) -> str:
    """Ask a model; fail for what is no question."""
    if not question.endswith("?"):
        raise ValueError(question)
    messages: Any = [{"role": "user", "content": question}]
    return client.chat.completions.create(model="gpt-5-mini", messages=messages).choices[0].message.content or ""


@trace_agent("guide")
def answer(question: str) -> None:
    """Ask, and look things up."""
    messages: Any = [{"role": "user", "content": question}]
    client.chat.completions.create(model="gpt-5-mini", messages=messages)
    with client.chat.completions.create(model="gpt-5-mini", messages=messages, stream=True) as stream:
        for _ in stream:
            pass
    look_up(question)


QUESTIONS = (
    "In one sentence: how do I avoid rush hour in Oslo?",
    "In one sentence: avoid rush hour in Oslo.",
    "List every train timetable ever printed, in one line.",
)


def try_to_answer(question: str) -> None:
    """Say what failed, and go on."""
    try:
        answer(question)
    except (APIError, ValueError) as error:
        print(type(error).__name__, file=sys.stderr)


while not stopped.wait(0.2):
    for question in QUESTIONS:
        try_to_answer(question)
