"""The table of every environment variable that obs-run reads, and the one way to read them.

The tables in README.md and docs/settings.md, ``obsctl settings`` and the messages about wrong values are made from it.
"""

# No `from __future__ import annotations`: named tuples compile annotations that are texts, and the first compilation in
# a process costs as much as a tenth of a start.
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from obs_run.setting_texts import (
    PartlyAllowedError,
    age,
    attributes,
    budget,
    choice,
    content_mode,
    exporters,
    flag,
    functions,
    headers,
    hosts,
    interval,
    lifetime,
    milliseconds,
    paths,
    plain,
    preferences,
    propagators,
    ratio,
    runtime_context,
    seconds,
    size,
    url,
    whole,
    words,
)

Parse = Callable[[str], Any]


class Setting(NamedTuple):
    """One variable: its name, what a value may be, its default as text, and one sentence for people."""

    name: str
    kind: str
    default: str
    sentence: str
    group: str
    parse: Parse
    secret: bool = False


class Value(NamedTuple):
    """What a setting is now, where that came from, and what was wrong with the text if it was refused."""

    value: Any
    source: str
    problem: str | None = None


class NotAllowedError(ValueError):
    """A value that proved wrong only when it was used; its text is the line for the user."""


LONGEST_FLUSH = 3600
"""Seconds that leaving the process may take; process/variables.py has the same bound."""

_ROOT_SAMPLERS = ("always_on", "always_off", "traceidratio")
_SAMPLERS = (*_ROOT_SAMPLERS, *(f"parentbased_{name}" for name in _ROOT_SAMPLERS))

(
    _GENERAL,
    _WHERE,
    _SIGNALS,
    _CAPTURE,
    _BUDGETS,
    _PRIVACY,
    _LOGGING,
    _OTHERS,
    _LIMITS,
    _LAUNCH,
    _LOCAL,
    _SPOOL,
    _AUDIT,
) = (
    "General",
    "Where telemetry goes",
    "Signals",
    "What is captured",
    "Budgets of runs",
    "Privacy",
    "Log files and console",
    "Instrumentors of others, HTTP",
    "Limits",
    "Launcher",
    "Local store",
    "Spool",
    "Audit trail",
)


def _otlp(signal: str) -> tuple[Setting, ...]:
    """Return the OTLP exporter's variables, for all signals or for one of them."""
    infix, of = (f"{signal.upper()}_", f" for {signal}") if signal else ("", "")
    prefix = f"OTEL_EXPORTER_OTLP_{infix}"
    fallback = "as for all signals" if signal else ""

    def setting(name: str, kind: str, default: str, sentence: str, parse: Parse, *, secret: bool = False) -> Setting:
        return Setting(prefix + name, kind, "" if signal else default, sentence, _WHERE, parse, secret)

    if signal:
        of += f" ({fallback} unless set)"
    return (
        setting("ENDPOINT", "URL", "", f"OTLP endpoint{of}; with none set telemetry goes to the local store.", url),
        setting("PROTOCOL", "http/protobuf, grpc", "http/protobuf", f"OTLP transport{of}; grpc needs the extra [grpc].",
                choice("http/protobuf", "grpc")),
        setting("INSECURE", "flag", "false", f"Speak to a gRPC endpoint without http:// or https:// in plain text{of}.",
                flag),
        setting("HEADERS", "key=value,...", "", f"Headers sent with each OTLP request{of}.", headers, secret=True),
        setting("TIMEOUT", "milliseconds", "10000", f"Longest wait for one OTLP request{of}.", interval),
        setting("COMPRESSION", "gzip, none", "gzip", f"Compression of OTLP requests{of}.", choice("gzip", "none")),
        setting("CERTIFICATE", "file", "", f"CA certificates (PEM) that verify the OTLP server{of}.", plain),
        setting("CLIENT_CERTIFICATE", "file", "", f"Client certificate (PEM) for mutual TLS{of}.", plain),
        setting("CLIENT_KEY", "file", "", f"Private key (PEM) of the client certificate{of}.", plain),
    )  # fmt: skip


_LIMITED = {
    "OTEL_ATTRIBUTE_COUNT_LIMIT": "Most attributes of a span, event, link or log record.",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "Longest text of an attribute.",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "Most attributes of a span.",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "Longest text of a span's attribute.",
    "OTEL_SPAN_EVENT_COUNT_LIMIT": "Most events of a span.",
    "OTEL_SPAN_LINK_COUNT_LIMIT": "Most links of a span.",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "Most attributes of an event.",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "Most attributes of a link.",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": "Most attributes of a record of the logs API.",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT": "Longest text of such a record's attribute.",
}
LIMIT_NAMES = tuple(_LIMITED)
"""The limits that OpenTelemetry's SDK reads itself."""

SETTINGS: tuple[Setting, ...] = (
    Setting("OTEL_SDK_DISABLED", "flag", "false", "Run the agent untouched.", _GENERAL, flag),
    Setting("OTEL_CONFIG_FILE", "file", "",
            "OpenTelemetry declarative configuration; when set, its providers are used and the variables below that "
            "build providers are not.", _GENERAL, plain),
    Setting("OTEL_SERVICE_NAME", "text", "", "Service name; else the script's or module's name.", _GENERAL, plain),
    Setting("OTEL_RESOURCE_ATTRIBUTES", "key=value,...", "", "Attributes of the resource.", _GENERAL, attributes),
    Setting("OTEL_PROPAGATORS", "comma list", "tracecontext,baggage", "Context propagation formats.", _GENERAL,
            propagators),
    Setting("OTEL_PYTHON_CONTEXT", "name", "", "What keeps the current context, in programs without obs-run.", _GENERAL,
            runtime_context),
    Setting("OTEL_TRACES_SAMPLER", ", ".join(_SAMPLERS), "parentbased_always_on", "Which traces are kept.",
            _GENERAL, choice(*_SAMPLERS)),
    Setting("OTEL_TRACES_SAMPLER_ARG", "0 to 1", "1.0", "The ratio of the ratio samplers.", _GENERAL, ratio),
    Setting("OBS_VERBOSE", "flag", "false",
            "Print at the end which libraries were instrumented, and why others were not.", _GENERAL, flag),
    Setting("OTEL_TRACES_EXPORTER", "comma list", "",
            "Where spans go: otlp, store, console, memory, none; otlp if an endpoint is set, else store.",
            _SIGNALS, exporters("otlp", "store", "console", "memory", "none")),
    Setting("OTEL_METRICS_EXPORTER", "comma list", "",
            "Where metrics go: otlp, prometheus, store, console, memory, none; otlp if an endpoint is set, else store.",
            _SIGNALS, exporters("otlp", "prometheus", "store", "console", "memory", "none")),
    Setting("OTEL_LOGS_EXPORTER", "comma list", "",
            "Where log records go: otlp, store, console, memory, none; otlp if an endpoint is set, else store.",
            _SIGNALS, exporters("otlp", "store", "console", "memory", "none")),
    Setting("OTEL_EXPORTER_PROMETHEUS_HOST", "host", "127.0.0.1", "Address of the Prometheus endpoint.", _SIGNALS,
            plain),
    Setting("OTEL_EXPORTER_PROMETHEUS_PORT", "port", "9464", "Port of the Prometheus endpoint.", _SIGNALS,
            whole(0, 65535)),
    Setting("OBS_PROMETHEUS_CERTIFICATE", "file", "",
            "Certificate (PEM) of the Prometheus endpoint, which then answers by TLS only.", _SIGNALS, plain),
    Setting("OBS_PROMETHEUS_KEY", "file", "", "Private key (PEM) of that certificate.", _SIGNALS, plain),
    Setting("OBS_PROMETHEUS_CLIENT_CERTIFICATES", "file", "",
            "CA certificates (PEM) that those who ask must have a certificate of.", _SIGNALS, plain),
    Setting("OBS_PROMETHEUS_USERS_FILE", "file", "",
            "Lines user:password; those who ask must give one (basic authentication).", _SIGNALS, plain),
    Setting("OBS_PROMETHEUS_TOKENS_FILE", "file", "",
            "Lines with a token; those who ask must give one (bearer authentication).", _SIGNALS, plain),
    Setting("OTEL_METRIC_EXPORT_INTERVAL", "milliseconds", "60000", "Time between two exports of metrics.",
            _SIGNALS, interval),
    Setting("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative, delta, lowmemory", "cumulative",
            "Whether exported sums count from the start or from the export before.",
            _SIGNALS, choice("cumulative", "delta", "lowmemory")),
    Setting("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based, always_on, always_off", "trace_based",
            "Which measurements may be kept as exemplars.", _SIGNALS, choice("trace_based", "always_on", "always_off")),
    Setting("OTEL_BSP_SCHEDULE_DELAY", "milliseconds", "1000",
            "Longest time that a span or log record waits for company.",
            _SIGNALS, milliseconds),
    Setting("OBS_OTLP_HEADERS_FILE", "file", "",
            "Lines key=value or key: value, sent as headers with each OTLP request; read again when it changes.",
            _WHERE, plain),
    *_otlp(""), *_otlp("traces"), *_otlp("metrics"), *_otlp("logs"),
    Setting("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
            "NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT", "NO_CONTENT",
            "Whether prompts, answers, tool arguments and results are recorded, and where; true means SPAN_ONLY.",
            _CAPTURE, content_mode),
    Setting("OBS_CONTENT_MAX_CHARS", "number", "32768",
            "Longest text kept of one message part; the rest is cut, the JSON stays valid.", _CAPTURE, whole(0)),
    Setting("OBS_CONTENT_MAX_MESSAGE_CHARS", "number", "262144",
            "Longest list of messages kept on one span; a note stands where the oldest were, behind "
            "the system prompt.", _CAPTURE, whole(0)),
    Setting("OBS_CONTENT_BINARY", "flag", "false", "Keep base64 payloads; else only their type and size.", _CAPTURE,
            flag),
    Setting("OBS_METRIC_NAMES", "new, old, both", "both",
            "GenAI metric names: of the newest conventions, of those that dashboards still use, or both.",
            _CAPTURE, choice("new", "old", "both")),
    Setting("OBS_STREAM_USAGE", "flag", "true",
            "Ask known hosts for the token usage of plain chat streams, and hide the extra chunk from the agent.",
            _CAPTURE, flag),
    Setting("OBS_STREAM_USAGE_HOSTS", "comma list", "", "More hosts (name or name:port) that are known to answer it.",
            _CAPTURE, words),
    Setting("OBS_PROVIDER_HOSTS", "host=name,...", "",
            "Who answers at hosts that don't tell, such as localhost:1234=lm_studio.", _CAPTURE, attributes),
    Setting("OBS_PRICES_FILE", "file", "", "Own prices, or a newer table than the built-in one.", _CAPTURE, plain),
    Setting("OBS_COST", "flag", "true", "Price model calls from the table of prices.", _CAPTURE, flag),
    Setting("OBS_FAISS", "none, search, all", "search",
            "Which calls of faiss are recorded: none, searches, or writes too; a call may take only microseconds.",
            _CAPTURE, choice("none", "search", "all")),
    Setting("OBS_INFER_TOOLS", "flag", "true",
            "Make spans of the tools that an agent runs in a loop of its own, from the model's answer to the request "
            "with the results.", _CAPTURE, flag),
    Setting("OBS_LOGS", "flag", "true", "Export what the logging module, loguru and structlog write.", _CAPTURE, flag),
    Setting("OBS_BRIDGE", "safe, automatic, rules, off", "rules",
            "Which log lines become spans: those of rules, beside them pairs of lines that belong together for sure "
            "(safe) or probably (automatic), or none.", _CAPTURE, choice("safe", "automatic", "rules", "off")),
    Setting("OBS_BRIDGE_RULES", "files", "",
            "Own rules for log lines (YAML, JSON), before the built-in ones: files and folders, separated as in PATH.",
            _CAPTURE, paths),
    Setting("OBS_WRAP", "files", "",
            "Which functions of the agent's own code are recorded, and as what (YAML, JSON): files and folders, "
            "separated as in PATH.", _CAPTURE, paths),
    Setting("OBS_BRIDGE_STDOUT", "flag", "false",
            "Take lines that are printed for log lines, with the place that prints them.", _CAPTURE, flag),
    Setting("OBS_SPAN_EVENTS", "trace, debug, info, warning, error, critical, off", "warning",
            "The lowest level of log records that are also events of the span that they belong to, for viewers that "
            "show no logs; at most 32 of one span.", _CAPTURE,
            choice("trace", "debug", "info", "warning", "error", "critical", "off")),
    Setting("OTEL_PYTHON_LOG_CORRELATION", "flag", "false",
            "Give records of the logging module otelTraceID, otelSpanID, otelTraceSampled and otelServiceName, for "
            "formats.", _CAPTURE, flag),
    Setting("OBS_RUN_SPAN", "flag", "true", "One span over the run of a script, parent of what it does.", _CAPTURE,
            flag),
    Setting("OBS_RUN_SPAN_ARGV", "flag", "false", "Record the script's arguments on the run span.", _CAPTURE, flag),
    Setting("OBS_RUN_SPAN_SECONDS", "seconds", "600",
            "Age at which a run span is closed and the next one, in a trace of its own, linked to it (0: never).",
            _CAPTURE, lifetime),
    Setting("OBS_OPEN_SPANS_SECONDS", "seconds", "10",
            "Age from which what is still open is shown: all of it in the local store, a script's run elsewhere, too "
            "(0: never).", _CAPTURE, lifetime),
    Setting("OBS_LRU_CACHES", "comma list", "",
            "Functions with functools.lru_cache or cache, as module:function, whose hits and misses are counted.",
            _CAPTURE, functions),
    Setting("OBS_REDIS_CACHES", "comma list", "",
            "Keys of Redis, as names with *, that are caches: hits and misses of what reads them are counted.",
            _CAPTURE, words),
    Setting("OBS_BUDGET_USD", "number, name=number", "",
            "US dollars that a run of an agent or workflow may cost: 1.50 for each, writer=0.20 for those of one name.",
            _BUDGETS, budget(is_whole=False)),
    Setting("OBS_BUDGET_TOKENS", "number, name=number", "",
            "Tokens, in and out, that the model calls inside of a run may use; 100000,writer=20000 likewise.",
            _BUDGETS, budget(is_whole=True)),
    Setting("OBS_BUDGET_STEPS", "number, name=number", "",
            "Steps that a run may take: those of the framework, and model calls that are not inside of any.",
            _BUDGETS, budget(is_whole=True)),
    Setting("OBS_BUDGET_ACTION", "warn, stop", "warn",
            "What happens to a run beyond a budget: it is said, or its next model call or tool raises "
            "obs_run.tracing.BudgetExceeded.", _BUDGETS, choice("warn", "stop")),
    Setting("OBS_PRIVACY", "comma list", "secrets",
            "What is taken out of everything that leaves the process: secrets, personal or single kinds such as email, "
            "phone, card, each with - before it to leave it in; none.", _PRIVACY, words),
    Setting("OBS_PRIVACY_LOCALES", "comma list", "*",
            "Countries (de, us, ...) whose national ids are looked for and whose phone numbers are known; * for all.",
            _PRIVACY, words),
    Setting("OBS_PRIVACY_RULES", "file", "", "Own rules (YAML), beside or in place of the built-in ones.", _PRIVACY,
            plain),
    Setting("OBS_PRIVACY_HASH_KEY", "text", "", "Key of the action hash; else a random one for each process.", _PRIVACY,
            plain, secret=True),
    Setting("OBS_PRIVACY_HASH_KEY_FILE", "file", "", "File that holds the key of the action hash.", _PRIVACY, plain),
    Setting("OBS_LOG_CONSOLE", "human, json, none", "human",
            "What obs_run.logging writes to the console; json also turns the console output of the logging module into "
            "JSON lines.", _LOGGING, choice("human", "json", "none")),
    Setting("OBS_LOG_LEVEL", "trace, debug, info, warning, error, critical", "trace",
            "The lowest level that obs_run.logging records.", _LOGGING,
            choice("trace", "debug", "info", "warning", "error", "critical")),
    Setting("OBS_LOG_FOLDER", "folder", "logs", "Where obs_run.logging writes its files; none for no files.", _LOGGING,
            plain),
    Setting("OBS_LOG_FILE_BYTES", "size", "50MiB", "Size at which a log file is put aside and a new one begun.",
            _LOGGING, size()),
    Setting("OBS_LOG_FILE_AGE", "age", "1d", "Age at which it is put aside, too (0: at no age).", _LOGGING, age),
    Setting("OBS_LOG_FILES", "number", "10", "How many files put aside are kept (0: all).", _LOGGING, whole(0)),
    Setting("OBS_LOG_KEEP", "age", "30d", "Age at which a file put aside is deleted (0: at no age).", _LOGGING, age),
    Setting("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "comma list", "",
            "Libraries that are left alone (* for all); a distribution switches off that instrumentor only, "
            "obs-run:library ours.", _OTHERS, words),
    Setting("OTEL_PYTHON_EXCLUDED_URLS", "comma list", "",
            "Regular expressions: requests to a server whose URL one is found in have no span, as health checks.",
            _OTHERS, words),
    Setting("OBS_PREFER", "comma list", "",
            "Whose instrumentor of a library is taken where several are installed, best first: obs-run, official, "
            "openllmetry, openinference or a distribution, each for all libraries or as library=...; else obs-run.",
            _OTHERS, preferences),
    Setting("OBS_KEEP_FOREIGN_ATTRIBUTES", "flag", "false",
            "Keep the attributes of other vocabularies (OpenInference, OpenLLMetry, LangSmith, Logfire, Vercel AI SDK, "
            "older GenAI names) beside those that they are translated into.", _OTHERS, flag),
    Setting("OBS_HTTP_SPANS", "hidden, kept", "hidden",
            "Whether the HTTP and gRPC spans of OpenTelemetry's own instrumentors are made beneath calls of models "
            "and vector stores.", _OTHERS, choice("hidden", "kept")),
    Setting("OBS_VENDOR_TELEMETRY", "kept, off", "kept",
            "off has libraries send nothing to their vendors, by their own variables where these are not set: OpenAI's "
            "traces, CrewAI's telemetry and others that obsctl doctor names.", _OTHERS, choice("kept", "off")),
    Setting("OBS_PROPAGATE_HOSTS", "comma list", "private",
            "Hosts that the trace context is sent to: names, *.suffixes, addresses, ranges such as 10.0.0.0/8, private "
            "(this machine, private addresses, names that no public DNS has), * or none.", _OTHERS, hosts),
    Setting("OBS_PROPAGATE_ZMQ", "json, off", "json",
            "Whether messages of pyzmq carry the trace context: in blanks within JSON, and behind the end of pickles, "
            "where no parser sees it; or not at all.", _OTHERS, choice("json", "off")),
    Setting("OBS_PROPAGATE_MESSAGES", "json, headers, off", "json",
            "Whether messages of brokers carry the trace context: in their headers (NATS, Kafka), beside the job or "
            "fields (arq, streams of Redis), and where there is no such place in blanks within JSON (channels of "
            "Redis, websockets between two that run under obs-run); "
            "without these; or not at all.", _OTHERS, choice("json", "headers", "off")),
    Setting("OBS_REDIS_QUEUES", "comma list", "",
            "Lists and sorted sets of Redis, as names with *, that workers pop jobs from: the work on each is a span.",
            _OTHERS, words),
    Setting("OBS_MESSAGE_SPANS", "number", "100",
            "Most spans a second of a socket or queue whose messages are no calls that wait for an answer; what is "
            "beyond is counted by metrics alone (0: always).", _LIMITS, whole(0)),
    Setting("OBS_SLOW_ACQUIRE_SECONDS", "seconds", "1",
            "How long a wait for a connection of a pool is that has a span, and one at a limiter that is an event "
            "(0: every wait); all are measured.", _LIMITS, seconds(LONGEST_FLUSH)),
    Setting("OBS_QUEUE_BYTES", "size", "32MiB", "Memory for telemetry that waits; when full the oldest is dropped, "
            "counted and said.", _LIMITS, size()),
    Setting("OBS_BATCH_BYTES", "size", "1MiB", "Size at which a batch is sent.", _LIMITS, size(1, 1 << 30)),
    Setting("OBS_FLUSH_SECONDS", "seconds", "2",
            "Longest time that leaving the process may take, all signals together.",
            _LIMITS, seconds(LONGEST_FLUSH)),
    *(Setting(name, "number", "", f"{sentence} As the SDK has it unless set.", _LIMITS, whole(0))
      for name, sentence in _LIMITED.items()),
    Setting("OBS_RELAY", "on, off", "off",
            "Whether a process of its own exports for all agents of this user, which write into memory and do no more.",
            _LAUNCH, choice("on", "off")),
    Setting("OBS_RELAY_FOLDER", "folder", "",
            "Where agents write for that process, in memory and nobody else's; else obs-run- and the user's number in "
            "/dev/shm.", _LAUNCH, plain),
    Setting("OBS_RELAY_SECONDS", "seconds", "60", "How long that process stays when no agent runs.", _LAUNCH,
            seconds(86400)),
    Setting("OBS_EAGER", "flag", "false", "Load everything at start instead of at first use.", _LAUNCH, flag),
    Setting("OBS_HANDLE_SIGTERM", "flag", "true", "Flush on SIGTERM where the agent has no handler.", _LAUNCH, flag),
    Setting("OBS_HANDLE_SIGHUP", "flag", "true", "Flush on SIGHUP where the agent has no handler.", _LAUNCH, flag),
    Setting("OBS_HANDLE_OS_EXIT", "flag", "true", "Flush in os._exit.", _LAUNCH, flag),
    Setting("OBS_HANDLE_SYS_EXIT", "flag", "true", "Notice the code given to sys.exit, exit and quit.", _LAUNCH, flag),
    Setting("OBS_HANDLE_EXEC", "flag", "true", "Flush in os.execv and os.execve.", _LAUNCH, flag),
    Setting("OBS_PROPAGATE_CHILDREN", "flag", "true",
            "Hand the current trace to Python children: subprocess, multiprocessing, MCP stdio servers.", _LAUNCH,
            flag),
    Setting("OBS_PROPAGATE_THREADS", "flag", "true",
            "Hand the current trace and log context to threads and to the work given to thread pools.", _LAUNCH, flag),
    Setting("OBS_STORE_FILE", "file", "",
            "The local store; else obs-run/store.db in XDG_DATA_HOME or .local/share of the home folder.", _LOCAL,
            plain),
    Setting("OBS_STORE_MAX_BYTES", "size", "512MiB", "Size that the local store is kept under; the oldest traces go.",
            _LOCAL, size(1 << 20)),
    Setting("OBS_STORE_KEEP", "age", "30d", "Age at which a trace is taken out of the local store (0: at no age).",
            _LOCAL, age),
    Setting("OBS_SPOOL", "flag", "true",
            "Keep on disk what an OTLP endpoint that is away does not take; it is sent when it is back, by this "
            "process or a later one.", _SPOOL, flag),
    Setting("OBS_SPOOL_FOLDER", "folder", "",
            "Where; else obs-run/spool in XDG_DATA_HOME or .local/share of the home folder.", _SPOOL, plain),
    Setting("OBS_SPOOL_BYTES", "size", "256MiB", "Size that the spool is kept under; the oldest requests go.", _SPOOL,
            size(1 << 16)),
    Setting("OBS_SPOOL_KEEP", "age", "7d", "Age at which a request in the spool is not sent any more (0: at no age).",
            _SPOOL, age),
    Setting("OBS_AUDIT", "flag", "true",
            "Write records of category SECURITY and of obs_run.audit() to the audit trail, too.", _AUDIT, flag),
    Setting("OBS_AUDIT_FILE", "file", "",
            "The audit trail; else obs-run/audit/audit.jsonl in XDG_DATA_HOME or .local/share of the home folder.",
            _AUDIT, plain),
    Setting("OBS_AUDIT_KEY_FILE", "file", "",
            "File that holds a key; with it nobody without the key can make a trail that verifies.", _AUDIT, plain),
    Setting("OBS_AUDIT_FILE_BYTES", "size", "64MiB", "Size at which the trail goes on in a new file.", _AUDIT, size(0)),
    Setting("OBS_AUDIT_KEEP", "age", "0",
            "Age at which a whole file of the trail may be deleted (0: at no age); the trail itself records that.",
            _AUDIT, age),
    Setting("OBS_AUDIT_MAX_BYTES", "size", "0",
            "Size of all files of the trail above which the oldest may be deleted (0: at no size), recorded likewise.",
            _AUDIT, size(0)),
)  # fmt: skip

_FALLBACKS = {_WHERE: "what holds without it"}
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def lookup(name: str, environ: Mapping[str, str] | None = None) -> Value:
    """Return the value of the setting ``name``, its source ("environment" or "default") and what was wrong with it."""
    setting = _BY_NAME[name]
    text = (os.environ if environ is None else environ).get(name, "").strip()
    if text:
        try:
            return Value(setting.parse(text), "environment")
        except PartlyAllowedError as allowed:
            problem = _problem(setting, allowed.wrong or text, allowed, allowed.instead)
            return Value(allowed.value, "environment", problem)
        except ValueError as allowed:
            instead = setting.default or _FALLBACKS.get(setting.group, "none")
            return Value(_default(setting), "default", _problem(setting, text, allowed, instead))
    return Value(_default(setting), "default")


def _problem(setting: Setting, text: str, allowed: ValueError, instead: str) -> str:
    from obs_run.base.masking import masked_value

    shown = "its value" if setting.secret else repr(masked_value(text))
    return f"{setting.name}: {shown} is not allowed; allowed: {allowed}; using {instead}"


def _default(setting: Setting) -> Any:
    return setting.parse(setting.default) if setting.default else None


_said: set[str] = set()
_read: dict[str, tuple[str, Any]] = {}
"""The text last read of each setting, and what it means."""


def get(name: str) -> Any:
    """Return the value of the setting ``name``; a wrong value is said once and the default used."""
    text = os.environ.get(name, "")
    before = _read.get(name)
    if before is not None and before[0] == text:
        return before[1]
    value = lookup(name)
    if not value.problem:
        _read[name] = (text, value.value)
    if value.problem and value.problem not in _said:
        _said.add(value.problem)
        from obs_run.base.guard import warn

        warn(value.problem)
    return value.value


def otlp(signal: str, name: str) -> Any:
    """Return an OTLP setting of ``signal`` ("traces", "metrics", "logs"), else the one for all signals."""
    own = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}"
    if os.environ.get(own, "").strip():
        value = get(own)
        if value is not None:
            return value
    return get(f"OTEL_EXPORTER_OTLP_{name}")


def asks_for_scrubbing() -> bool:
    """Whether anything is to be taken out of what leaves the process."""
    chosen = tuple(word.lower() for word in get("OBS_PRIVACY") or ())
    return chosen != ("none",) or bool(get("OBS_PRIVACY_RULES"))


def say_problems() -> None:
    """Say each value that is not allowed, once, also of settings that nothing has asked for, and misspelt names."""
    for setting in SETTINGS:
        get(setting.name)
    for line in misspelt_names(os.environ):
        if line not in _said:
            _said.add(line)
            from obs_run.base.guard import warn

            warn(line)


_NEAR = 0.8
_NEAR_STANDARD = 0.9
"""There are many variables of OpenTelemetry's that others read, and some of them are called nearly alike."""


def misspelt_names(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each variable that is nobody's and whose name is nearly one of those here."""
    for name in sorted(environ):
        near = _nearest_name(name)
        if near is not None:
            yield f"{name}: not a variable of obs-run; did you mean {near}?"


def _nearest_name(name: str) -> str | None:
    upper = name.upper()
    is_standard = upper.startswith("OTEL_")
    if name in _BY_NAME or not (is_standard or is_unknown(upper) or upper in _BY_NAME):
        return None
    from difflib import get_close_matches

    cutoff = _NEAR_STANDARD if is_standard else _NEAR
    near = get_close_matches(upper, _BY_NAME, 1, cutoff)
    if not near or (is_standard and name in _standard_names()):
        return None
    return near[0]


def is_unknown(name: str) -> bool:
    """Whether a variable looks like ours and is not."""
    # OBS_RUN is the launcher's own mark, OBS_TESTS_* are for those who work on obs-run.
    is_like_ours = name.startswith("OBS_") and name != "OBS_RUN" and not name.startswith("OBS_TESTS_")
    return is_like_ours and name not in _BY_NAME


def _standard_names() -> set[str]:
    """Return the variables that OpenTelemetry's own packages know."""
    from opentelemetry import environment_variables as of_api
    from opentelemetry.sdk import environment_variables as of_sdk

    return {value for module in (of_api, of_sdk) for value in vars(module).values() if isinstance(value, str)}


def problems(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return one line for each variable whose value is not allowed."""
    return [value.problem for setting in SETTINGS if (value := lookup(setting.name, environ)).problem]
