"""Every attribute, event and metric name that obs-run writes, once.

Source: OpenTelemetry semantic conventions for GenAI, repository semantic-conventions-genai, main of October 2026
("1.42.0-dev"); names marked *old* are those of core v1.36 to v1.41 that dashboards in the wild still use.
Names under ``obs.`` are this project's own: no convention exists for them.
"""

from __future__ import annotations

SCHEMA_URL = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev"

GEN_AI_PREFIX = "gen_ai."
OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
SYSTEM = "gen_ai.system"  # old
OUTPUT_TYPE = "gen_ai.output.type"
CONVERSATION_ID = "gen_ai.conversation.id"

REQUEST_MODEL = "gen_ai.request.model"
REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count"
REQUEST_SEED = "gen_ai.request.seed"
REQUEST_STREAM = "gen_ai.request.stream"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
REQUEST_TOP_P = "gen_ai.request.top_p"
REQUEST_TOP_K = "gen_ai.request.top_k"
REQUEST_FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty"
REQUEST_PRESENCE_PENALTY = "gen_ai.request.presence_penalty"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences"
REQUEST_REASONING_LEVEL = "gen_ai.request.reasoning.level"
REQUEST_PREVIOUS_RESPONSE_ID = "gen_ai.request.previous_response.id"
REQUEST_ENCODING_FORMATS = "gen_ai.request.encoding_formats"
EMBEDDINGS_DIMENSION_COUNT = "gen_ai.embeddings.dimension.count"

RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_STATUS = "gen_ai.response.status"
RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"

USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_WRITE_TOKENS = "gen_ai.usage.cache_write.input_tokens"
USAGE_CACHE_CREATION_TOKENS = "gen_ai.usage.cache_creation.input_tokens"  # old
USAGE_COST = "gen_ai.usage.cost"  # in no convention, and what viewers read
USAGE_REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
USAGE_TEXT_INPUT_TOKENS = "gen_ai.usage.text.input_tokens"
USAGE_IMAGE_INPUT_TOKENS = "gen_ai.usage.image.input_tokens"
USAGE_AUDIO_INPUT_TOKENS = "gen_ai.usage.audio.input_tokens"
USAGE_TEXT_OUTPUT_TOKENS = "gen_ai.usage.text.output_tokens"
USAGE_IMAGE_OUTPUT_TOKENS = "gen_ai.usage.image.output_tokens"
USAGE_AUDIO_OUTPUT_TOKENS = "gen_ai.usage.audio.output_tokens"
USAGE_AUDIO_CACHE_READ_TOKENS = "gen_ai.usage.audio.cache_read.input_tokens"

INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"

AGENT_ID = "gen_ai.agent.id"
AGENT_NAME = "gen_ai.agent.name"
AGENT_DESCRIPTION = "gen_ai.agent.description"
AGENT_VERSION = "gen_ai.agent.version"
WORKFLOW_NAME = "gen_ai.workflow.name"
TOOL_NAME = "gen_ai.tool.name"
TOOL_TYPE = "gen_ai.tool.type"
TOOL_DESCRIPTION = "gen_ai.tool.description"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT = "gen_ai.tool.call.result"
DATA_SOURCE_ID = "gen_ai.data_source.id"
RETRIEVAL_TOP_K = "gen_ai.retrieval.top_k"
RETRIEVAL_QUERY_TEXT = "gen_ai.retrieval.query.text"
RETRIEVAL_DOCUMENTS = "gen_ai.retrieval.documents"
MEMORY_STORE_ID = "gen_ai.memory.store.id"
MEMORY_RECORD_ID = "gen_ai.memory.record.id"
MEMORY_RECORD_COUNT = "gen_ai.memory.record.count"
MEMORY_QUERY_TEXT = "gen_ai.memory.query.text"
MEMORY_RECORDS = "gen_ai.memory.records"
PROMPT_NAME = "gen_ai.prompt.name"
OLD_PROMPT = "gen_ai.prompt"  # old
OLD_COMPLETION = "gen_ai.completion"  # old
OLD_EVENT_CONTENT = "gen_ai.event.content"  # old, of Azure's clients
CONTENT = frozenset(
    {
        INPUT_MESSAGES,
        OUTPUT_MESSAGES,
        SYSTEM_INSTRUCTIONS,
        TOOL_DEFINITIONS,
        TOOL_CALL_ARGUMENTS,
        TOOL_CALL_RESULT,
        RETRIEVAL_QUERY_TEXT,
        RETRIEVAL_DOCUMENTS,
        MEMORY_QUERY_TEXT,
        MEMORY_RECORDS,
        OLD_PROMPT,
        OLD_COMPLETION,
        OLD_EVENT_CONTENT,
    }
)
"""What the conventions keep for prompts, answers, tool arguments and results."""

OLD_MESSAGE_EVENTS = frozenset(
    {
        "gen_ai.system.message",
        "gen_ai.user.message",
        "gen_ai.assistant.message",
        "gen_ai.tool.message",
        "gen_ai.choice",
    }
)
"""Events of older conventions, each of which is a message."""

MCP_METHOD_NAME = "mcp.method.name"
MCP_SESSION_ID = "mcp.session.id"
MCP_PROTOCOL_VERSION = "mcp.protocol.version"
MCP_RESOURCE_URI = "mcp.resource.uri"
JSONRPC_REQUEST_ID = "jsonrpc.request.id"
JSONRPC_PROTOCOL_VERSION = "jsonrpc.protocol.version"
RPC_RESPONSE_STATUS_CODE = "rpc.response.status_code"
RPC_GRPC_STATUS_CODE = "rpc.grpc.status_code"  # old, as the official instrumentor has it
RPC_SYSTEM_NAME = "rpc.system.name"
RPC_METHOD = "rpc.method"
NETWORK_TRANSPORT = "network.transport"
NETWORK_PROTOCOL_NAME = "network.protocol.name"
NETWORK_PROTOCOL_VERSION = "network.protocol.version"
CLIENT_ADDRESS = "client.address"
CLIENT_PORT = "client.port"
HTTP_REQUEST_METHOD = "http.request.method"
HTTP_REQUEST_METHOD_ORIGINAL = "http.request.method_original"
HTTP_REQUEST_HEADER = "http.request.header."
HTTP_RESPONSE_STATUS_CODE = "http.response.status_code"
HTTP_ROUTE = "http.route"
URL_FULL = "url.full"
URL_PATH = "url.path"
URL_QUERY = "url.query"
URL_SCHEME = "url.scheme"
USER_AGENT_ORIGINAL = "user_agent.original"

MESSAGING_SYSTEM = "messaging.system"
MESSAGING_OPERATION_NAME = "messaging.operation.name"
MESSAGING_OPERATION_TYPE = "messaging.operation.type"
MESSAGING_DESTINATION_NAME = "messaging.destination.name"
MESSAGING_DESTINATION_TEMPLATE = "messaging.destination.template"
MESSAGING_DESTINATION_PARTITION_ID = "messaging.destination.partition.id"
MESSAGING_CONSUMER_GROUP_NAME = "messaging.consumer.group.name"
MESSAGING_CLIENT_ID = "messaging.client.id"
MESSAGING_MESSAGE_ID = "messaging.message.id"
MESSAGING_MESSAGE_CONVERSATION_ID = "messaging.message.conversation_id"
MESSAGING_MESSAGE_BODY_SIZE = "messaging.message.body.size"
MESSAGING_BATCH_MESSAGE_COUNT = "messaging.batch.message_count"
PEER_SERVICE = "peer.service"

DB_SYSTEM_NAME = "db.system.name"
DB_OPERATION_NAME = "db.operation.name"
DB_OPERATION_BATCH_SIZE = "db.operation.batch.size"
DB_COLLECTION_NAME = "db.collection.name"
DB_NAMESPACE = "db.namespace"
DB_QUERY_TEXT = "db.query.text"
DB_STATEMENT = "db.statement"  # old
DB_SYSTEM = "db.system"  # old
DB_RESPONSE_RETURNED_ROWS = "db.response.returned_rows"

AWS_BEDROCK_GUARDRAIL_ID = "aws.bedrock.guardrail.id"
AWS_BEDROCK_KNOWLEDGE_BASE_ID = "aws.bedrock.knowledge_base.id"

OPENAI_API_TYPE = "openai.api.type"
OPENAI_REQUEST_SERVICE_TIER = "openai.request.service_tier"
OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier"
OPENAI_RESPONSE_SYSTEM_FINGERPRINT = "openai.response.system_fingerprint"

# Anthropic's client names these in its own spans.
ANTHROPIC_REQUEST_ID = "anthropic.request.id"
ANTHROPIC_SESSION_ID = "anthropic.session.id"
ANTHROPIC_STOP_REASON = "anthropic.message.stop_reason"
ANTHROPIC_RESPONSE_SERVICE_TIER = "anthropic.response.service_tier"

SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_TYPE = "error.type"
EXCEPTION_TYPE = "exception.type"
EXCEPTION_MESSAGE = "exception.message"
EXCEPTION_STACKTRACE = "exception.stacktrace"
CODE_FILE_PATH = "code.file.path"
CODE_FUNCTION_NAME = "code.function.name"
CODE_LINE_NUMBER = "code.line.number"
THREAD_NAME = "thread.name"

EVENT_LOG = "log"
LOG_MESSAGE, LOG_LEVEL, LOG_LOGGER = "message", "level", "logger"  # as OpenTracing named them, which viewers know
EVENT_INFERENCE_DETAILS = "gen_ai.client.inference.operation.details"
EVENT_RETRY = "obs.retry"
EVENT_RETRIES_EXHAUSTED = "obs.retry.exhausted"
EVENT_BREAKER_STATE = "obs.circuit_breaker.state_change"
EVENT_BREAKER_REJECTED = "obs.circuit_breaker.rejected"
EVENT_LIMITER_WAIT = "obs.limiter.wait"
EVENT_LIMITER_REJECTED = "obs.limiter.rejected"
EVENT_AUDIT = "obs.audit"
EVENT_BUDGET_EXCEEDED = "obs.budget.exceeded"
EVENT_EXCEPTION = "gen_ai.client.operation.exception"

OBS_TOOL_CALLS = "obs.response.tool_calls"
OBS_TOOL_INFERRED = "obs.tool.inferred"
OBS_TOOL_UNCONFIRMED = "obs.tool.unconfirmed"
OBS_USAGE_SOURCE = "obs.usage.source"
OBS_USAGE_AUDIO_SECONDS = "obs.usage.audio_seconds"
OBS_USAGE_SEARCH_UNITS = "obs.usage.search_units"
OBS_USAGE_WEB_SEARCHES = "obs.usage.web_searches"
OBS_USAGE_SOCIAL_SEARCHES = "obs.usage.social_searches"
OBS_USAGE_STORAGE_SEARCHES = "obs.usage.storage_searches"
OBS_USAGE_CHARACTERS = "obs.usage.characters"
OBS_USAGE_DOCUMENT_PAGES = "obs.usage.document_pages"
OBS_REQUEST_RETRIES = "obs.request.retries"
OBS_REQUEST_INPUT_COUNT = "obs.request.input_count"
OBS_RESPONSE_CACHED = "obs.response.cached"
OBS_RESPONSE_STREAM_END = "obs.response.stream_end"
OBS_RETRIEVAL_SCORES = "obs.retrieval.scores"
OBS_OUTCOME = "obs.outcome"
OBS_RESUMED = "obs.resumed"
OBS_LINK_KIND = "obs.link.kind"
OBS_USAGE_INPUT_TOKENS = "obs.usage.input_tokens"
OBS_USAGE_OUTPUT_TOKENS = "obs.usage.output_tokens"
OBS_COST_SUBTREE = "obs.cost.subtree"
OBS_CONTRACT_NAME = "obs.contract.name"
OBS_CONTRACT_MET = "obs.contract.met"
OBS_STEP_NAME = "obs.step.name"
OBS_STEP_TYPE = "obs.step.type"
OBS_STEP_NUMBER = "obs.step.number"
OBS_HANDOFF_TO_AGENT = "obs.handoff.to_agent"
OBS_MESSAGING_DELIVERY_COUNT = "obs.messaging.delivery_count"
POOL_NAME = "db.client.connection.pool.name"
POOL_STATE = "db.client.connection.state"
HTTP_CONNECTION_STATE = "http.connection.state"
OBS_BREAKER_NAME = "obs.circuit_breaker.name"
OBS_BREAKER_STATE = "obs.circuit_breaker.state"
OBS_BREAKER_PREVIOUS_STATE = "obs.circuit_breaker.previous_state"
OBS_RETRY_ATTEMPT = "obs.retry.attempt"
OBS_RETRY_WAIT_TIME = "obs.retry.wait_time"
OBS_RETRY_LIBRARY = "obs.retry.library"
OBS_LIMITER_NAME = "obs.limiter.name"
OBS_LIMITER_WAIT_TIME = "obs.limiter.wait_time"
OBS_CACHE_NAME = "obs.cache.name"
OBS_CACHE_RESULT = "obs.cache.result"
OBS_CACHE_EVICTION_REASON = "obs.cache.eviction.reason"
OBS_MESSAGING_QUEUE_TIME = "obs.messaging.queue_time"
OBS_ZMQ_SOCKET_TYPE = "obs.zmq.socket.type"
OBS_A2A_TASK_ID = "obs.a2a.task.id"
OBS_A2A_TASK_STATE = "obs.a2a.task.state"
OBS_COST_INPUT = "obs.cost.input"
OBS_COST_OUTPUT = "obs.cost.output"
OBS_COST_TOTAL = "obs.cost.total"
OBS_COST_PRICE_TABLE = "obs.cost.price_table"
OBS_SPAN_UNFINISHED = "obs.span.unfinished"
OBS_SPAN_OPEN = "obs.span.open"
OBS_SPAN_ENDED_BY = "obs.span.ended_by"
OBS_SPAN_STATUS = "obs.span.status"
OBS_EXPORT_POSSIBLE_DUPLICATE = "obs.export.possible_duplicate"
OBS_SPAN_EVENTS_DROPPED = "obs.span.events.dropped"
OBS_RUN_KIND = "obs.run.kind"
OBS_RUN_EXIT_CODE = "obs.run.exit_code"
OBS_RUN_SIGNAL = "obs.run.signal"
OBS_RUN_CONTINUED = "obs.run.continued"
OBS_RUN_STEPS = "obs.run.steps"
OBS_RUN_MODEL_CALLS = "obs.run.model_calls"
OBS_RUN_TOOL_CALLS = "obs.run.tool_calls"
OBS_RUN_REPEATED_TOOL_CALLS = "obs.run.repeated_tool_calls"
OBS_RUN_LOOPS = "obs.run.loops"
OBS_RUN_LOOP_TOOLS = "obs.run.loop_tools"
OBS_RUN_MODEL_TIME = "obs.run.model_time"
OBS_RUN_OWN_TIME = "obs.run.own_time"
OBS_RUN_AGENTS = "obs.run.agents"
OBS_RUN_TOOLS = "obs.run.tools"
OBS_RUN_CONTEXT_FILL = "obs.run.context_fill"
OBS_RUN_CONTEXT_WINDOW = "obs.run.context_window"
OBS_RUN_UNKNOWN_USAGE = "obs.run.unknown_usage"
OBS_RUN_UNKNOWN_COST = "obs.run.unknown_cost"
OBS_RUN_EXCEEDED_BUDGETS = "obs.run.exceeded_budgets"
OBS_BUDGET_NAME = "obs.budget.name"
OBS_BUDGET_LIMIT = "obs.budget.limit"
OBS_BUDGET_USED = "obs.budget.used"
OBS_ALERT = "obs.alert"
OBS_ALERT_NAME = "obs.alert.name"
OBS_ALERT_LEVEL = "obs.alert.level"
OBS_ALERT_METRIC = "obs.alert.metric"
OBS_ALERT_VALUE = "obs.alert.value"
OBS_ALERT_CONDITION = "obs.alert.condition"
OBS_ALERT_LABEL = "obs.alert.label."  # and the label's own name
METRIC_OVERFLOW = "otel.metric.overflow"
OBS_PRIVACY_WITHHELD = "obs.privacy.withheld"
OBS_LOG_CATEGORY = "obs.log.category"
OBS_LOG_TAGS = "obs.log.tags"
OBS_LOG_PERFORMANCE = "obs.log.performance."
OBS_AUDIT_SEQUENCE = "obs.audit.sequence"
OBS_AUDIT_HASH = "obs.audit.hash"
OBS_AUDIT_ACTOR = "obs.audit.actor"
OBS_AUDIT_OUTCOME = "obs.audit.outcome"
PROCESS_COMMAND_ARGS = "process.command_args"
PROCESS_COMMAND_LINE = "process.command_line"

OBS_EXPORT_SIGNAL = "obs.export.signal"
OBS_EXPORT_DESTINATION = "obs.export.destination"

METRIC_DB_DURATION = "db.client.operation.duration"
METRIC_MCP_CLIENT_DURATION = "mcp.client.operation.duration"
METRIC_MCP_SERVER_DURATION = "mcp.server.operation.duration"
METRIC_MCP_CLIENT_SESSION_DURATION = "mcp.client.session.duration"
METRIC_MCP_SERVER_SESSION_DURATION = "mcp.server.session.duration"
METRIC_RPC_CLIENT_DURATION = "rpc.client.call.duration"
METRIC_RPC_SERVER_DURATION = "rpc.server.call.duration"
METRIC_MESSAGING_DURATION = "messaging.client.operation.duration"
METRIC_MESSAGING_PROCESS_DURATION = "messaging.process.duration"
METRIC_MESSAGING_SENT = "messaging.client.sent.messages"
METRIC_MESSAGING_CONSUMED = "messaging.client.consumed.messages"
METRIC_MESSAGING_QUEUE_DURATION = "obs.messaging.queue.duration"

METRIC_POOL_COUNT = "db.client.connection.count"
METRIC_POOL_IDLE_MAX = "db.client.connection.idle.max"
METRIC_POOL_IDLE_MIN = "db.client.connection.idle.min"
METRIC_POOL_MAX = "db.client.connection.max"
METRIC_POOL_PENDING = "db.client.connection.pending_requests"
METRIC_POOL_TIMEOUTS = "db.client.connection.timeouts"
METRIC_POOL_CREATE_TIME = "db.client.connection.create_time"
METRIC_POOL_WAIT_TIME = "db.client.connection.wait_time"
METRIC_POOL_USE_TIME = "db.client.connection.use_time"
METRIC_HTTP_CLIENT_DURATION = "http.client.request.duration"
METRIC_HTTP_SERVER_DURATION = "http.server.request.duration"
METRIC_HTTP_CONNECTIONS = "http.client.open_connections"
METRIC_HTTP_CONNECTION_DURATION = "http.client.connection.duration"
METRIC_HTTP_WAIT_TIME = "obs.http.client.connection.wait_time"
METRIC_HTTP_PENDING = "obs.http.client.connection.pending_requests"
METRIC_HTTP_TIMEOUTS = "obs.http.client.connection.timeouts"
METRIC_BREAKER_STATE = "obs.circuit_breaker.state"
METRIC_BREAKER_TRANSITIONS = "obs.circuit_breaker.transitions"
METRIC_BREAKER_REJECTED = "obs.circuit_breaker.rejected"
METRIC_RETRIES = "obs.retry.scheduled"
METRIC_RETRIES_EXHAUSTED = "obs.retry.exhausted"
METRIC_RETRY_WAIT_TIME = "obs.retry.wait_time"
METRIC_LIMITER_WAIT_TIME = "obs.limiter.wait_time"
METRIC_LIMITER_REJECTED = "obs.limiter.rejected"
METRIC_CACHE_LOOKUPS = "obs.cache.lookups"
METRIC_CACHE_EVICTIONS = "obs.cache.evictions"
METRIC_CACHE_LOOKUP_DURATION = "obs.cache.lookup.duration"
METRIC_PROMPT_CACHE_LOOKUPS = "obs.client.prompt_cache.lookups"
METRIC_COST = "obs.client.cost"
METRIC_COST_UNKNOWN = "obs.client.cost.unknown"
METRIC_AGENT_TOKENS = "obs.agent.tokens"
METRIC_AGENT_COST = "obs.agent.cost"
METRIC_DROPPED = "obs.export.dropped"
METRIC_REPEATED = "obs.export.repeated"
METRIC_FUNCTION_DURATION = "obs.function.duration"
METRIC_CONTRACT_DURATION = "obs.contract.check.duration"
METRIC_LOG_DURATION = "obs.log.duration"
METRIC_LOG_VALUE = "obs.log.value"
METRIC_LOG_COUNT = "obs.log.count"

METRIC_DURATION = "gen_ai.client.inference.duration"
METRIC_FIRST_CHUNK = "gen_ai.client.inference.time_to_first_chunk"
METRIC_CHUNK_GAP = "gen_ai.client.inference.time_per_output_chunk"
METRIC_INPUT_PER_CALL = "gen_ai.client.inference.operation.input_tokens"
METRIC_OUTPUT_PER_CALL = "gen_ai.client.inference.operation.output_tokens"
METRIC_INPUT_TOKENS = "gen_ai.client.inference.usage.input_tokens"
METRIC_OUTPUT_TOKENS = "gen_ai.client.inference.usage.output_tokens"
METRIC_CACHE_READ_TOKENS = "gen_ai.client.inference.usage.cache_read.input_tokens"
METRIC_CACHE_WRITE_TOKENS = "gen_ai.client.inference.usage.cache_write.input_tokens"
METRIC_REASONING_TOKENS = "gen_ai.client.inference.usage.reasoning.output_tokens"
METRIC_OPERATION_DURATION = "gen_ai.client.operation.duration"
METRIC_OLD_TOKENS = "gen_ai.client.token.usage"
METRIC_OLD_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
METRIC_OLD_CHUNK_GAP = "gen_ai.client.operation.time_per_output_chunk"
METRIC_OLD_COST = "gen_ai.usage.cost"  # in no convention, and what dashboards ask for
METRIC_AGENT_DURATION = "gen_ai.invoke_agent.duration"
METRIC_TOOL_DURATION = "gen_ai.execute_tool.duration"
METRIC_WORKFLOW_DURATION = "gen_ai.invoke_workflow.duration"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 (a name, not a secret)
TOKEN_MODALITY = "gen_ai.token.modality"  # noqa: S105 (a name, not a secret)

DURATION_BUCKETS = tuple(0.01 * 2**step for step in range(14))
TOKEN_BUCKETS = tuple(4.0**step for step in range(14))
COST_BUCKETS = tuple(10.0**power for power in range(-6, 3))
TIMER_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
MCP_DURATION_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
RPC_DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
MESSAGING_DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
HTTP_DURATION_BUCKETS = RPC_DURATION_BUCKETS
POOL_DURATION_BUCKETS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)
LOOKUP_BUCKETS = (0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
DB_DURATION_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
AGENT_DURATION_BUCKETS = tuple(0.1 * 2**step for step in range(13))
WORKFLOW_DURATION_BUCKETS = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)

OBS_BRIDGE_RULE = "obs.bridge.rule"
OBS_BRIDGE_EVIDENCE = "obs.bridge.evidence"
OBS_BRIDGE_KEY = "obs.bridge.key"
OBS_BRIDGE_END = "obs.bridge.end"
OBS_BRIDGE_END_LINE = "obs.bridge.end.line"
