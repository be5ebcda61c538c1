"""aiokafka: messages sent, alone and in batches, and the work on those that a consumer asks for.

Chosen: patches of the methods of producer and consumer, as the library has no hook. The trace goes along in headers:
a consumer that knows nothing of it has them beside the agent's own.
"""

from __future__ import annotations

from obs_run.core import noted_calls
from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.message_steps import wrap_async_step, wrap_step
from obs_run.core.peer_calls import wrap_carried
from obs_run.core.streams import wrap_inner_call

_late = late_functions(__name__)

_PRODUCER, _CONSUMER = "aiokafka.producer.producer", "aiokafka.consumer.consumer"
_QUEUE = "aiokafka.producer.message_accumulator"

INSTRUMENTORS = (
    Instrumentor(
        "aiokafka",
        "aiokafka",
        ">=0.10,<0.15",
        (
            Target(_PRODUCER, "AIOKafkaProducer.send", wrap_async_step(_late("sending", "begin_send"))),
            Target(_PRODUCER, "AIOKafkaProducer.send_batch", wrap_async_step(_late("sending", "begin_send_batch"))),
            Target(
                _PRODUCER,
                "AIOKafkaProducer.create_batch",
                noted_calls.wrap_after("batch", _late("sending", "note_batch")),
            ),
            Target(_PRODUCER, "AIOKafkaProducer.stop", wrap_before(_late("sending", "note_stop"))),
            Target(_QUEUE, "MessageAccumulator.add_message", wrap_carried(_late("sending", "carry"))),
            Target(_QUEUE, "MessageAccumulator.add_message", wrap_inner_call(_late("sending", "read_serialized"))),
            Target(_QUEUE, "BatchBuilder.append", wrap_step(_late("sending", "begin_append"))),
            Target(_CONSUMER, "AIOKafkaConsumer.getone", wrap_async_step(_late("receiving", "begin_receive"))),
            Target(_CONSUMER, "AIOKafkaConsumer.getmany", wrap_async_step(_late("receiving", "begin_receive"))),
            Target(_CONSUMER, "AIOKafkaConsumer.stop", wrap_before(_late("receiving", "note_stop"))),
        ),
        ("messages of Kafka",),
    ),
)
