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
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "htps://host:4318", "(did you mean 'https'?)"),
    ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPANONLY", "(did you mean 'SPAN_ONLY'?)"),
    ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "ture", "(did you mean 'true'?)"),
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


PAIRS = [setting for setting in settings.SETTINGS if setting.kind.endswith("=value,...") or "=name" in setting.kind]


@pytest.mark.parametrize("setting", PAIRS, ids=lambda setting: setting.name)
def test_of_pairs_only_the_wrong_ones_are_left_out(setting: settings.Setting) -> None:
    found = settings.lookup(setting.name, {setting.name: "a=1, just-a-word ,=2,b=x%20y,"})
    assert found.value == {"a": "1", "b": "x y"}
    assert found.source == "environment"
    shown = "its value" if setting.secret else "'just-a-word,=2'"
    assert found.problem is not None
    assert found.problem.startswith(f"{setting.name}: {shown} is not allowed; allowed: key=value pairs with commas")
    assert found.problem.endswith("using the other pairs")


@pytest.mark.parametrize(
    ("name", "text", "value", "wrong"),
    [
        ("OBS_PREFER", "official,openai=?,groq=obs-run", (("", "official"), ("groq", "obs-run")), "openai=?"),
        ("OBS_PROPAGATE_HOSTS", "*.example.com,http://x,10.0.0.0/8", ("*.example.com", "10.0.0.0/8"), "http://x"),
    ],
)
def test_of_a_list_only_the_wrong_members_are_left_out(name: str, text: str, value: object, wrong: str) -> None:
    found = settings.lookup(name, {name: text})
    assert found.value == value
    assert found.problem is not None
    assert found.problem.startswith(f"{name}: {wrong!r} is not allowed; allowed: a comma list of ")
    assert found.problem.endswith("using the rest of the list")


LISTS = {
    "OTEL_TRACES_EXPORTER": ("otlp", "store", "console", "memory", "none"),
    "OTEL_METRICS_EXPORTER": ("otlp", "prometheus", "store", "console", "memory", "none"),
    "OTEL_LOGS_EXPORTER": ("otlp", "store", "console", "memory", "none"),
    "OTEL_PROPAGATORS": ("tracecontext", "baggage"),
    "OTEL_PYTHON_CONTEXT": ("contextvars_context",),
}
_FREE_NAMES = ("number", "size", "age", "seconds", "milliseconds", "file", "folder", "text", "name", "host", "port")


def _allowed_words(setting: settings.Setting) -> tuple[str, ...]:
    """Return the words that a setting knows, empty where it takes other texts."""
    if setting.name in LISTS:
        return LISTS[setting.name]
    if setting.kind == "flag":
        return ("true", "false")
    words = tuple(setting.kind.split(", "))
    is_free = setting.kind.startswith(_FREE_NAMES) or setting.kind in ("URL", "0 to 1", "comma list")
    return () if is_free or "=" in setting.kind else words


CHOICES = [(each.name, word) for each in settings.SETTINGS for word in _allowed_words(each) if len(word) > 3]


@pytest.mark.parametrize(("name", "word"), CHOICES)
@pytest.mark.parametrize("misspell", ["without a letter", "with one more", "turned"])
def test_the_nearest_of_the_allowed_words_is_named(name: str, word: str, misspell: str) -> None:
    middle = len(word) // 2
    wrong = {
        "without a letter": word[:middle] + word[middle + 1 :],
        "with one more": word[:middle] + "x" + word[middle:],
        "turned": word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :],
    }[misspell]
    problem = settings.lookup(name, {name: wrong}).problem
    if wrong.lower() == word.lower():
        return
    assert problem is not None
    assert f"(did you mean {word!r}?)" in problem


def test_most_settings_with_words_were_tried() -> None:
    assert len({name for name, _ in CHOICES}) > 35


@pytest.mark.parametrize("setting", settings.SETTINGS, ids=lambda setting: setting.name)
def test_a_misspelt_name_of_a_variable_is_told_with_the_right_one(setting: settings.Setting) -> None:
    name = setting.name
    last = name.rpartition("_")[2]
    for wrong in (
        f"{name[:-1]}",
        f"{name}S",
        name.replace(last, f"{last[0]}{last[2:3]}{last[1]}{last[3:]}"),
        name.lower(),
    ):
        if wrong in settings_names() or wrong == name:
            continue
        (line,) = settings.misspelt_names({wrong: "1"})
        assert line.startswith(f"{wrong}: not a variable of obs-run; did you mean ")
        assert line.removesuffix("?").rpartition(" ")[2] in settings_names()
    assert not list(settings.misspelt_names({name: "1"}))


def settings_names() -> set[str]:
    return {setting.name for setting in settings.SETTINGS}


@pytest.mark.parametrize(
    "name",
    [
        "OBS_RUN",
        "OBS_ACCESS_KEY_ID",
        "OBSIDIAN_HOME",
        "OTEL_BLRP_SCHEDULE_DELAY",
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "OTEL_BSP_EXPORT_TIMEOUT",
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED",
        "OTEL_PYTHON_EXCLUDED_URLS",
        "OTEL_PYTHON_TRACER_PROVIDER",
        "OTEL_PYTHON_FLASK_EXCLUDED_URLS",
        "OTEL_SEMCONV_STABILITY_OPT_IN",
        "OTEL_LOG_LEVEL",
        "PATH",
    ],
)
def test_variables_of_others_are_not_mentioned(name: str) -> None:
    assert not list(settings.misspelt_names({name: "1"}))


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
