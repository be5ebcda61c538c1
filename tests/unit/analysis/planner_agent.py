"""An agent that plans a day: it asks a model, looks things up, lets a helper work, and fails where it is told to."""

import logging
import os
import sys
import time

from obs_run.tracing import SpanKind, get_tracer, trace_agent, trace_model_call, trace_tool

MODEL = os.environ.get("MODEL", "gpt-5-mini")
PACE = float(os.environ.get("PACE", "0.002"))
log = logging.getLogger("planner")


def ask(question: str, answer: str) -> None:
    """Ask the model, which takes its time."""
    with trace_model_call(MODEL, provider="openai") as call:
        call.set_input(question)
        time.sleep(PACE)
        call.set_usage(input_tokens=1000, output_tokens=100)
        call.set_output(answer)


@trace_tool
def weather(city: str) -> str:
    """Say the same of every city."""
    time.sleep(0.001)
    return f"sunny in {city}"


@trace_tool
def hotel(city: str) -> str:
    """Fail, as the booking service does today."""
    with get_tracer().span("GET /rooms", kind=SpanKind.CLIENT, tags={"server.address": "rooms.example"}):
        raise ConnectionError(f"no room in {city}")


@trace_agent("helper")
def phrases(city: str) -> None:
    """Write what a tourist says."""
    ask(f"phrases for {city}", "obrigado")


@trace_agent("planner", conversation_id="trip-1")
def plan(city: str) -> None:
    """Plan the day."""
    ask(f"a day in {city}", "look at the weather")
    for _ in range(3):
        weather(city)
    try:
        hotel(city)
    except ConnectionError as error:
        log.warning("no hotel: %s", error)
    phrases(city)
    ask(f"a day in {city}, at last", f"walk through {city}")


if "DOUBT" in os.environ:
    log.error(os.environ["DOUBT"])
    sys.exit()
for _ in range(int(os.environ.get("RUNS", "1"))):
    plan(sys.argv[1])
if len(sys.argv) > 2:
    raise RuntimeError(sys.argv[2])
