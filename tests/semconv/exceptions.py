"""Where obs-run leaves the conventions on purpose; everything else that ``conformance`` finds is a defect."""

from __future__ import annotations

OPERATIONS = {
    "classification": "no convention knows classification",
    "count_tokens": "no convention knows a provider's counting of tokens",
    "compact": "no convention knows a provider's compaction of a conversation",
    "create_batch": "no convention knows batches",
    "fetch_batch": "no convention knows batches",
    "rerank": "no convention knows reranking",
    "image_generation": "no convention knows images",
    "image_edit": "no convention knows images",
    "image_variation": "no convention knows images",
    "speech": "no convention knows sound",
    "transcription": "no convention knows sound",
    "translation": "no convention knows sound",
    "moderation": "no convention knows moderation",
    "ocr": "no convention knows the reading of documents",
    "video_generation": "no convention knows videos",
    "step": "no convention knows the steps of a graph or crew, and a workflow is not to be told for them",
    "handoff": "no convention knows agents that hand over to another; it is still under discussion",
}
"""Values of ``gen_ai.operation.name`` beside the predefined ones; the enumeration is open."""

NOT_REQUIRED = {"retrieval-documents": {"RetrievalDocument": ("score",)}}
"""Fields of content that are left out where they are not known: a framework's retriever tells of no scores."""

PROVIDERS = dict.fromkeys(
    (
        "ag2",
        "autogen",
        "haystack",
        "aws.sagemaker",
        "cerebras",
        "fireworks_ai",
        "huggingface",
        "letta",
        "litellm",
        "microsoft.agent_framework",
        "oci",
        "ollama",
        "openrouter",
        "pinecone",
        "replicate",
        "strands-agents",
        "together_ai",
        "vllm",
        "transformers",
        "voyageai",
    ),
    "the enumeration is open and has no value for it",
)
"""Values of ``gen_ai.provider.name`` beside the predefined ones."""

MEASURERS = {"agent_framework": "it measures tokens in another unit; what of it is exported is none of ours"}
"""Scopes of libraries that measure by themselves where we do not record them."""

STATUSES = {"requires_action": "Google's interactions wait for functions that the agent runs"}
"""Values of ``gen_ai.response.status`` beside the predefined ones."""

METHODS = {
    "server/discover": "MCP has it since 2026-07-28 in place of the handshake",
    "subscriptions/listen": "MCP has it since 2026-07-28",
}
"""Values of ``mcp.method.name`` beside the predefined ones."""

_CACHES = "no convention knows caches"
_BREAKERS = "no convention knows circuit breakers"
_LIMITERS = "no convention knows limiters"
_WAITS = "the conventions have waits for a connection of pools of databases alone"
_RETRIES = "the conventions know of retries only that a request is one"
_RUNS = "the conventions know of a run only how long it took"
METRICS = {
    "obs.agent.cost": "no convention for money exists",
    "obs.cache.evictions": _CACHES,
    "obs.cache.lookup.duration": _CACHES,
    "obs.cache.lookups": _CACHES,
    "obs.circuit_breaker.rejected": _BREAKERS,
    "obs.circuit_breaker.state": _BREAKERS,
    "obs.circuit_breaker.transitions": _BREAKERS,
    "obs.http.client.connection.pending_requests": _WAITS,
    "obs.http.client.connection.timeouts": _WAITS,
    "obs.http.client.connection.wait_time": _WAITS,
    "obs.limiter.rejected": _LIMITERS,
    "obs.limiter.wait_time": _LIMITERS,
    "obs.retry.exhausted": _RETRIES,
    "obs.retry.scheduled": _RETRIES,
    "obs.retry.wait_time": _RETRIES,
    "obs.agent.tokens": "the conventions have no agent on the tokens of a call",
    "obs.client.prompt_cache.lookups": "the conventions count the cached tokens, not the calls",
    "gen_ai.usage.cost": "no convention for money exists; OpenLIT names it so",
    "obs.client.cost": "no convention for money exists",
    "obs.client.cost.unknown": "no convention for money exists",
    "obs.export.dropped": "obs-run's own loss",
    "obs.export.repeated": "obs-run's own deliveries",
    "obs.contract.check.duration": "no convention knows checks of contracts",
    "obs.function.duration": "no convention knows functions of an agent's own",
    "obs.log.count": "no convention knows what log lines tell",
    "obs.log.duration": "no convention knows what log lines tell",
    "obs.log.value": "no convention knows what log lines tell",
    "obs.messaging.queue.duration": "the conventions have no time between sending and receiving",
    "obs.run.context_fill": _RUNS,
    "obs.run.exceeded_budgets": _RUNS,
    "obs.run.loops": _RUNS,
    "obs.run.model_calls": _RUNS,
    "obs.run.model_time": _RUNS,
    "obs.run.own_time": _RUNS,
    "obs.run.repeated_tool_calls": _RUNS,
    "obs.run.steps": _RUNS,
    "obs.run.tool_calls": _RUNS,
}

CALLS_BY_MESSAGES = (("request", "CLIENT"), ("process", "SERVER"))
"""Operations of messages that wait for an answer, which the conventions of messages do not know, and their kinds."""

_OLD = {
    "gen_ai.system": "dashboards that ask for the old names tell providers by it",
    "gen_ai.agent.name": "dashboards ask which agent it was for",
}
LABELS = {
    "gen_ai.client.operation.duration": _OLD,
    "gen_ai.client.operation.time_per_output_chunk": _OLD,
    "gen_ai.client.operation.time_to_first_chunk": _OLD,
    "gen_ai.client.token.usage": _OLD,
    "gen_ai.execute_tool.duration": {
        "obs.tool.inferred": "what lies between two calls of a model is more than the tool alone",
    },
}
"""Labels of metrics beside those of the conventions."""

NOT_MEASURED = {
    "gen_ai.server.request.duration": "for those who serve models",
    "gen_ai.server.time_per_output_token": "for those who serve models",
    "gen_ai.server.time_to_first_token": "for those who serve models",
}
"""Metrics of the conventions that the table of instruments does not have."""

VIEWERS = {
    "gen_ai.usage.cost": "no convention for money exists, and viewers read this name",
    "gen_ai.usage.cache_creation.input_tokens": "viewers still read the name that cache_write had",
    "peer.service": "graphs of services know by it what makes no spans of its own",
}
"""Attributes that spans have for viewers, beside those of the conventions."""

PARTS = {
    "omitted_blob": "a binary payload replaced by its type and size",
    "refusal": "what the model says when it refuses",
    "mcp_approval_request": "as the provider has it: whether a tool of a server may be called",
    "mcp_approval_response": "the answer to it",
    "prompt": "a prompt that the provider stores, with what the agent puts into it",
    "novelty": "in tests, what a provider thinks of tomorrow; parts of types that are not known are kept as they came",
}
"""Message parts beside the schemas' own types, which allow any with a ``type``."""

_GROUP = "in the registry, and on the spans of single systems"
_OF_MESSAGES = {
    "network.transport": "spans of all kinds may have it",
    "peer.service": "spans of all kinds may have it",
    "rpc.method": "what a message asks for, where it does",
}
_CONVERSATION = "conversations are found by it; the conventions let it be added to any span"
ATTRIBUTES: dict[str, dict[str, str]] = {
    "A2aAgentCall": {
        "gen_ai.request.stream": "streams are told as those of models are",
        "jsonrpc.request.id": "what the message travels by has conventions too",
        "rpc.method": "what the message travels by has conventions too",
        "rpc.system.name": "what the message travels by has conventions too",
    },
    "AgentRun": {
        "gen_ai.provider.name": "the tag has it; empty where an agent asks several",
        "gen_ai.agent.id": "the tag has it; two agents may have one name",
        "gen_ai.agent.version": "the tag has it",
    },
    "AgentCreation": {"gen_ai.conversation.id": _CONVERSATION},
    "Embedding": {"gen_ai.conversation.id": _CONVERSATION},
    "ExecutedTool": {"gen_ai.provider.name": "a field of all GenAI operations, filled where a service runs the tool"},
    "FetchedResponse": {
        "gen_ai.conversation.id": _CONVERSATION,
        "gen_ai.request.model": "a field of all calls of models, which this one leaves empty",
    },
    "Inference": {"gen_ai.response.status": "the convention has it on fetched responses, where the same words stand"},
    "Memory": {"gen_ai.conversation.id": _CONVERSATION},
    "MessageProcess": {"messaging.consumer.group.name": _GROUP, **_OF_MESSAGES},
    "MessageReceive": {"messaging.consumer.group.name": _GROUP, **_OF_MESSAGES},
    "MessageSend": {
        "messaging.consumer.group.name": "a field of all messages, which a sender leaves empty",
        **_OF_MESSAGES,
    },
    "Plan": {
        "gen_ai.conversation.id": _CONVERSATION,
        "gen_ai.provider.name": "a field of all GenAI operations, which a plan leaves empty",
    },
    "RemoteAgentRun": {
        "gen_ai.request.stream": "streams are told as those of models are",
        "gen_ai.response.id": "services name runs as models do their answers",
        "gen_ai.response.model": "services say which model answered",
        "gen_ai.usage.reasoning.output_tokens": "services break it down as models do",
    },
    "Retrieval": {"gen_ai.conversation.id": _CONVERSATION},
    "ToolCall": {"gen_ai.provider.name": "a field of all GenAI operations, filled where a service runs the tool"},
    "Workflow": {"gen_ai.provider.name": "a field of all GenAI operations, which a workflow leaves empty"},
}
"""Attributes of an operation's class beside those that the conventions have on its type of span."""

_A2A = "the conventions have no requests of A2A but the run of the agent"
_ANSWERED = "the conventions of messages know none that wait for an answer"
WITHOUT_SPAN_TYPE = {
    "A2aCall": _A2A,
    "A2aServerCall": _A2A,
    "ContractCheck": "no convention knows checks of contracts",
    "Handoff": OPERATIONS["handoff"],
    "LoggedRequest": "no convention knows what log lines tell",
    "LoggedWork": "no convention knows what log lines tell",
    "MessageCall": _ANSWERED,
    "MessageServerCall": _ANSWERED,
    "OwnCall": "no convention knows functions of an agent's own",
    "PoolAcquire": "the conventions have metrics of pools alone",
    "Rerank": OPERATIONS["rerank"],
    "Step": OPERATIONS["step"],
}
"""Classes of operations whose spans no convention describes."""
