"""What an agent does, as plain records: an instrumentor fills one, the recorder turns it into telemetry.

A field that is None is unknown and leaves no trace; unknown is never 0. Texts, messages and tool arguments are
*content*: instrumentors fill them only while ``content.wanted()`` is true.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from obs_run.core import semconv

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part, ToolDefinition

Attributes = dict[str, Any]


@dataclass
class Usage:
    """Tokens of one call as the conventions count them: input includes cached tokens, output includes reasoning."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    text_input_tokens: int | None = None
    image_input_tokens: int | None = None
    audio_input_tokens: int | None = None
    text_output_tokens: int | None = None
    image_output_tokens: int | None = None
    audio_output_tokens: int | None = None
    audio_cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    """Of those written to a cache; no attribute, but the kinds have prices of their own."""
    cache_write_1h_tokens: int | None = None

    ATTRIBUTES: ClassVar[dict[str, str]] = {
        "input_tokens": semconv.USAGE_INPUT_TOKENS,
        "output_tokens": semconv.USAGE_OUTPUT_TOKENS,
        "cache_read_tokens": semconv.USAGE_CACHE_READ_TOKENS,
        "cache_write_tokens": semconv.USAGE_CACHE_WRITE_TOKENS,
        "reasoning_tokens": semconv.USAGE_REASONING_TOKENS,
        "text_input_tokens": semconv.USAGE_TEXT_INPUT_TOKENS,
        "image_input_tokens": semconv.USAGE_IMAGE_INPUT_TOKENS,
        "audio_input_tokens": semconv.USAGE_AUDIO_INPUT_TOKENS,
        "text_output_tokens": semconv.USAGE_TEXT_OUTPUT_TOKENS,
        "image_output_tokens": semconv.USAGE_IMAGE_OUTPUT_TOKENS,
        "audio_output_tokens": semconv.USAGE_AUDIO_OUTPUT_TOKENS,
        "audio_cache_read_tokens": semconv.USAGE_AUDIO_CACHE_READ_TOKENS,
    }


@dataclass
class Operation:
    """One thing an agent does: what is known when it starts, and what becomes known until it ends."""

    name: str
    """The value of ``gen_ai.operation.name``."""
    provider: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    conversation_id: str | None = None
    error_type: str | None = None
    """Set by the translation where the provider says more than the exception's class."""
    extra: Attributes = field(default_factory=dict)
    """Attributes of this provider alone, by their names in ``semconv``."""

    KIND: ClassVar[str] = "CLIENT"
    SUBJECT: ClassVar[str | None] = None
    """The field that stands behind the operation's name in the span's name."""
    ATTRIBUTES: ClassVar[dict[str, str]] = {
        "name": semconv.OPERATION_NAME,
        "provider": semconv.PROVIDER_NAME,
        "server_address": semconv.SERVER_ADDRESS,
        "server_port": semconv.SERVER_PORT,
        "conversation_id": semconv.CONVERSATION_ID,
        "error_type": semconv.ERROR_TYPE,
    }

    def span_name(self) -> str:
        """Return the span's name: the operation, and what it is about if that is known."""
        subject = getattr(self, self.SUBJECT) if self.SUBJECT else None
        return f"{self.name} {subject}" if subject else self.name

    def attributes(self) -> Attributes:
        """Return every known field under its attribute name, content left out."""
        values = self.__dict__
        attributes = {name: value for key, name in self.ATTRIBUTES.items() if (value := values[key]) is not None}
        attributes.update(self.extra)
        return attributes

    def content(self) -> Attributes:
        """Return the content that is known, by attribute names."""
        names: dict[str, str] = getattr(self, "CONTENT", {})
        values = self.__dict__
        return {name: value for key, name in names.items() if (value := values[key]) is not None}

    def pricing(self) -> Attributes:
        """Return what only the price needs."""
        return {}

    def inherit(self, outer: Operation) -> None:
        """Take over what holds inside of ``outer``."""


@dataclass
class ModelCall(Operation):
    """A call of a model: what inference, embeddings and the other model endpoints have in common."""

    request_model: str | None = None
    response_model: str | None = None
    usage: Usage | None = None
    usage_source: str | None = None
    """"requested" where we asked the provider for usage that the agent had not asked for."""
    usage_told: bool | None = None
    """Whether the provider itself told usage, where a library would fill in what it counted; leaves no trace."""
    input_count: int | None = None
    price_context: dict[str, str] | None = None
    """What changes the price besides the usage: ``{"processing": "batch"}``, ``{"service_tier": "flex"}``."""

    SUBJECT: ClassVar[str | None] = "request_model"
    ATTRIBUTES: ClassVar[dict[str, str]] = {
        **Operation.ATTRIBUTES,
        "request_model": semconv.REQUEST_MODEL,
        "response_model": semconv.RESPONSE_MODEL,
        "usage_source": semconv.OBS_USAGE_SOURCE,
        "input_count": semconv.OBS_REQUEST_INPUT_COUNT,
    }

    def attributes(self) -> Attributes:
        """Return every known field and token count under its attribute name, content left out."""
        attributes = super().attributes()
        if self.usage is not None:
            counts = self.usage.__dict__
            for key, name in Usage.ATTRIBUTES.items():
                if counts[key] is not None:
                    attributes[name] = counts[key]
        return attributes

    def pricing(self) -> Attributes:
        """Return what only the price needs: tokens by how they were cached, and what changes the price."""
        pricing: Attributes = {}
        for name in ("cache_write_5m_tokens", "cache_write_1h_tokens"):
            count = getattr(self.usage, name, None)
            if count is not None:
                pricing[name] = count
        if self.price_context is not None:
            pricing["context"] = self.price_context
        return pricing


@dataclass
class Inference(ModelCall):
    """A model's answer to messages or a prompt: ``chat``, ``text_completion``, ``generate_content``."""

    stream: bool | None = None
    """True while streaming; left None otherwise, as the convention wants."""
    output_type: str | None = None
    choice_count: int | None = None
    seed: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    max_tokens: int | None = None
    stop_sequences: list[str] | None = None
    reasoning_level: str | None = None
    previous_response_id: str | None = None
    response_id: str | None = None
    response_status: str | None = None
    finish_reasons: list[str] | None = None
    tool_calls: list[str] | None = None
    """Names of the tools that the model asked for, in order."""
    stream_end: str | None = None
    """"abandoned" or "cancelled" where the agent did not read a stream to its end."""

    system_instructions: list[Part] | None = None
    input_messages: list[Message] | None = None
    output_messages: list[Message] | None = None
    tool_definitions: list[ToolDefinition] | None = None

    ATTRIBUTES: ClassVar[dict[str, str]] = {
        **ModelCall.ATTRIBUTES,
        "stream": semconv.REQUEST_STREAM,
        "output_type": semconv.OUTPUT_TYPE,
        "choice_count": semconv.REQUEST_CHOICE_COUNT,
        "seed": semconv.REQUEST_SEED,
        "temperature": semconv.REQUEST_TEMPERATURE,
        "top_p": semconv.REQUEST_TOP_P,
        "top_k": semconv.REQUEST_TOP_K,
        "frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY,
        "presence_penalty": semconv.REQUEST_PRESENCE_PENALTY,
        "max_tokens": semconv.REQUEST_MAX_TOKENS,
        "stop_sequences": semconv.REQUEST_STOP_SEQUENCES,
        "reasoning_level": semconv.REQUEST_REASONING_LEVEL,
        "previous_response_id": semconv.REQUEST_PREVIOUS_RESPONSE_ID,
        "response_id": semconv.RESPONSE_ID,
        "response_status": semconv.RESPONSE_STATUS,
        "finish_reasons": semconv.RESPONSE_FINISH_REASONS,
        "tool_calls": semconv.OBS_TOOL_CALLS,
        "stream_end": semconv.OBS_RESPONSE_STREAM_END,
    }
    CONTENT: ClassVar[dict[str, str]] = {
        "system_instructions": semconv.SYSTEM_INSTRUCTIONS,
        "input_messages": semconv.INPUT_MESSAGES,
        "output_messages": semconv.OUTPUT_MESSAGES,
        "tool_definitions": semconv.TOOL_DEFINITIONS,
    }


@dataclass
class Embedding(ModelCall):
    """Texts turned into vectors: ``embeddings``."""

    dimensions: int | None = None
    encoding_formats: list[str] | None = None

    ATTRIBUTES: ClassVar[dict[str, str]] = {
        **ModelCall.ATTRIBUTES,
        "dimensions": semconv.EMBEDDINGS_DIMENSION_COUNT,
        "encoding_formats": semconv.REQUEST_ENCODING_FORMATS,
    }


@dataclass
class ToolCall(Operation):
    """A tool that the agent runs: ``execute_tool``."""

    name: str = "execute_tool"
    tool_name: str | None = None
    tool_type: str | None = None
    tool_description: str | None = None
    call_id: str | None = None
    agent_name: str | None = None
    arguments: Any = None
    result: Any = None

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "tool_name"
    ATTRIBUTES: ClassVar[dict[str, str]] = {
        **Operation.ATTRIBUTES,
        "tool_name": semconv.TOOL_NAME,
        "tool_type": semconv.TOOL_TYPE,
        "tool_description": semconv.TOOL_DESCRIPTION,
        "call_id": semconv.TOOL_CALL_ID,
        "agent_name": semconv.AGENT_NAME,
    }
    CONTENT: ClassVar[dict[str, str]] = {
        "arguments": semconv.TOOL_CALL_ARGUMENTS,
        "result": semconv.TOOL_CALL_RESULT,
    }


@dataclass
class Rerank(ModelCall):
    """Documents put in order of relevance by a model: ``rerank``."""

    name: str = "rerank"
    top_k: int | None = None
    scores: list[float] | None = None
    query_text: str | None = None
    documents: list[dict[str, Any]] | None = None
    """The documents in their new order: dicts of ``id``, ``score`` and, where known, ``content``."""
    given: list[Any] | None = None
    """The texts as the agent sent them, of which the model returns the places only; kept while content is wanted."""

    ATTRIBUTES: ClassVar[dict[str, str]] = {
        **ModelCall.ATTRIBUTES,
        "top_k": semconv.RETRIEVAL_TOP_K,
        "scores": semconv.OBS_RETRIEVAL_SCORES,
    }
    CONTENT: ClassVar[dict[str, str]] = {
        "query_text": semconv.RETRIEVAL_QUERY_TEXT,
        "documents": semconv.RETRIEVAL_DOCUMENTS,
    }

    def ranked(self, scores: list[tuple[int, float | None]]) -> None:
        """Keep what the model says: the place of each document in the request and its score, best first."""
        self.scores = [score for _, score in scores if score is not None] or None
        if self.given is not None:
            self.documents = [{"id": str(at), "score": score, "content": self.given[at]} for at, score in scores]


@dataclass
class Retrieval(Operation):
    """A search for documents: ``retrieval``; in a vector store it is that database's operation as well."""

    name: str = "retrieval"
    data_source: str | None = None
    request_model: str | None = None
    top_k: int | None = None
    system: str | None = None
    """The database, as ``db.system.name`` calls it."""
    database_operation: str | None = None
    collection: str | None = None
    namespace: str | None = None
    batch_size: int | None = None
    """How many queries were asked at once, where there are two or more."""
    returned: int | None = None
    scores: list[float] | None = None
    """Scores or distances as the store tells them, best first."""
    query_text: str | None = None
    documents: list[dict[str, Any]] | None = None
    """What was found: dicts of ``id``, ``score`` and, where known, ``content``."""

    SUBJECT: ClassVar[str | None] = "data_source"
    ATTRIBUTES: ClassVar[dict[str, str]] = {
        **Operation.ATTRIBUTES,
        "data_source": semconv.DATA_SOURCE_ID,
        "request_model": semconv.REQUEST_MODEL,
        "top_k": semconv.RETRIEVAL_TOP_K,
        "system": semconv.DB_SYSTEM_NAME,
        "database_operation": semconv.DB_OPERATION_NAME,
        "collection": semconv.DB_COLLECTION_NAME,
        "namespace": semconv.DB_NAMESPACE,
        "batch_size": semconv.DB_OPERATION_BATCH_SIZE,
        "returned": semconv.DB_RESPONSE_RETURNED_ROWS,
        "scores": semconv.OBS_RETRIEVAL_SCORES,
    }
    CONTENT: ClassVar[dict[str, str]] = {
        "query_text": semconv.RETRIEVAL_QUERY_TEXT,
        "documents": semconv.RETRIEVAL_DOCUMENTS,
    }


@dataclass
class DatabaseCall(Operation):
    """Any other call of a database: records written, deleted, fetched by id or counted."""

    system: str | None = None
    collection: str | None = None
    namespace: str | None = None
    batch_size: int | None = None
    """How many records the call writes or asks for, where there are two or more."""
    returned: int | None = None

    SUBJECT: ClassVar[str | None] = "collection"
    ATTRIBUTES: ClassVar[dict[str, str]] = {
        "name": semconv.DB_OPERATION_NAME,
        "system": semconv.DB_SYSTEM_NAME,
        "collection": semconv.DB_COLLECTION_NAME,
        "namespace": semconv.DB_NAMESPACE,
        "batch_size": semconv.DB_OPERATION_BATCH_SIZE,
        "returned": semconv.DB_RESPONSE_RETURNED_ROWS,
        "server_address": semconv.SERVER_ADDRESS,
        "server_port": semconv.SERVER_PORT,
        "error_type": semconv.ERROR_TYPE,
    }


@dataclass
class AgentRun(Operation):
    """One run of an agent inside this process: ``invoke_agent``."""

    def add_usage(self, usage: Usage) -> None:
        """Add what a model call inside used."""

    name: str = "invoke_agent"
    agent_name: str | None = None
    agent_description: str | None = None
    request_model: str | None = None

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "agent_name"
    ATTRIBUTES: ClassVar[dict[str, str]] = {
        **Operation.ATTRIBUTES,
        "agent_name": semconv.AGENT_NAME,
        "agent_description": semconv.AGENT_DESCRIPTION,
        "request_model": semconv.REQUEST_MODEL,
    }


@dataclass
class RemoteAgentRun(ModelCall):
    """One run of an agent that a service hosts: ``invoke_agent`` as its client sees it."""

    name: str = "invoke_agent"
    agent_id: str | None = None
    agent_name: str | None = None
    agent_version: str | None = None
    stream: bool | None = None
    tool_calls: list[str] | None = None
    """Names of the functions that the agent hands back to its caller."""
    stream_end: str | None = None

    input_messages: list[Message] | None = None
    output_messages: list[Message] | None = None

    SUBJECT: ClassVar[str | None] = "agent_name"
    ATTRIBUTES: ClassVar[dict[str, str]] = {
        **ModelCall.ATTRIBUTES,
        "agent_id": semconv.AGENT_ID,
        "agent_name": semconv.AGENT_NAME,
        "agent_version": semconv.AGENT_VERSION,
        "stream": semconv.REQUEST_STREAM,
        "tool_calls": semconv.OBS_TOOL_CALLS,
        "stream_end": semconv.OBS_RESPONSE_STREAM_END,
    }
    CONTENT: ClassVar[dict[str, str]] = {
        "input_messages": semconv.INPUT_MESSAGES,
        "output_messages": semconv.OUTPUT_MESSAGES,
    }


@dataclass
class Workflow(Operation):
    """One run of a workflow of several agents or steps: ``invoke_workflow``."""

    name: str = "invoke_workflow"
    workflow_name: str | None = None

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "workflow_name"
    ATTRIBUTES: ClassVar[dict[str, str]] = {**Operation.ATTRIBUTES, "workflow_name": semconv.WORKFLOW_NAME}
