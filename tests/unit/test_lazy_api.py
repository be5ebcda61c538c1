from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run

LIGHT = """
    import sys
    def sdk():
        heavy = ("opentelemetry.sdk", "google.protobuf", "http.client")
        return sorted(name for name in sys.modules if name.startswith(heavy))
"""


def test_libraries_that_only_ask_at_import_load_no_sdk(agent: Run) -> None:
    ran = agent(f"""{LIGHT}
    from opentelemetry import _logs, metrics, trace

    tracer = trace.get_tracer("library", "1", schema_url="s")
    trace.get_tracer_provider().get_tracer("other")
    counter = metrics.get_meter("library").create_counter("calls")
    _logs.get_logger("library")

    @tracer.start_as_current_span("decorated")
    def decorated():
        return trace.get_current_span().is_recording()

    assert isinstance(tracer, trace.ProxyTracer)
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    assert not trace.get_current_span().is_recording()
    assert not sdk(), sdk()
    assert decorated()
    assert sdk()
    """)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("work", "arrived"),
    [
        ("trace.get_tracer('t').start_span('s').end()", "spans"),
        ("metrics.get_meter('m').create_counter('c').add(1)", "metrics"),
        ("metrics.get_meter('m').create_histogram('h').record(1)", "metrics"),
        ("metrics.get_meter('m').create_up_down_counter('u').add(-1)", "metrics"),
        ("metrics.get_meter('m').create_gauge('g').set(1)", "metrics"),
        ("metrics.get_meter('m').create_observable_gauge('o', [lambda _: [metrics.Observation(1)]])", "metrics"),
        ("_logs.get_logger('l').emit(_logs.LogRecord(body='b', severity_number=_logs.SeverityNumber.INFO))", "logs"),
    ],
)
def test_each_signal_alone_arrives(agent: Run, work: str, arrived: str) -> None:
    ran = agent(f"""
    from opentelemetry import _logs, metrics, trace
    {work}
    import telemetry_probe
    telemetry_probe.show()
    """)
    assert len(ran.seen[arrived]) == 1
    assert ran.err == ""


OWN_TRACES = """
    from opentelemetry import trace
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    theirs = InMemorySpanExporter()
    def own_provider():
        provider = TracerProvider(resource=Resource.create({"service.name": "mine"}))
        provider.add_span_processor(SimpleSpanProcessor(theirs))
        trace.set_tracer_provider(tracer_provider=provider)
        assert trace.get_tracer_provider() is provider
"""


@pytest.mark.parametrize("early", ["", "tracer.start_span('early').end()"])
def test_a_tracer_provider_of_the_agent_wins_whenever_it_comes(agent: Run, early: str) -> None:
    ran = agent(f"""{OWN_TRACES}
    import telemetry_probe
    tracer = trace.get_tracer("library")
    {early}
    own_provider()
    tracer.start_span("theirs").end()
    trace.get_tracer("another").start_span("theirs too").end()
    from obs_run.core import recorder
    from obs_run.core.operations import Inference
    recorder.start(Inference("chat", request_model="m")).end()
    telemetry_probe.show(theirs=[span.name for span in theirs.get_finished_spans()])
    """)
    spans = ran.spans()

    assert ran.seen["theirs"] == ["theirs", "theirs too", "chat m"]
    assert set(spans) == {"theirs", "theirs too", "chat m", *(["early"] if early else [])}
    assert len(ran.seen["spans"]) == len(spans)
    assert spans["theirs"]["resource"]["service.name"] == "mine"
    assert spans["theirs"]["resource"]["telemetry.distro.name"] == "obs-run"
    assert ran.err == ""


def test_a_provider_without_a_name_gets_ours(agent: Run) -> None:
    ran = agent("""
    import telemetry_probe
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    trace.set_tracer_provider(TracerProvider())
    trace.get_tracer("t").start_span("work").end()
    telemetry_probe.show()
    """)
    assert ran.spans()["work"]["resource"]["service.name"] == "agent"


def test_a_provider_set_before_obs_run_starts_is_adopted(agent: Run) -> None:
    ran = agent(
        f"""{OWN_TRACES}
    own_provider()
    import obs_run.auto
    import telemetry_probe
    trace.get_tracer("t").start_span("work").end()
    telemetry_probe.show(theirs=[span.name for span in theirs.get_finished_spans()])
    """,
        start=False,
    )
    assert ran.seen["theirs"] == ["work"]
    assert set(ran.spans()) == {"work"}


def test_a_second_provider_of_the_agent_is_refused_as_ever(agent: Run) -> None:
    ran = agent(f"""{OWN_TRACES}
    own_provider()
    trace.set_tracer_provider(TracerProvider())
    assert trace.get_tracer_provider().resource.attributes["service.name"] == "mine"
    """)
    assert ran.code == 0
    assert ran.err == "Overriding of current TracerProvider is not allowed\n"


def test_processors_may_be_added_before_anything_is_recorded(agent: Run) -> None:
    ran = agent("""
    import copy
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider = trace.get_tracer_provider()
    copy.copy(provider)
    assert provider.force_flush()
    provider.shutdown()
    assert hasattr(provider, "add_span_processor")
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider), "nobody needs a real one yet"
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.get_tracer("t").start_span("s").end()
    assert [span.name for span in exporter.get_finished_spans()] == ["s"]
    assert provider.force_flush()
    """)
    assert (ran.code, ran.err) == (0, "")


def test_processors_added_to_our_provider_see_the_spans(agent: Run) -> None:
    ran = agent("""
    import telemetry_probe
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    trace.get_tracer("t").start_span("before").end()
    theirs = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(theirs))
    trace.get_tracer("t").start_span("after").end()
    trace.get_tracer_provider().force_flush()
    trace.get_tracer_provider().shutdown()
    telemetry_probe.show(theirs=[span.name for span in theirs.get_finished_spans()])
    """)
    assert ran.seen["theirs"] == ["after"]
    assert set(ran.spans()) == {"before", "after"}


@pytest.mark.parametrize("early", ["", "calls.add(1)"])
def test_a_meter_provider_of_the_agent_wins_and_ours_keeps_our_metrics(agent: Run, early: str) -> None:
    ran = agent(f"""
    import telemetry_probe
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    calls = metrics.get_meter("library").create_counter("calls")
    {early}
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    metrics.set_meter_provider(provider)
    assert metrics.get_meter_provider() is provider
    calls.add(5)
    from obs_run.core import recorder
    from obs_run.core.operations import Inference
    recorder.start(Inference("chat", request_model="m")).end()
    seen = reader.get_metrics_data().resource_metrics[0].scope_metrics
    telemetry_probe.show(theirs=[(m.name, m.data.data_points[0].value) for scope in seen for m in scope.metrics])
    """)
    assert ran.seen["theirs"] == [["calls", 5]]
    assert "gen_ai.client.operation.duration" in ran.seen["metrics"]
    assert ran.err == ""


@pytest.mark.parametrize("early", ["", "say('early')"])
def test_a_logger_provider_of_the_agent_wins(agent: Run, early: str) -> None:
    ran = agent(f"""
    import telemetry_probe
    from opentelemetry import _logs
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor

    theirs = []
    class Keep(LogRecordProcessor):
        def on_emit(self, log_record): theirs.append(log_record.log_record.body)
        def shutdown(self): pass
        def force_flush(self, timeout_millis=0): return True

    logger = _logs.get_logger("library")
    def say(text):
        logger.emit(LogRecord(body=text, severity_number=SeverityNumber.INFO))
    {early}
    provider = LoggerProvider()
    provider.add_log_record_processor(Keep())
    _logs.set_logger_provider(provider)
    say("theirs")
    telemetry_probe.show(theirs=theirs)
    """)
    assert ran.seen["theirs"] == ["theirs"]
    assert set(ran.logs()) == {"theirs", *(["early"] if early else [])}
    assert ran.err == ""


def test_eager_sets_everything_up_at_start(agent: Run) -> None:
    ran = agent(f"{LIGHT}\n    assert sdk()", OBS_EAGER="true")
    assert (ran.code, ran.err) == (0, "")


def test_a_disabled_sdk_changes_nothing(agent: Run) -> None:
    ran = agent(
        f"""{LIGHT}
    import logging
    from opentelemetry import trace
    assert type(logging.Logger.callHandlers) is type(lambda: None)
    with trace.get_tracer("t").start_as_current_span("work") as span:
        assert not span.is_recording()
    assert not sdk()
    """,
        OTEL_SDK_DISABLED="true",
    )
    assert (ran.code, ran.err) == (0, "")
