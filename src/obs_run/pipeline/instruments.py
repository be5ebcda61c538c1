"""The table of instruments: what obs-run measures of operations and of itself. A metric is one row here.

Source: the metrics of the GenAI and MCP conventions as in ``core.semconv``, with their units, buckets and first
sentences; seconds, tokens and US dollars. ``db.*`` and ``messaging.*`` are of the core conventions.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from obs_run.core import semconv
from obs_run.pipeline import observed_instruments, run_instruments
from obs_run.pipeline.instrument import (
    COMMON_LABELS,
    OLD_LABELS,
    Instrument,
    Value,
    attribute,
    both,
    new,
    old,
    positive,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.sink import OperationRecord
    from obs_run.pipeline.instrument import Generation, Read

_DATABASE_LABELS = (
    semconv.DB_SYSTEM_NAME,
    semconv.DB_OPERATION_NAME,
    semconv.DB_COLLECTION_NAME,
    semconv.DB_NAMESPACE,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    semconv.ERROR_TYPE,
)
_MCP_LABELS = (
    semconv.MCP_METHOD_NAME,
    semconv.MCP_PROTOCOL_VERSION,
    semconv.OPERATION_NAME,
    semconv.TOOL_NAME,
    semconv.PROMPT_NAME,
    semconv.RPC_RESPONSE_STATUS_CODE,
    semconv.NETWORK_TRANSPORT,
    semconv.NETWORK_PROTOCOL_NAME,
    semconv.ERROR_TYPE,
)
_MCP_SESSION_LABELS = (
    semconv.MCP_PROTOCOL_VERSION,
    semconv.NETWORK_TRANSPORT,
    semconv.NETWORK_PROTOCOL_NAME,
    semconv.ERROR_TYPE,
)
_RPC_LABELS = (
    semconv.RPC_SYSTEM_NAME,
    semconv.RPC_METHOD,
    semconv.ERROR_TYPE,
)
_MESSAGING_LABELS = (
    semconv.MESSAGING_SYSTEM,
    semconv.MESSAGING_OPERATION_NAME,
    semconv.MESSAGING_OPERATION_TYPE,
    # Not the destination's name, of which there may be as many as there are answers.
    semconv.MESSAGING_DESTINATION_TEMPLATE,
    semconv.MESSAGING_CONSUMER_GROUP_NAME,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    semconv.ERROR_TYPE,
)
_HTTP_SERVER_LABELS = (
    semconv.HTTP_REQUEST_METHOD,
    semconv.URL_SCHEME,
    semconv.HTTP_RESPONSE_STATUS_CODE,
    semconv.HTTP_ROUTE,
    semconv.NETWORK_PROTOCOL_VERSION,
    semconv.ERROR_TYPE,
)
_HTTP_CLIENT_LABELS = (
    semconv.HTTP_REQUEST_METHOD,
    semconv.URL_SCHEME,
    semconv.HTTP_RESPONSE_STATUS_CODE,
    semconv.NETWORK_PROTOCOL_VERSION,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    semconv.ERROR_TYPE,
)
# Models that answer otherwise than with messages, and the operations that have no class of their own.
_OTHER_MODEL_CALLS = ("Embedding", "Rerank", "ModelCall")
_OTHER_CLIENT_CALLS = (
    *_OTHER_MODEL_CALLS,
    "FetchedResponse",
    "AgentCreation",
    "RemoteAgentRun",
    "A2aAgentCall",
    "Retrieval",
    "Memory",
    "GenAiOperation",
    "Operation",
)


def _remainder(whole: str, *parts: str) -> Read:
    """Return what reads how much of a count its parts leave over."""

    def read(record: OperationRecord) -> float | None:
        attributes = record.attributes
        count: float | None = attributes.get(whole)
        if count is None:
            return None
        for part in parts:
            count -= attributes.get(part) or 0
        return count if count > 0 else None

    return read


def _by_modality(whole: str, text: str, image: str, audio: str) -> tuple[Value, ...]:
    """Return the tokens by modality; what the provider did not break down is "unknown"."""
    return (
        Value(positive(text), (semconv.TOKEN_MODALITY, "text")),
        Value(positive(image), (semconv.TOKEN_MODALITY, "image")),
        Value(positive(audio), (semconv.TOKEN_MODALITY, "audio")),
        Value(_remainder(whole, text, image, audio), (semconv.TOKEN_MODALITY, "unknown")),
    )


def _unknown_modality(name: str) -> tuple[Value, ...]:
    return (Value(positive(name), (semconv.TOKEN_MODALITY, "unknown")),)


def _count_prompt_lookup(*, is_hit: bool) -> Read:
    """Return what counts a call by whether any of its input came from the provider's cache, where that is known."""

    def read(record: OperationRecord) -> float | None:
        cached = record.attributes.get(semconv.USAGE_CACHE_READ_TOKENS)
        return None if cached is None or (cached > 0) is not is_hit else 1

    return read


def _read_database_duration(record: OperationRecord) -> float | None:
    # A retrieval need not be a database's.
    return record.timing.duration if semconv.DB_SYSTEM_NAME in record.attributes else None


def _count_messages(record: OperationRecord) -> float:
    count: float = record.attributes.get(semconv.MESSAGING_BATCH_MESSAGE_COUNT, 1)
    return count


_RULE = (semconv.OBS_BRIDGE_RULE,)
_DURATION = (Value(attrgetter("timing.duration")),)
_FIRST_CHUNK = (Value(attrgetter("timing.first_chunk")),)
_CHUNK_GAP = (Value(attrgetter("timing.chunk_gap")),)
_FIRST_CHUNK_SENTENCE = (
    "Time to receive the first chunk, measured from when the client issues the generation request to when the first "
    "chunk is received in the response stream."
)
_CHUNK_GAP_SENTENCE = (
    "Time per output chunk, recorded for each chunk received after the first one, measured as the time elapsed from "
    "the end of the previous chunk to the end of the current chunk."
)


def _seconds(
    name: str,
    description: str,
    operations: Mapping[str, Generation],
    values: tuple[Value, ...] = _DURATION,
    labels: tuple[str, ...] = COMMON_LABELS,
    buckets: tuple[float, ...] = semconv.DURATION_BUCKETS,
) -> Instrument:
    return Instrument(name, "histogram", "s", description, operations, values, labels, buckets)


def _tokens_per_call(
    name: str,
    description: str,
    operations: Mapping[str, Generation],
    values: tuple[Value, ...],
    labels: tuple[str, ...] = COMMON_LABELS,
) -> Instrument:
    return Instrument(name, "histogram", "{token}", description, operations, values, labels, semconv.TOKEN_BUCKETS)


def _token_counter(name: str, description: str, values: tuple[Value, ...]) -> Instrument:
    return Instrument(name, "counter", "{token}", description, new("Inference", "FetchedResponse"), values)


COST = Instrument(
    semconv.METRIC_COST,
    "counter",
    "{USD}",
    "What model calls cost, in US dollars, by the table of prices.",
    both("Inference", "FetchedResponse", "RemoteAgentRun", *_OTHER_MODEL_CALLS),
)
OLD_COST = Instrument(
    semconv.METRIC_OLD_COST,
    "histogram",
    "USD",
    "What a model call cost, in US dollars, as OpenLIT and its dashboards name it.",
    dict.fromkeys(COST.operations, "old"),
    labels=OLD_LABELS,
    buckets=semconv.COST_BUCKETS,
)
UNKNOWN_COST = Instrument(
    semconv.METRIC_COST_UNKNOWN,
    "counter",
    "{call}",
    "Model calls with usage whose price is not known.",
    COST.operations,
)
LOST = Instrument(
    semconv.METRIC_DROPPED,
    "counter",
    "{item}",
    "Spans, log records and metric exports that were lost, by reason.",
    {},
    labels=(semconv.ERROR_TYPE, semconv.OBS_EXPORT_SIGNAL, semconv.OBS_EXPORT_DESTINATION),
)
REPEATED = Instrument(
    semconv.METRIC_REPEATED,
    "counter",
    "{item}",
    "Spans, log records and metric exports that may have arrived twice: sent again where no answer came.",
    {},
    labels=(semconv.OBS_EXPORT_SIGNAL, semconv.OBS_EXPORT_DESTINATION),
)

TABLE = (
    _seconds(semconv.METRIC_DURATION, "GenAI client inference operation duration.", new("Inference")),
    _seconds(semconv.METRIC_FIRST_CHUNK, _FIRST_CHUNK_SENTENCE, new("Inference"), _FIRST_CHUNK),
    _seconds(semconv.METRIC_CHUNK_GAP, _CHUNK_GAP_SENTENCE, new("Inference"), _CHUNK_GAP),
    _tokens_per_call(
        semconv.METRIC_INPUT_PER_CALL,
        "The number of input (prompt) tokens used per inference operation.",
        new("Inference"),
        (Value(attribute(semconv.USAGE_INPUT_TOKENS)),),
    ),
    _tokens_per_call(
        semconv.METRIC_OUTPUT_PER_CALL,
        "The number of output (completion) tokens used per inference operation.",
        new("Inference"),
        (Value(attribute(semconv.USAGE_OUTPUT_TOKENS)),),
    ),
    _token_counter(
        semconv.METRIC_INPUT_TOKENS,
        "The number of input (prompt) tokens used, including cached tokens.",
        _by_modality(
            semconv.USAGE_INPUT_TOKENS,
            semconv.USAGE_TEXT_INPUT_TOKENS,
            semconv.USAGE_IMAGE_INPUT_TOKENS,
            semconv.USAGE_AUDIO_INPUT_TOKENS,
        ),
    ),
    _token_counter(
        semconv.METRIC_OUTPUT_TOKENS,
        "The number of output (completion) tokens used, including reasoning tokens.",
        _by_modality(
            semconv.USAGE_OUTPUT_TOKENS,
            semconv.USAGE_TEXT_OUTPUT_TOKENS,
            semconv.USAGE_IMAGE_OUTPUT_TOKENS,
            semconv.USAGE_AUDIO_OUTPUT_TOKENS,
        ),
    ),
    _token_counter(
        semconv.METRIC_CACHE_READ_TOKENS,
        "The number of input tokens served from a provider-managed cache.",
        _unknown_modality(semconv.USAGE_CACHE_READ_TOKENS),
    ),
    Instrument(
        semconv.METRIC_PROMPT_CACHE_LOOKUPS,
        "counter",
        "{call}",
        "Model calls of which the provider tells how much of the input its cache had: a hit where it was any.",
        both("Inference", "FetchedResponse"),
        (
            Value(_count_prompt_lookup(is_hit=True), (semconv.OBS_CACHE_RESULT, "hit")),
            Value(_count_prompt_lookup(is_hit=False), (semconv.OBS_CACHE_RESULT, "miss")),
        ),
    ),
    _token_counter(
        semconv.METRIC_CACHE_WRITE_TOKENS,
        "The number of input tokens written to a provider-managed cache.",
        _unknown_modality(semconv.USAGE_CACHE_WRITE_TOKENS),
    ),
    _token_counter(
        semconv.METRIC_REASONING_TOKENS,
        "The number of output tokens used for reasoning (e.g. chain-of-thought, extended thinking).",
        _unknown_modality(semconv.USAGE_REASONING_TOKENS),
    ),
    _seconds(
        semconv.METRIC_OPERATION_DURATION,
        "GenAI operation duration.",
        # The older conventions had no other duration than this one.
        {**both(*_OTHER_CLIENT_CALLS), **old("Inference", "ToolCall", "AgentRun")},
        labels=OLD_LABELS,
    ),
    _seconds(semconv.METRIC_OLD_FIRST_CHUNK, _FIRST_CHUNK_SENTENCE, old("Inference"), _FIRST_CHUNK, OLD_LABELS),
    _seconds(semconv.METRIC_OLD_CHUNK_GAP, _CHUNK_GAP_SENTENCE, old("Inference"), _CHUNK_GAP, OLD_LABELS),
    _tokens_per_call(
        semconv.METRIC_OLD_TOKENS,
        "Number of input and output tokens used.",
        # The newest conventions count the tokens of inferences only.
        {**both("RemoteAgentRun", *_OTHER_MODEL_CALLS), **old("Inference", "FetchedResponse")},
        (
            Value(attribute(semconv.USAGE_INPUT_TOKENS), (semconv.TOKEN_TYPE, "input")),
            Value(attribute(semconv.USAGE_OUTPUT_TOKENS), (semconv.TOKEN_TYPE, "output")),
        ),
        OLD_LABELS,
    ),
    _seconds(
        semconv.METRIC_TOOL_DURATION,
        "The duration of a single tool execution.",
        both("ToolCall"),
        labels=(*COMMON_LABELS, semconv.TOOL_NAME, semconv.OBS_TOOL_INFERRED),
    ),
    _seconds(
        semconv.METRIC_AGENT_DURATION,
        "The end-to-end duration of a single agent invocation, from the moment the invocation starts until the agent "
        "emits the last chunk of its final response or terminates with an error.",
        both("AgentRun", "RemoteAgentRun", "A2aAgentCall"),
        labels=(*COMMON_LABELS, semconv.AGENT_NAME),
        buckets=semconv.AGENT_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_WORKFLOW_DURATION,
        "Records duration of GenAI workflow.",
        both("Workflow"),
        labels=(*COMMON_LABELS, semconv.WORKFLOW_NAME),
        buckets=semconv.WORKFLOW_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_DB_DURATION,
        "Duration of database client operations.",
        both("Retrieval", "DatabaseCall"),
        (Value(_read_database_duration),),
        labels=_DATABASE_LABELS,
        buckets=semconv.DB_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_MCP_CLIENT_DURATION,
        "The duration of the MCP request or notification as observed on the sender from the time it was sent until "
        "the response or ack is received.",
        both("McpCall"),
        labels=(*_MCP_LABELS, semconv.SERVER_ADDRESS, semconv.SERVER_PORT),
        buckets=semconv.MCP_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_MCP_SERVER_DURATION,
        "MCP request or notification duration as observed on the receiver from the time it was received until the "
        "result or ack is sent.",
        both("McpServerCall"),
        labels=_MCP_LABELS,
        buckets=semconv.MCP_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_MCP_CLIENT_SESSION_DURATION,
        "The duration of the MCP session as observed on the MCP client.",
        both("McpSession"),
        labels=(*_MCP_SESSION_LABELS, semconv.SERVER_ADDRESS, semconv.SERVER_PORT),
        buckets=semconv.MCP_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_MCP_SERVER_SESSION_DURATION,
        "The duration of the MCP session as observed on the MCP server.",
        both("McpServerSession"),
        labels=_MCP_SESSION_LABELS,
        buckets=semconv.MCP_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_RPC_CLIENT_DURATION,
        "Measures the duration of an outgoing Remote Procedure Call (RPC).",
        both("A2aCall", "A2aAgentCall"),
        labels=(*_RPC_LABELS, semconv.SERVER_ADDRESS, semconv.SERVER_PORT),
        buckets=semconv.RPC_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_RPC_SERVER_DURATION,
        "Measures the duration of an incoming Remote Procedure Call (RPC).",
        both("A2aServerCall"),
        labels=_RPC_LABELS,
        buckets=semconv.RPC_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_HTTP_SERVER_DURATION,
        "Duration of HTTP server requests.",
        both("HttpServerRequest"),
        labels=_HTTP_SERVER_LABELS,
        buckets=semconv.HTTP_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_HTTP_CLIENT_DURATION,
        "Duration of HTTP client requests.",
        both("HttpClientRequest"),
        labels=_HTTP_CLIENT_LABELS,
        buckets=semconv.HTTP_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_MESSAGING_DURATION,
        "Duration of messaging operation initiated by a producer or consumer client.",
        both("MessageSend", "MessageReceive", "MessageCall"),
        labels=_MESSAGING_LABELS,
        buckets=semconv.MESSAGING_DURATION_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_MESSAGING_PROCESS_DURATION,
        "Duration of processing operation.",
        both("MessageProcess", "MessageServerCall"),
        labels=_MESSAGING_LABELS,
        buckets=semconv.MESSAGING_DURATION_BUCKETS,
    ),
    Instrument(
        semconv.METRIC_MESSAGING_SENT,
        "counter",
        "{message}",
        "Number of messages producer attempted to send to the broker.",
        both("MessageSend", "MessageCall", "SentMessages"),
        (Value(_count_messages),),
        _MESSAGING_LABELS,
    ),
    Instrument(
        semconv.METRIC_MESSAGING_CONSUMED,
        "counter",
        "{message}",
        "Number of messages that were delivered to the application.",
        both("MessageReceive", "MessageProcess", "MessageServerCall", "ReceivedMessages"),
        (Value(_count_messages),),
        _MESSAGING_LABELS,
    ),
    _seconds(
        semconv.METRIC_MESSAGING_QUEUE_DURATION,
        "How long messages waited from when they were sent to when they were received.",
        both("MessageProcess", "MessageServerCall"),
        (Value(attribute(semconv.OBS_MESSAGING_QUEUE_TIME)),),
        labels=_MESSAGING_LABELS,
        buckets=semconv.TIMER_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_FUNCTION_DURATION,
        "How long a call of a function took that OBS_WRAP names as a span.",
        both("OwnCall"),
        labels=(semconv.CODE_FUNCTION_NAME, semconv.ERROR_TYPE),
        buckets=semconv.TIMER_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_CONTRACT_DURATION,
        "How long a check of a contract took that OBS_WRAP names, and whether the contract was met.",
        both("ContractCheck"),
        labels=(semconv.OBS_CONTRACT_NAME, semconv.OBS_CONTRACT_MET, semconv.ERROR_TYPE),
        buckets=semconv.TIMER_BUCKETS,
    ),
    _seconds(
        semconv.METRIC_LOG_DURATION,
        "How long something took, as a log line tells that a rule is for.",
        both("LoggedDuration"),
        labels=_RULE,
        buckets=semconv.TIMER_BUCKETS,
    ),
    Instrument(
        semconv.METRIC_LOG_VALUE,
        "histogram",
        "1",
        "A figure that a log line tells that a rule is for.",
        both("LoggedValue"),
        _DURATION,
        _RULE,
        semconv.TOKEN_BUCKETS,
    ),
    Instrument(
        semconv.METRIC_LOG_COUNT,
        "counter",
        "1",
        "How many there were of what log lines tell that a rule is for.",
        both("LoggedCount"),
        _DURATION,
        _RULE,
    ),
    COST,
    OLD_COST,
    UNKNOWN_COST,
    *run_instruments.TABLE,
    *observed_instruments.TABLE,
    LOST,
    REPEATED,
)
