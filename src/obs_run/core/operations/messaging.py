"""Messages that go from one program to another over a broker or socket."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from obs_run.core import semconv
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .fields import attribute, attribute_metadata
from .operation import Operation


@sparse_dataclass
class MessageOperation(Operation):
    """What sending, receiving and processing have in common; ``name`` is the system's own word for it."""

    name: str = field(metadata=attribute_metadata(semconv.MESSAGING_OPERATION_NAME))
    system: str | None = attribute(semconv.MESSAGING_SYSTEM)
    destination: str | None = attribute(semconv.MESSAGING_DESTINATION_NAME)
    """The queue, topic, subject or address; the same for all messages where there are several."""
    destination_template: str | None = attribute(semconv.MESSAGING_DESTINATION_TEMPLATE)
    """The destination without its varying parts, where it has such."""
    partition_id: str | None = attribute(semconv.MESSAGING_DESTINATION_PARTITION_ID)
    consumer_group: str | None = attribute(semconv.MESSAGING_CONSUMER_GROUP_NAME)
    client_id: str | None = attribute(semconv.MESSAGING_CLIENT_ID)
    message_id: str | None = attribute(semconv.MESSAGING_MESSAGE_ID)
    message_conversation_id: str | None = attribute(semconv.MESSAGING_MESSAGE_CONVERSATION_ID)
    """What joins a message to its answer; the agent's conversation is another thing."""
    batch_size: int | None = attribute(semconv.MESSAGING_BATCH_MESSAGE_COUNT)
    """How many messages, where it is a batch."""
    body_size: int | None = attribute(semconv.MESSAGING_MESSAGE_BODY_SIZE)
    """Of a single message, in bytes."""
    method: str | None = attribute(semconv.RPC_METHOD)
    """What the message asks for, where it says so."""
    network_transport: str | None = attribute(semconv.NETWORK_TRANSPORT)
    peer_service: str | None = attribute(semconv.PEER_SERVICE)
    """Who is at the other end, where there is one only."""
    queue_time: float | None = attribute(semconv.OBS_MESSAGING_QUEUE_TIME)
    """Seconds from when it was sent to when it was received, where the sender says when that was."""
    delivery_count: int | None = attribute(semconv.OBS_MESSAGING_DELIVERY_COUNT)
    """How often it was delivered, where that is more than once."""
    socket_type: str | None = attribute(semconv.OBS_ZMQ_SOCKET_TYPE)

    def span_name(self) -> str:
        """Return the operation, and what is asked for or else the destination without its varying parts."""
        subject = self.method or self.destination_template or self.destination
        return f"{self.name} {subject}" if subject else self.name


@sparse_dataclass
class MessageSend(MessageOperation):
    """A message sent; its span is the parent or link of what the receiver does."""

    name: str = "send"
    operation_type: str = attribute(semconv.MESSAGING_OPERATION_TYPE, "send")

    KIND: ClassVar[str] = "PRODUCER"


@sparse_dataclass
class MessageReceive(MessageOperation):
    """Messages that the agent asks for; a call of the broker, and so a client's."""

    name: str = "receive"
    operation_type: str = attribute(semconv.MESSAGING_OPERATION_TYPE, "receive")


@sparse_dataclass
class MessageProcess(MessageOperation):
    """Messages that are handed to the agent's handler, while it works on them."""

    name: str = "process"
    operation_type: str = attribute(semconv.MESSAGING_OPERATION_TYPE, "process")

    KIND: ClassVar[str] = "CONSUMER"


@sparse_dataclass
class MessageCall(MessageOperation):
    """A message that asks for an answer, from its sending until the answer comes."""

    name: str = "request"
    operation_type: str = attribute(semconv.MESSAGING_OPERATION_TYPE, "send")


@sparse_dataclass
class MessageServerCall(MessageOperation):
    """A message that asks for an answer, from its receiving until the answer is sent."""

    name: str = "process"
    operation_type: str = attribute(semconv.MESSAGING_OPERATION_TYPE, "process")

    KIND: ClassVar[str] = "SERVER"


@sparse_dataclass
class SentMessages(MessageOperation):
    """Messages that were sent without a span for each, ``batch_size`` of them."""

    name: str = "send"
    operation_type: str = attribute(semconv.MESSAGING_OPERATION_TYPE, "send")


@sparse_dataclass
class ReceivedMessages(MessageOperation):
    """Messages that were received without a span for each, ``batch_size`` of them."""

    name: str = "process"
    operation_type: str = attribute(semconv.MESSAGING_OPERATION_TYPE, "process")
