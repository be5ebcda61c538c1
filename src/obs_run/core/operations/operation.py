"""What all operations have in common."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from obs_run.core import semconv
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .fields import Described, attribute, attribute_metadata

if TYPE_CHECKING:
    from typing import TypeGuard

    from obs_run.core.sink import ErrorRecord

Attributes = dict[str, Any]


@sparse_dataclass
class Usage(Described):
    """Tokens of one call as the conventions count them: input includes cached tokens, output includes reasoning."""

    input_tokens: int | None = attribute(semconv.USAGE_INPUT_TOKENS)
    output_tokens: int | None = attribute(semconv.USAGE_OUTPUT_TOKENS)
    cache_read_tokens: int | None = attribute(semconv.USAGE_CACHE_READ_TOKENS)
    cache_write_tokens: int | None = attribute(semconv.USAGE_CACHE_WRITE_TOKENS)
    reasoning_tokens: int | None = attribute(semconv.USAGE_REASONING_TOKENS)
    text_input_tokens: int | None = attribute(semconv.USAGE_TEXT_INPUT_TOKENS)
    image_input_tokens: int | None = attribute(semconv.USAGE_IMAGE_INPUT_TOKENS)
    audio_input_tokens: int | None = attribute(semconv.USAGE_AUDIO_INPUT_TOKENS)
    text_output_tokens: int | None = attribute(semconv.USAGE_TEXT_OUTPUT_TOKENS)
    image_output_tokens: int | None = attribute(semconv.USAGE_IMAGE_OUTPUT_TOKENS)
    audio_output_tokens: int | None = attribute(semconv.USAGE_AUDIO_OUTPUT_TOKENS)
    audio_cache_read_tokens: int | None = attribute(semconv.USAGE_AUDIO_CACHE_READ_TOKENS)
    cache_write_5m_tokens: int | None = None
    """Of those written to a cache; no attribute, but the kinds have prices of their own."""
    cache_write_1h_tokens: int | None = None

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __eq__(self, other: object) -> bool:
        """Compare the counts that are told."""
        return isinstance(other, Usage) and self._told() == other._told()

    def _told(self) -> dict[str, int]:
        return {name: count for name, count in vars(self).items() if count is not None}

    def is_told(self) -> bool:
        """Whether there is any count: where nothing was told, not nothing was used."""
        return any(count is not None for count in vars(self).values())


def is_count(tokens: int | None) -> TypeGuard[int]:
    """Whether so many tokens can have been used; some servers write -1 for what they do not know."""
    return tokens is not None and tokens >= 0


@sparse_dataclass
class Operation(Described):
    """One thing an agent does: what is known when it starts, and what becomes known until it ends.

    Conversation and agent are known to every operation, and shown where the conventions have them.
    """

    name: str
    """What is done, as the conventions of the operation's family call it."""
    provider: str | None = None
    server_address: str | None = attribute(semconv.SERVER_ADDRESS)
    server_port: int | None = attribute(semconv.SERVER_PORT)
    conversation_id: str | None = None
    error_type: str | None = attribute(semconv.ERROR_TYPE)
    """Set by the translation where the provider says more than the exception's class."""
    error_message: str | None = field(default=None, init=False)
    """What is said of an error that is told and not raised."""
    failure: ErrorRecord | None = field(default=None, init=False)
    """What is known of an exception that cannot be kept until the end, as it holds on to frames."""
    extra: Attributes = field(default_factory=dict)
    """Attributes of this provider alone, by their names in ``semconv``."""
    agent_id: str | None = field(default=None, init=False)
    agent_name: str | None = field(default=None, init=False)
    """The agent that does it, from the operation that this one happens inside of."""

    KIND: ClassVar[str] = "CLIENT"
    """The name of its ``SpanKind``."""
    SUBJECT: ClassVar[str | None] = None
    """The field that stands behind the operation's name in the span's name."""
    IS_AGENT: ClassVar[bool] = False
    """Whether it is the run of an agent, which is another than the agent that it runs inside of."""
    IS_MODEL_CALL: ClassVar[bool] = False
    IS_FRAMEWORKS: ClassVar[bool] = False
    """Whether a framework tells of a model call, of which the provider's client inside knows more."""
    IS_RUN: ClassVar[bool] = False
    """Whether what happens inside is counted and summed up on it, in ``statistics``."""
    IS_STEP: ClassVar[bool] = False
    """Whether it is a step of a run, as a framework tells of it."""
    IS_TURN: ClassVar[bool] = False
    """Whether it is a model's answer to an agent, which is a step of a run where no framework tells of steps."""
    IS_TOOL_CALL: ClassVar[bool] = False
    """Whether it is the call of a tool, which ``tool_name`` names, as the agent sees it."""
    ASKS_FOR_TOOLS: ClassVar[bool] = False
    """Whether its answer may ask the agent to run tools; ``tool_calls`` and ``tool_call_ids`` then name them."""
    MAY_BE_KNOWN: ClassVar[bool] = False
    """Whether it may bring an answer that has been there before."""
    SERVES_ITSELF: ClassVar[bool] = False
    """Whether a server that is asked for it is the framework's own, so that what that handles is a part of it."""
    IS_STORE_CALL: ClassVar[bool] = False
    """Whether it is a call of a database, whose own calls inside of it are its parts; ``system`` names it."""

    def __repr__(self) -> str:
        """Show what is known."""
        known = [f"{key}={value!r}" for key, value in {**self.DEFAULTS, **self.__dict__}.items() if value is not None]
        return f"{type(self).__name__}({', '.join(known)})"

    def span_name(self) -> str:
        """Return the span's name: the operation, and what it is about if that is known."""
        subject = getattr(self, self.SUBJECT) if self.SUBJECT else None
        if isinstance(subject, str) and type(subject) is not str:
            # A member of an enumeration of texts would be shown by its own name.
            subject = str.__str__(subject)
        return f"{self.name} {subject}" if subject else self.name

    def attributes(self) -> Attributes:
        """Return every known field under its attribute name, content left out."""
        attributes = self.field_attributes()
        attributes.update(self.extra)
        return attributes

    def content(self) -> Attributes:
        """Return the content that is known under its attribute names."""
        return {name: value for key, name in self.CONTENT.items() if (value := getattr(self, key)) is not None}

    def pricing(self) -> Attributes:
        """Return what only the price needs to know; empty where nothing is paid for."""
        return {}

    def is_answered(self) -> bool:
        """Whether the whole answer has come in: a model says why it stopped at the end, though a stream may go on."""
        return bool(getattr(self, "finish_reasons", None))

    def is_part_of(self, outer: Operation) -> bool:  # noqa: ARG002 (most are not)
        """Whether ``outer``, which it happens inside of, is the same seen from further out, and has the span."""
        return False

    def take_over(self, before: Operation) -> None:
        """Take over what holds of an operation that this one is told in the place of."""
        self.inherit(before)

    def inherit(self, outer: Operation) -> None:
        """Take over the conversation and the agent of the operation that this one happens inside of, where unknown."""
        if self.conversation_id is None:
            self.conversation_id = outer.conversation_id
        if self.IS_AGENT or self.agent_id is not None or self.agent_name is not None:
            return
        self.agent_id = outer.agent_id
        self.agent_name = outer.agent_name


@sparse_dataclass
class GenAiOperation(Operation):
    """An operation of the conventions for generative AI."""

    name: str = field(metadata=attribute_metadata(semconv.OPERATION_NAME))
    provider: str | None = attribute(semconv.PROVIDER_NAME)
    conversation_id: str | None = attribute(semconv.CONVERSATION_ID)
