from __future__ import annotations

import re

import pytest

from obs_run import settings

WRONG = [
    ("OTEL_SDK_DISABLED", "perhaps", "true or false"),
    ("OTEL_TRACES_SAMPLER", "sometimes", "always_on, always_off"),
    ("OTEL_TRACES_SAMPLER_ARG", "1.5", "a number from 0 to 1"),
    ("OTEL_TRACES_SAMPLER_ARG", "nan", "a number from 0 to 1"),
    ("OTEL_TRACES_EXPORTER", "jaeger", "a comma list of otlp, store"),
    ("OTEL_METRICS_EXPORTER", "statsd", "prometheus"),
    ("OTEL_LOGS_EXPORTER", "file", "a comma list of otlp"),
    ("OTEL_EXPORTER_PROMETHEUS_PORT", "65536", "a whole number from 0 to 65535"),
    ("OTEL_EXPORTER_PROMETHEUS_PORT", "inf", "a whole number from 0 to 65535"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "0", "milliseconds, from 1 to"),
    ("OTEL_BSP_SCHEDULE_DELAY", "1e300", "milliseconds, from 0 to"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere", "http://host:port or https://host:port"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://host:4318", "http://host:port"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "http://host:port"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://host:port", "http://host:port"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://host:99999", "http://host:port"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ho st:4318", "http://host:port"),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "http/protobuf, grpc"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1", "milliseconds, from 1 to"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip, none"),
    ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "both", "cumulative, delta, lowmemory"),
    ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "all", "NO_CONTENT, SPAN_ONLY"),
    ("OBS_CONTENT_MAX_CHARS", "1.5", "a whole number, 0 or more"),
    ("OBS_METRIC_NAMES", "newest", "new, old, both"),
    ("OBS_RUN_SPAN_SECONDS", "soon", "seconds, from 1 to"),
    ("OBS_QUEUE_BYTES", "many", "a size such as 65536, 512KiB or 64MiB"),
    ("OBS_QUEUE_BYTES", "1TB", "a size such as 65536"),
    ("OBS_FLUSH_SECONDS", "inf", "seconds, from 0 to 3600"),
    ("OBS_FLUSH_SECONDS", "86400", "seconds, from 0 to 3600"),
    ("OBS_BATCH_BYTES", "0", "a size such as 65536, 512KiB or 64MiB, from 1 to 1GiB"),
    ("OBS_QUEUE_BYTES", "0", "from 1 to 1024GiB"),
    ("OBS_QUEUE_BYTES", "99999999999G", "from 1 to 1024GiB"),
    ("OBS_STORE_MAX_BYTES", "1", "from 1048576 to"),
    ("OBS_STORE_KEEP", "99999999d", "up to 36525d"),
    ("OBS_LOG_FILE_AGE", "1e300", "up to 36525d"),
    ("OBS_RUN_SPAN_SECONDS", "0.001", "seconds, from 1 to"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "milliseconds, from 1 to"),
    ("OTEL_RESOURCE_ATTRIBUTES", "just-a-word", "key=value pairs"),
]


@pytest.mark.parametrize(("name", "text", "allowed"), WRONG)
def test_a_wrong_value_is_one_line_with_name_value_and_what_is_allowed(name: str, text: str, allowed: str) -> None:
    value = settings.lookup(name, {name: text})

    assert value.problem is not None
    assert value.problem.startswith(f"{name}: {text!r} is not allowed; allowed: ")
    assert allowed in value.problem
    assert "\n" not in value.problem
    assert value.source == "default"
    assert value.value == settings.lookup(name, {}).value
    assert settings.problems({name: text}) == [value.problem]


@pytest.mark.parametrize(
    ("name", "text", "value", "said"),
    [
        ("OTEL_TRACES_EXPORTER", "otlp,jaeger", ("otlp",), "allowed: a comma list of otlp, store"),
        ("OTEL_METRICS_EXPORTER", "promethues,otlp", ("otlp",), "(did you mean 'prometheus'?)"),
        ("OTEL_PROPAGATORS", "TraceContext,bagage", ("tracecontext",), "(did you mean 'baggage'?)"),
    ],
)
def test_what_is_right_of_a_list_is_used(name: str, text: str, value: tuple[str, ...], said: str) -> None:
    found = settings.lookup(name, {name: text})
    assert found.value == value
    assert found.source == "environment"
    assert found.problem is not None
    assert found.problem.startswith(f"{name}: {text!r} is not allowed; ")
    assert said in found.problem
    assert found.problem.endswith(f"using {','.join(value)}")


@pytest.mark.parametrize("setting", settings.SETTINGS, ids=lambda setting: setting.name)
def test_every_default_is_allowed_and_no_text_breaks_a_parser(setting: settings.Setting) -> None:
    assert settings.lookup(setting.name, {}).problem is None
    for text in ("", " ", "=", ",", "%", "-1", "nan", "inf", "1e999", "²", "\N{SNOWMAN}", "http://[", "a=b,c"):
        value = settings.lookup(setting.name, {setting.name: text})
        assert value.problem is None or value.problem.startswith(setting.name)


@pytest.mark.parametrize("text", ["no-pair", "key=line%0Abreak", "k\u00e4y=value", "key=v\u00e4lue", "two words=x"])
def test_a_wrong_secret_is_not_shown(text: str) -> None:
    name = "OTEL_EXPORTER_OTLP_HEADERS"
    problem = settings.lookup(name, {name: text}).problem

    assert problem is not None
    assert problem.startswith(f"{name}: its value is not allowed; allowed: key=value pairs")
    assert text not in problem


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("OBS_LOGS", "OFF", False),
        ("OBS_QUEUE_BYTES", "64 kib", 65536),
        ("OBS_QUEUE_BYTES", "3M", 3 * 1024**2),
        ("OTEL_BSP_SCHEDULE_DELAY", "250", 0.25),
        ("OTEL_TRACES_EXPORTER", "OTLP, console", ("otlp", "console")),
        ("OTEL_TRACES_SAMPLER", "AlwaysOff".lower().replace("ysoff", "ys_off"), "always_off"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b%3D, x = y ", {"api-key": "a b=", "x": "y"}),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "http://collector:4317"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318/base", "http://[::1]:4318/base"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true", "span"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "Span_And_Event", "both"),
    ],
)
def test_values_are_read_as_meant(name: str, text: str, value: object) -> None:
    assert settings.lookup(name, {name: f" {text} "}) == settings.Value(value, "environment")


def test_a_signal_has_its_own_value_and_else_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3000")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "500")
    assert settings.otlp("traces", "TIMEOUT") == 3
    assert settings.otlp("logs", "TIMEOUT") == 0.5
    assert settings.otlp("metrics", "COMPRESSION") == "gzip"


def test_a_wrong_value_for_a_signal_leaves_the_common_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "_said", set())
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3000")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon")
    assert [settings.otlp("traces", "TIMEOUT") for _ in range(3)] == [3, 3, 3]
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: 'soon' is not allowed")


def test_names_are_unique_and_sentences_whole() -> None:
    names = [setting.name for setting in settings.SETTINGS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"(OTEL|OBS)_[A-Z_]+", name) for name in names)
    assert all(setting.sentence.endswith(".") for setting in settings.SETTINGS)
