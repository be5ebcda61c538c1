"""What an agent recorded, in a store: two runs of one conversation, log lines, and a prompt full of markup."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk.resources import Resource

from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter
from tests.unit.store import making

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

MANY = 1 << 30
MARKUP = (
    "<script>alert('script')</script><img src=x onerror=alert('image')><svg/onload=alert('svg')>"
    "<a href=\"javascript:alert('link')\">link</a></pre></main><iframe srcdoc='<script>parent.alert(1)</script>'>"
    "{{7*7}} ${alert('template')} \u202e\x00 &lt;b&gt; ]]> --> '\""
)
WEATHER = Resource({"service.name": "weather"})


def trace_id(number: int) -> str:
    return f"{number:032x}"


def span_id(number: int) -> str:
    return f"{number:016x}"


def model_call(
    id_: int,
    at: float,
    took: float,
    *,
    trace: int,
    asked: str,
    answered: dict[str, Any],
    cost: float = 0.25,
    **more: Any,
) -> ReadableSpan:
    """Return the span of a chat with its messages."""
    told = [{"role": "user", "parts": [{"type": "text", "content": asked}]}]
    return making.span(
        "chat gpt-5",
        at,
        took,
        trace=trace,
        id=id_,
        parent=1,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-5",
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
            "obs.cost.total": cost,
            "gen_ai.conversation.id": "trip-1",
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "You plan trips."}]),
            "gen_ai.input.messages": json.dumps(told),
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [answered], "finish_reason": "stop"}]),
        },
        **more,
    )


def run(trace: int, at: float, *, asked: str = "Weather in Paris?", error: str | None = None) -> list[ReadableSpan]:
    """Return the spans of one run of the agent."""
    wish = {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Paris"}}
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "planner",
        "gen_ai.conversation.id": "trip-1",
    }
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "deep.number": 2**60,
        "gen_ai.tool.call.arguments": '{"city": "Paris"}',
        "gen_ai.tool.call.result": '{"celsius": 21}',
    }
    return [
        making.span("invoke_agent planner", at, 1000, trace=trace, id=1, attributes=agent),
        model_call(2, at + 10, 300, trace=trace, asked=asked, answered=wish),
        making.span(
            "execute_tool get_weather", at + 320, 200, trace=trace, id=3, parent=1, attributes=tool, error=error
        ),
        making.span("GET /weather", at + 330, 150, trace=trace, id=4, parent=3, resource=WEATHER),
        model_call(5, at + 530, 400, trace=trace, asked=asked, answered={"type": "text", "content": "21 degrees."}),
    ]


def write(path: Path) -> None:
    """Write two runs, the second with an error and markup."""
    spans = StoreSpanExporter(path, MANY)
    spans.export(run(1, 0))
    spans.export(run(2, 60_000, asked=MARKUP, error="the weather service\ndid not answer"))
    StoreLogExporter(path, MANY).export(
        [
            making.log("asking the model", 20, trace=1, span=2),
            making.log("asking the model", 60_020, trace=2, span=2),
            making.log("slow", 60_400, trace=2, span=3, severity=SeverityNumber.WARN, attributes={"seconds": 0.2}),
            making.log(MARKUP, 60_410, trace=2, span=3, severity=SeverityNumber.ERROR),
            making.log("of no span that is there", 60_500, trace=2, span=99),
        ]
    )
