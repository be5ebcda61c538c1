from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run

# One call of a model that is in the price table, with messages, tokens and two chunks; one tool; one failure.
WORK = """
import telemetry_probe
from obs_run.core import messages, recorder
from obs_run.core.operations import Embedding, Inference, ToolCall, Usage

def chat(**more):
    return Inference(
        "chat", provider="openai", request_model="gpt-4o", server_address="api.openai.com", server_port=443, **more)

call = recorder.start(chat(
    temperature=0.5, stream=True, extra={"openai.api.type": "chat_completions"},
    input_messages=[messages.message("user", messages.text("Why?"))]))
with call:
    call.chunk()
    call.chunk()
call.operation.response_model = "gpt-4o-2024-08-06"
call.operation.usage = Usage(1000, 500, cache_read_tokens=200, reasoning_tokens=100, audio_input_tokens=50)
call.operation.finish_reasons = ["stop"]
call.operation.output_messages = [messages.message("assistant", messages.text("So."), finish_reason="stop")]
call.end()
call.end(RuntimeError("too late"))

tool = recorder.start(ToolCall(tool_name="search", arguments={"q": "x"}, result="found"))
with tool:
    inner = recorder.start(chat())
    with inner:
        assert recorder.start(chat()) is None, "the outer library reports it"
    inner.end()
    again = recorder.start(chat())
    again.end()
tool.end()

class Broken(Exception):
    def __str__(self):
        raise ValueError("no text")

failed = recorder.start(chat())
try:
    with failed:
        raise Broken
except Broken as error:
    failed.end(error)

embedding = recorder.start(Embedding("embeddings", provider="openai", request_model="text-embedding-3-small"))
embedding.operation.usage = Usage(8)
embedding.end()

unknown = recorder.start(Inference("chat", provider="openai", request_model="no-such-model"))
unknown.operation.usage = Usage(1, 1)
unknown.end()
telemetry_probe.show()
"""
MODE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
NEW = {
    "gen_ai.client.inference.duration": "s",
    "gen_ai.client.inference.time_to_first_chunk": "s",
    "gen_ai.client.inference.time_per_output_chunk": "s",
    "gen_ai.client.inference.operation.input_tokens": "{token}",
    "gen_ai.client.inference.operation.output_tokens": "{token}",
    "gen_ai.client.inference.usage.input_tokens": "{token}",
    "gen_ai.client.inference.usage.output_tokens": "{token}",
    "gen_ai.client.inference.usage.cache_read.input_tokens": "{token}",
    "gen_ai.client.inference.usage.reasoning.output_tokens": "{token}",
}
OLD = {
    "gen_ai.client.operation.time_to_first_chunk": "s",
    "gen_ai.client.operation.time_per_output_chunk": "s",
    "gen_ai.usage.cost": "USD",
}
ALWAYS = {
    "obs.client.prompt_cache.lookups": "{call}",
    "gen_ai.client.operation.duration": "s",
    "gen_ai.client.token.usage": "{token}",
    "gen_ai.execute_tool.duration": "s",
    "obs.client.cost": "{USD}",
    "obs.client.cost.unknown": "{call}",
}


def _value(metric: dict[str, Any], **wanted: str) -> Any:
    points = [
        point
        for point in metric["points"]
        if all(point["attributes"].get(name.replace("__", ".")) == value for name, value in wanted.items())
    ]
    assert len(points) == 1, metric
    return points[0]["value"] if points[0]["value"] is not None else points[0]["sum"]


def test_one_operation_is_one_span_with_its_attributes_and_its_cost(agent: Run) -> None:
    seen = agent(WORK).seen
    streamed = next(span for span in seen["spans"] if span["attributes"].get("gen_ai.request.stream"))
    attributes = streamed["attributes"]

    assert (streamed["name"], streamed["kind"], streamed["status"]) == ("chat gpt-4o", "CLIENT", "UNSET")
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.provider.name"] == "openai"
    assert attributes["gen_ai.request.temperature"] == 0.5
    assert attributes["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert attributes["gen_ai.usage.input_tokens"] == 1000
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 200
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert attributes["openai.api.type"] == "chat_completions"
    assert attributes["obs.cost.total"] == pytest.approx(attributes["obs.cost.input"] + attributes["obs.cost.output"])
    assert 0.001 < attributes["obs.cost.total"] < 0.1
    assert attributes["obs.cost.price_table"]
    assert not [name for name in attributes if "messages" in name], "content is off by default"
    assert "error.type" not in attributes
    assert streamed["resource"]["telemetry.distro.name"] == "obs-run"
    assert streamed["resource"]["service.name"] == "agent"


def test_what_happens_in_a_tool_is_under_it_and_has_one_owner(agent: Run) -> None:
    seen = agent(WORK).seen
    tool = next(span for span in seen["spans"] if span["name"] == "execute_tool search")
    inside = [span for span in seen["spans"] if span["parent"] == tool["span"]]

    assert tool["kind"] == "INTERNAL"
    assert [span["name"] for span in inside] == ["chat gpt-4o", "chat gpt-4o"]
    assert len(seen["spans"]) == 7


def test_an_error_is_on_the_span_and_an_event(agent: Run) -> None:
    seen = agent(WORK).seen
    (failed,) = [span for span in seen["spans"] if span["status"] == "ERROR"]
    (event,) = [log for log in seen["logs"] if log["event"] == "gen_ai.client.operation.exception"]

    assert failed["attributes"]["error.type"] == "__main__.Broken"
    assert failed["description"] == "<Broken that cannot be shown>"
    assert event["attributes"]["exception.type"] == "__main__.Broken"
    assert "raise Broken" in event["attributes"]["exception.stacktrace"]
    assert (event["trace"], event["span"]) == (failed["trace"], failed["span"])


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("names", "expected"), [("both", {**NEW, **OLD, **ALWAYS}), ("new", {**NEW, **ALWAYS}), ("old", {**OLD, **ALWAYS})]
)
def test_metric_names_and_units(agent: Run, names: str, expected: dict[str, str]) -> None:
    metrics = agent(WORK, OBS_METRIC_NAMES=names).seen["metrics"]
    assert {name: metric["unit"] for name, metric in metrics.items()} == expected
    assert all(metric["description"] for metric in metrics.values())


def test_metric_values_buckets_and_labels(agent: Run) -> None:
    metrics = agent(WORK).seen["metrics"]
    duration = metrics["gen_ai.client.inference.duration"]["points"]
    tokens = metrics["gen_ai.client.inference.operation.input_tokens"]["points"]
    streamed = {"gen_ai.response.model": "gpt-4o-2024-08-06"}

    assert sum(point["count"] for point in duration) == 5
    assert duration[0]["bounds"] == pytest.approx([0.01 * 2**step for step in range(14)])
    assert tokens[0]["bounds"] == [4**step for step in range(14)]
    assert [point["attributes"]["error.type"] for point in duration if "error.type" in point["attributes"]] == [
        "__main__.Broken"
    ]
    by_modality = {
        point["attributes"]["gen_ai.token.modality"]: point["value"]
        for point in metrics["gen_ai.client.inference.usage.input_tokens"]["points"]
        if streamed.items() <= point["attributes"].items()
    }
    assert by_modality == {"audio": 50, "unknown": 950}
    assert _value(metrics["gen_ai.client.inference.usage.reasoning.output_tokens"]) == 100
    old = metrics["gen_ai.client.token.usage"]
    assert _value(old, gen_ai__token__type="output", gen_ai__response__model="gpt-4o-2024-08-06") == 500
    assert _value(old, gen_ai__operation__name="embeddings") == 8
    assert _value(old, gen_ai__token__type="input", gen_ai__response__model="gpt-4o-2024-08-06") == 1000
    assert _value(metrics["obs.client.cost.unknown"]) == 1
    counts: dict[str, int] = {}
    for point in metrics["gen_ai.client.operation.duration"]["points"]:
        operation = point["attributes"]["gen_ai.operation.name"]
        counts[operation] = counts.get(operation, 0) + point["count"]
    assert counts == {"chat": 5, "execute_tool": 1, "embeddings": 1}
    assert {"gen_ai.request.model": "gpt-4o", "server.port": 443}.items() <= duration[0]["attributes"].items()


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("mode", "on_span", "on_event"),
    [("NO_CONTENT", False, False), ("true", True, False), ("EVENT_ONLY", False, True), ("SPAN_AND_EVENT", True, True)],
)
def test_content_goes_where_it_is_wanted(agent: Run, mode: str, on_span: bool, on_event: bool) -> None:  # noqa: FBT001
    seen = agent(WORK, **{MODE: mode}).seen
    spans = [span["attributes"] for span in seen["spans"] if "gen_ai.input.messages" in span["attributes"]]
    events = [log for log in seen["logs"] if log["event"] == "gen_ai.client.inference.operation.details"]
    question = [{"role": "user", "parts": [{"type": "text", "content": "Why?"}]}]

    assert bool(spans) == on_span
    assert bool(events) == on_event
    if on_span:
        assert spans[0]["gen_ai.input.messages"] == ('[{"role":"user","parts":[{"type":"text","content":"Why?"}]}]')
        tool = next(span["attributes"] for span in seen["spans"] if span["name"] == "execute_tool search")
        assert tool["gen_ai.tool.call.arguments"] == '{"q":"x"}'
        assert tool["gen_ai.tool.call.result"] == "found"
    if on_event:
        details = next(log for log in events if "gen_ai.input.messages" in log["attributes"])
        assert details["attributes"]["gen_ai.input.messages"] == question
        assert details["attributes"]["gen_ai.usage.input_tokens"] == 1000
        assert details["trace"] == seen["spans"][0]["trace"]


def test_cost_can_be_switched_off(agent: Run) -> None:
    seen = agent(WORK, OBS_COST="false").seen
    assert not [span for span in seen["spans"] if "obs.cost.total" in span["attributes"]]


@pytest.mark.parametrize("sampler", ["always_off", "parentbased_always_off"])
def test_what_is_not_sampled_is_measured_all_the_same(agent: Run, sampler: str) -> None:
    seen = agent(WORK, OTEL_TRACES_SAMPLER=sampler).seen
    assert seen["spans"] == []
    assert sum(point["count"] for point in seen["metrics"]["gen_ai.client.inference.duration"]["points"]) == 5


def test_a_provider_without_processors_loses_no_measurement_and_no_memory(agent: Run) -> None:
    ran = agent("""
    import telemetry_probe
    from opentelemetry import trace

    trace.set_tracer_provider(trace.NoOpTracerProvider())
    from obs_run.core import recorder
    from obs_run.core.operations import Inference
    from obs_run.core.open_recordings import open_recordings
    from obs_run.runtime.process_runtime import runtime

    for _ in range(3):
        recorder.start(Inference("chat", request_model="m")).end()
    telemetry_probe.show(left=len(open_recordings) + len(runtime()._span_processor._operations))
    """)
    assert ran.seen["left"] == 0
    assert ran.seen["metrics"]["gen_ai.client.operation.duration"]["points"][0]["count"] == 3


@pytest.mark.parametrize("when", ["before", "amid"])
def test_another_processor_beside_ours_reads_the_whole_span(agent: Run, when: str) -> None:
    ran = agent(f"""
    import telemetry_probe
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from obs_run.core import recorder
    from obs_run.core.operations import Inference, Usage

    kept = InMemorySpanExporter()

    def add():
        trace.get_tracer("agent").start_span("first").end()
        trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(kept))

    if "{when}" == "before":
        add()
    call = recorder.start(Inference("chat", request_model="m", provider="openai"))
    if "{when}" == "amid":
        add()
    call.operation.usage = Usage(3, 4)
    call.operation.finish_reasons = ["stop"]
    call.end()
    telemetry_probe.show(theirs=[dict(span.attributes) for span in kept.get_finished_spans()])
    """)
    (theirs,) = ran.seen["theirs"]
    ours = ran.spans()["chat m"]["attributes"]
    assert theirs["gen_ai.usage.output_tokens"] == 4
    assert theirs == {name: value for name, value in ours.items() if name in theirs}


def test_a_call_made_later_by_what_a_call_began_is_recorded(agent: Run) -> None:
    """A task that outlives the call keeps its context, and must not count as part of it for ever."""
    ran = agent("""
    import contextvars
    import telemetry_probe
    from obs_run.core import recorder
    from obs_run.core.operations import Inference

    outer = recorder.start(Inference("chat", request_model="outer"))
    with outer:
        kept = contextvars.copy_context()
    outer.end()
    later = kept.run(recorder.start, Inference("chat", request_model="later"))
    later.end()
    telemetry_probe.show()
    """)
    assert set(ran.spans()) == {"chat outer", "chat later"}


NOWHERE = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
CALLS = """
    from opentelemetry import metrics, trace
    from obs_run.core import content, recorder
    from obs_run.core.operations import Inference, Usage

    def call(number):
        recording = recorder.start(Inference("chat", request_model="m"))
        recording.operation.response_id = number
        recording.operation.usage = Usage(7, 1)
        recording.end()
        assert recording.span.get_span_context().is_valid

    assert not content.wanted()
    call("unread")
"""


def test_what_goes_nowhere_is_made_for_a_processor_of_the_agents(agent: Run) -> None:
    more = """
    from opentelemetry.sdk.trace import SpanProcessor

    class Mine(SpanProcessor):
        def on_end(self, span):
            print(span.name, span.attributes["gen_ai.response.id"])

    trace.get_tracer_provider().add_span_processor(Mine())
    call("read")
    """
    ran = agent(CALLS + more, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY", **NOWHERE)
    assert (ran.code, ran.out, ran.err) == (0, "chat m read\n", "")


def test_what_goes_nowhere_is_measured_for_a_meter_provider_of_the_agents(agent: Run) -> None:
    more = """
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    call("read")
    trace.get_tracer_provider().force_flush()
    points = [
        point
        for resource in reader.get_metrics_data().resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if metric.name == "gen_ai.client.token.usage" and point.attributes["gen_ai.token.type"] == "input"
    ]
    print([point.sum for point in points])
    """
    ran = agent(CALLS + more, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true", **NOWHERE)
    assert (ran.code, ran.out) == (0, "[7]\n"), ran.err


def test_what_the_garbage_collector_ends_in_the_export_thread_is_exported(agent: Run) -> None:
    seen = agent(
        """
        import time
        from opentelemetry import trace
        from obs_run.core import recorder
        from obs_run.core.operations import Inference
        from obs_run.runtime.process_runtime import runtime

        spans = [trace.get_tracer("agent").start_span("span") for _ in range(3)]
        calls = [recorder.start(Inference("chat", request_model="m")) for _ in range(3)]

        def end_all():
            assert runtime().is_exporting()
            trace.get_tracer("agent").start_span("export thread's own").end()
            for each in (*spans, *calls):
                each.end()

        runtime().call_later(end_all)
        assert runtime().queue().flush(time.monotonic() + 60)
        import telemetry_probe
        telemetry_probe.show()
        """
    ).seen
    assert sorted(span["name"] for span in seen["spans"]) == ["chat m"] * 3 + ["span"] * 3
