"""Calls of models."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from obs_run.core import semconv
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .fields import attribute, content
from .operation import Attributes, GenAiOperation, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obs_run.core.messages import Message, Part, ToolDefinition

    from .operation import Operation
    from .tools import ToolResult

_CACHE_WRITES = ("cache_write_5m_tokens", "cache_write_1h_tokens")
_UNIT_ATTRIBUTES = {
    "web_searches": semconv.OBS_USAGE_WEB_SEARCHES,
    "social_searches": semconv.OBS_USAGE_SOCIAL_SEARCHES,
    "storage_searches": semconv.OBS_USAGE_STORAGE_SEARCHES,
    "rerank_searches": semconv.OBS_USAGE_SEARCH_UNITS,
    "audio_seconds": semconv.OBS_USAGE_AUDIO_SECONDS,
    "input_characters": semconv.OBS_USAGE_CHARACTERS,
    "input_document_pages": semconv.OBS_USAGE_DOCUMENT_PAGES,
}


@sparse_dataclass
class ModelCall(GenAiOperation):
    """A call of a model: what inference, embeddings and the other model endpoints have in common."""

    request_model: str | None = attribute(semconv.REQUEST_MODEL)
    response_model: str | None = attribute(semconv.RESPONSE_MODEL)
    usage: Usage | None = None
    usage_source: str | None = attribute(semconv.OBS_USAGE_SOURCE)
    """"requested" where we asked the provider for usage that the agent had not asked for."""
    provider_reports_usage: bool | None = None
    """False where the provider sends none, and the library fills in what it counted itself."""
    input_count: int | None = attribute(semconv.OBS_REQUEST_INPUT_COUNT)
    price_context: dict[str, str] | None = None
    """What changes the price besides the usage: ``{"processing": "batch"}``, ``{"service_tier": "flex"}``."""
    billed_units: dict[str, float] | None = None
    """What is paid for beside tokens, by the price table's names of units: ``{"web_searches": 2}``."""
    reported_cost: dict[str, float] | None = None
    """US dollars by the answer's own word: ``total`` and, where it tells them, ``input`` and ``output``."""
    billed_calls: list[tuple[str | None, Usage]] | None = None
    """Where the provider made several calls of one: each call's usage and model, None for the model that answered."""

    SUBJECT: ClassVar[str | None] = "request_model"
    IS_MODEL_CALL: ClassVar[bool] = True

    def attributes(self) -> Attributes:
        """Return every known field and token count under its attribute name, content left out."""
        attributes = super().attributes()
        if self.usage is not None:
            attributes.update(_counts(self.usage))
        for unit, count in (self.billed_units or {}).items():
            if unit in _UNIT_ATTRIBUTES:
                attributes[_UNIT_ATTRIBUTES[unit]] = count
        return attributes

    def pricing(self) -> Attributes:
        """Return the tokens by how long they are cached, ``context`` with what else changes the price, and the rest."""
        pricing: Attributes = {}
        if self.usage is not None:
            pricing.update(_cache_writes(self.usage))
        if self.price_context is not None:
            pricing["context"] = self.price_context
        if self.billed_units is not None:
            pricing["units"] = dict(self.billed_units)
        if self.reported_cost is not None:
            pricing["cost"] = dict(self.reported_cost)
        if self.billed_calls is not None:
            pricing["calls"] = [(model, _counts(usage), _cache_writes(usage)) for model, usage in self.billed_calls]
        return pricing


def _counts(usage: Usage) -> Attributes:
    names = Usage.ATTRIBUTES
    # What is_count() says, without a dozen calls.
    return {names[key]: n for key, n in usage.__dict__.items() if n is not None and n >= 0 and key in names}


def _cache_writes(usage: Usage) -> Attributes:
    """Return the tokens by how long they are cached, which have no attributes."""
    counts = usage.__dict__
    return {name: n for name in _CACHE_WRITES if (n := counts.get(name)) is not None and n >= 0}


@sparse_dataclass
class Inference(ModelCall):
    """A model's answer to messages or a prompt: ``chat``, ``text_completion``, ``generate_content``."""

    stream: bool | None = attribute(semconv.REQUEST_STREAM)
    """True while streaming; left None otherwise, as the convention wants."""
    output_type: str | None = attribute(semconv.OUTPUT_TYPE)
    choice_count: int | None = attribute(semconv.REQUEST_CHOICE_COUNT)
    seed: int | None = attribute(semconv.REQUEST_SEED)
    temperature: float | None = attribute(semconv.REQUEST_TEMPERATURE)
    top_p: float | None = attribute(semconv.REQUEST_TOP_P)
    top_k: int | None = attribute(semconv.REQUEST_TOP_K)
    frequency_penalty: float | None = attribute(semconv.REQUEST_FREQUENCY_PENALTY)
    presence_penalty: float | None = attribute(semconv.REQUEST_PRESENCE_PENALTY)
    max_tokens: int | None = attribute(semconv.REQUEST_MAX_TOKENS)
    stop_sequences: list[str] | None = attribute(semconv.REQUEST_STOP_SEQUENCES)
    reasoning_level: str | None = attribute(semconv.REQUEST_REASONING_LEVEL)
    previous_response_id: str | None = attribute(semconv.REQUEST_PREVIOUS_RESPONSE_ID)
    response_id: str | None = attribute(semconv.RESPONSE_ID)
    response_status: str | None = attribute(semconv.RESPONSE_STATUS)
    finish_reasons: list[str] | None = attribute(semconv.RESPONSE_FINISH_REASONS)
    tool_calls: list[str] | None = attribute(semconv.OBS_TOOL_CALLS)
    """Names of the tools that the model asked for, in order."""
    # What few calls ever know costs the others nothing: it is not initialised.
    tool_call_ids: list[str | None] | None = field(default=None, init=False)
    """The ids of these calls in the same order, where the provider gives them any."""
    tool_results: Iterable[ToolResult] | None = field(default=None, init=False)
    """What the request brings of tools that were called, the newest first; read once, as the call starts, or never."""
    offered_tools: Iterable[str | None] | None = field(default=None, init=False)
    """Names of the agent's tools that the model may ask for; read like these."""
    must_call_tool: bool = field(default=False, init=False)
    """Whether the request leaves the model no other choice, as for an answer in a tool's form."""
    output_tools: frozenset[str] = field(default=frozenset(), init=False)
    """Names of the tools by which the model says its answer: a framework offers them, and nobody runs them."""
    stream_end: str | None = attribute(semconv.OBS_RESPONSE_STREAM_END)
    """"abandoned" or "cancelled" where the agent did not read a stream to its end."""

    system_instructions: list[Part] | None = content(semconv.SYSTEM_INSTRUCTIONS)
    input_messages: list[Message] | None = content(semconv.INPUT_MESSAGES)
    output_messages: list[Message] | None = content(semconv.OUTPUT_MESSAGES)
    tool_definitions: list[ToolDefinition] | None = content(semconv.TOOL_DEFINITIONS)

    ASKS_FOR_TOOLS: ClassVar[bool] = True
    IS_TURN: ClassVar[bool] = True

    def take_over(self, before: Operation) -> None:
        """Take over what the framework knows of the tools that it offers, too."""
        super().take_over(before)
        self.output_tools = getattr(before, "output_tools", self.output_tools)


@sparse_dataclass
class FetchedResponse(ModelCall):
    """A stored response that the agent asks for again: ``fetch_response``.

    Its usage was counted when it was made, but for one that was not yet there then: the question that brings it has it.
    """

    name: str = "fetch_response"
    response_id: str | None = attribute(semconv.RESPONSE_ID)
    response_model: str | None = attribute(semconv.RESPONSE_MODEL)
    response_status: str | None = attribute(semconv.RESPONSE_STATUS)
    finish_reasons: list[str] | None = attribute(semconv.RESPONSE_FINISH_REASONS)
    tool_calls: list[str] | None = attribute(semconv.OBS_TOOL_CALLS)
    tool_call_ids: list[str | None] | None = field(default=None, init=False)
    stream_end: str | None = attribute(semconv.OBS_RESPONSE_STREAM_END)

    output_messages: list[Message] | None = content(semconv.OUTPUT_MESSAGES)

    SUBJECT: ClassVar[str | None] = None
    ASKS_FOR_TOOLS: ClassVar[bool] = True
    MAY_BE_KNOWN: ClassVar[bool] = True


@sparse_dataclass
class Embedding(ModelCall):
    """Texts turned into vectors: ``embeddings``."""

    dimensions: int | None = attribute(semconv.EMBEDDINGS_DIMENSION_COUNT)
    encoding_formats: list[str] | None = attribute(semconv.REQUEST_ENCODING_FORMATS)


@sparse_dataclass
class Rerank(ModelCall):
    """Documents put in order of relevance by a model: ``rerank``."""

    name: str = "rerank"
    top_k: int | None = attribute(semconv.RETRIEVAL_TOP_K)
    scores: list[float] | None = attribute(semconv.OBS_RETRIEVAL_SCORES)
    query_text: str | None = content(semconv.RETRIEVAL_QUERY_TEXT)
    documents: list[dict[str, Any]] | None = content(semconv.RETRIEVAL_DOCUMENTS)
    """The documents in their new order: dicts of ``id``, ``score`` and, where known, ``content``."""
    sent_documents: list[Any] | None = None
    """The texts as the agent sent them, of which the model returns the indexes only; kept while content is wanted."""

    def rank(self, scores: list[tuple[int, float | None]]) -> None:
        """Keep what the model says: the index of each document in the request and its score, best first."""
        self.scores = [score for _, score in scores if score is not None] or None
        if self.sent_documents is not None:
            documents = self.sent_documents
            self.documents = [{"id": str(at), "score": score, "content": documents[at]} for at, score in scores]
