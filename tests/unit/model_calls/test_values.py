"""Values that no wire format or telemetry likes: they cost nobody else anything, and are kept where they can be."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples import crossed
from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from tests.unit.agents import Run

ON = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"}
BEGIN = "from fake_models import *\n"

ODD = """
from opentelemetry import trace, metrics, _logs
from opentelemetry._logs import LogRecord, SeverityNumber
tracer = trace.get_tracer("tracer\\ud800", attributes={"s": "\\ud800"})
odd = {"half": "x\\ud800y", "big": 2**70, "list": ["\\ud800", "b"], "k\\ud800": 1, "fine": "fine"}
with tracer.start_as_current_span("na\\ud83dme", attributes=odd) as span:
    span.add_event("ev\\ud800ent", odd)
    span.set_status(trace.StatusCode.ERROR, "bad \\ud800")
with tracer.start_as_current_span("plain", links=[trace.Link(span.get_span_context(), odd)]): pass
meter = metrics.get_meter("meter\\ud800")
meter.create_counter("big", description="\\ud800").add(2**63, {"l": "\\ud800"})
meter.create_counter("usual").add(1)
meter.create_histogram("histogram").record(2**70)
meter.create_gauge("gauge").set(-2**80)
body = {"a": "\\ud800", "b": [2**66, {"c": "\\udfff"}]}
told = {"body": body, "severity_number": SeverityNumber.INFO, "event_name": "e\\ud800"}
_logs.get_logger("l").emit(LogRecord(**told, attributes=odd))
told = completion(tool_calls=[tool_call("pay", '{"wei": 12500000000000000000}')])
told["usage"] = {"prompt_tokens": 2**63, "completion_tokens": 5}
told["model"] = "half \\ud800"
client(told).chat.completions.create(**QUESTION)
client(completion()).chat.completions.create(**QUESTION)
"""


ALONE = {"OBS_RUN_SPAN": "false", "OBS_INFER_TOOLS": "false"}


def test_what_otlp_cannot_say_loses_nothing_else(agent: Run) -> None:
    with Receiver() as receiver:
        ran = agent(BEGIN + ODD, **ON, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, **ALONE)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    spans = {span.name: span.attributes for span in receiver.spans}
    said = {"half": "x?y", "big": str(2**70), "list": ["?", "b"], "k?": 1, "fine": "fine"}
    assert spans["na?me"] == said
    assert len(receiver.spans) == 4
    chats = [span.attributes for span in receiver.spans if span.name == "chat gpt-4o-mini"]
    assert [each.get("gen_ai.usage.input_tokens") for each in chats] == [None, 10]
    assert [each["gen_ai.usage.output_tokens"] for each in chats] == [5, 5]
    metrics = {metric.name: metric.values for metric in receiver.metrics}
    assert (metrics["big"], metrics["usual"], metrics["gauge"]) == ([float(2**63)], [1], [float(-(2**80))])
    assert len(metrics["gen_ai.client.operation.duration"]) == 2
    (log,) = [log for log in receiver.logs if log.attributes.get("half")]
    assert log.body == {"a": "?", "b": [str(2**66), {"c": "?"}]}
    assert log.attributes == said


def test_variables_of_any_bytes_are_no_loss(agent: Run) -> None:
    with Receiver() as receiver:
        source = "from opentelemetry import trace\ntrace.get_tracer('t').start_span('work').end()\n"
        odd = os.fsdecode(b"team=a\xff")
        ran = agent(source, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, OTEL_RESOURCE_ATTRIBUTES=odd)
    assert (ran.code, ran.err) == (0, "")
    assert "work" in [span.name for span in receiver.spans]


LESS_THAN_NOTHING = """
import logging
from telemetry_probe import show
for usage in ({"prompt_tokens": -1, "completion_tokens": 5}, {"prompt_tokens": 10, "completion_tokens": -1}, {
    "prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": -1}}):
    client({**completion(), "usage": usage}).chat.completions.create(**QUESTION)
show()
"""


def test_counts_below_zero_are_unknown(agent: Run) -> None:
    ran = agent(BEGIN + LESS_THAN_NOTHING, **ON)
    assert ran.err == ""
    tokens = ("input_tokens", "output_tokens", "cache_read.input_tokens")
    spans = [span["attributes"] for span in ran.seen["spans"]]
    used = [tuple(each.get(f"gen_ai.usage.{name}") for name in tokens) for each in spans]
    assert used == [(None, 5, None), (10, None, None), (10, 5, None)]
    amounts = [value for each in spans for name, value in each.items() if name.startswith("obs.cost")]
    assert all(amount >= 0 for amount in amounts if isinstance(amount, float))


NAMED = """
import enum
from telemetry_probe import show
class M(str, enum.Enum): MINI = "gpt-4o-mini"
class T(str):
    def __str__(self): return "lie"
    def __format__(self, spec): return "lie"
for model in (M.MINI, T("gpt-4o-mini")):
    client(completion()).chat.completions.create(model=model, stop=[M.MINI], messages=[
        {"role": T("user"), "content": M.MINI}])
    client(response()).responses.create(model=model, input=M.MINI)
show()
"""


def test_texts_of_other_classes_are_plain(agent: Run) -> None:
    spans = agent(BEGIN + NAMED, **ON).seen["spans"]
    assert [span["name"] for span in spans] == ["chat gpt-4o-mini"] * 4
    for span in spans:
        assert span["attributes"]["gen_ai.request.model"] == "gpt-4o-mini"
        (message,) = json.loads(span["attributes"]["gen_ai.input.messages"])
        assert (message["role"], message["parts"][0]["content"]) == ("user", "gpt-4o-mini")
        assert span["attributes"].get("gen_ai.request.stop_sequences", ["gpt-4o-mini"]) == ["gpt-4o-mini"]


ARGUMENTS = [
    '{"wei": 12500000000000000000, "rate": 0.12345678901234567890123}',
    '{"a": 1, "a": 2}',
    '{"half": "\\ud83d"}',
    '{"never closed": [',
    "[" * 5000,
    "NaN",
]


@pytest.mark.sampled
@pytest.mark.parametrize(("streams", "arguments"), crossed([False, True], ARGUMENTS))
def test_what_the_model_wrote_is_kept_as_it_was(arguments: str, streams: bool, agent: Run) -> None:  # noqa: FBT001
    source = f"""
from telemetry_probe import show
call, asked = tool_call("pay", {arguments!r}), dict(QUESTION)
asked["messages"] = [{{"role": "assistant", "tool_calls": [call]}},
    {{"role": "tool", "tool_call_id": "t1", "content": {arguments!r}}}]
told = [chunk({{"tool_calls": [{{"index": 0, **call}}]}}), chunk({{}}, "tool_calls")] if {streams} else (
    completion(tool_calls=[call]))
got = client(told).chat.completions.create(**asked, stream={streams})
if {streams}: list(got)
client(response({{"type": "function_call", "id": "i", "call_id": "t1", "name": "pay", "arguments": {arguments!r}}})
    ).responses.create(model="m", input=[{{"type": "function_call_output", "call_id": "t1", "output": {arguments!r}}}])
show()
"""
    told = [span["attributes"] for span in agent(BEGIN + source, **ON).seen["spans"]]
    chat, answer = [each for each in told if each["gen_ai.operation.name"] == "chat"]
    tools = [each for each in told if each["gen_ai.operation.name"] == "execute_tool"]
    assert {each["gen_ai.tool.call.arguments"] for each in tools} == {arguments}
    calls = json.loads(chat["gen_ai.input.messages"])
    assert calls[0]["parts"][0]["arguments"] == arguments
    assert calls[1]["parts"][0]["response"] == arguments
    assert json.loads(chat["gen_ai.output.messages"])[0]["parts"][-1]["arguments"] == arguments
    assert json.loads(answer["gen_ai.input.messages"])[0]["parts"][0]["response"] == arguments
    assert json.loads(answer["gen_ai.output.messages"])[0]["parts"][0]["arguments"] == arguments


CHANGED = """
from telemetry_probe import show
schema = {"type": "object", "properties": {"item": {"type": "string", "enum": ["was"]}}}
asked = {"model": "m", "tools": [{"type": "function", "function": {"name": "pick", "parameters": schema}}],
    "messages": [{"role": "user", "content": [{"type": "text", "text": "was"}]}]}
def change():
    schema["properties"]["item"]["enum"][:] = ["CHANGED"]
    asked["messages"][0]["content"][0]["text"] = "CHANGED"
    asked["messages"].append({"role": "user", "content": "CHANGED"})
"""
LATER = {
    "after the call": "client(completion()).chat.completions.create(**asked)\nchange()",
    "while it waits": "client(lambda _: change() or completion()).chat.completions.create(**asked)",
    "while it streams": "for _ in client(HELLO).chat.completions.create(**asked, stream=True): change()",
}


@pytest.mark.sampled
@pytest.mark.parametrize("when", LATER)
def test_content_is_as_it_was_when_the_call_was_made(when: str, agent: Run) -> None:
    (span,) = agent(f"{BEGIN}{CHANGED}{LATER[when]}\nshow()", **ON).seen["spans"]
    attributes: dict[str, Any] = span["attributes"]
    assert "CHANGED" not in json.dumps(attributes)
    assert "was" in attributes["gen_ai.input.messages"]
    assert "was" in attributes["gen_ai.tool.definitions"]


def test_a_call_is_not_lost_for_its_content(agent: Run) -> None:
    source = """
from telemetry_probe import show
from obs_instrumentors.wire.openai import chat
def fails(*_): raise RuntimeError("no")
chat.chat_message = fails
client(completion()).chat.completions.create(**QUESTION)
asked = {**QUESTION, "stream": True, "stream_options": {"include_usage": True}}
list(client([*HELLO, usage_chunk()]).chat.completions.create(**asked))
show()
"""
    for span in agent(BEGIN + source, **ON).seen["spans"]:
        assert span["attributes"]["gen_ai.usage.input_tokens"] == 10
        assert span["attributes"]["gen_ai.response.finish_reasons"] == ["stop"]
        assert span["attributes"]["gen_ai.request.model"] == "gpt-4o-mini"


def test_a_history_is_not_parsed_to_be_written_again(agent: Run) -> None:
    source = """
from telemetry_probe import show
parsed = []
loads = json.loads
def counted(text, *args, **more): parsed.append(len(text)); return loads(text, *args, **more)
json.loads = counted
result = json.dumps([{"id": number} for number in range(1000)])
history = [{"role": "tool", "tool_call_id": "t1", "content": result} for _ in range(20)]
client(completion()).chat.completions.create(model="m", messages=history)
show(parsed=sum(parsed))
"""
    seen = agent(BEGIN + source, **ON).seen
    assert seen["parsed"] < 2000
    assert "999" in seen["spans"][0]["attributes"]["gen_ai.input.messages"]
