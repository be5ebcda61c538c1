"""nats-py: messages published, requests and their answers, JetStream, and the work of subscribers and services.

Chosen: patches of the client's methods, as nats-py has no hook. The trace goes along in headers, which the server hands
on: a client that knows nothing of it has a header more, one without headers has none.
"""

from __future__ import annotations

from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.message_steps import wrap_async_step, wrap_step
from obs_run.core.peer_calls import wrap_carried
from obs_run.core.streams import wrap_async_call

_late = late_functions(__name__)

_CLIENT, _SUBSCRIPTION, _JETSTREAM = "nats.aio.client", "nats.aio.subscription", "nats.js.client"

INSTRUMENTORS = (
    Instrumentor(
        "nats",
        "nats-py",
        ">=2.2,<3",
        (
            Target(_CLIENT, "Client.publish", wrap_async_call(_late("sending", "begin_publish"))),
            Target(_CLIENT, "Client.request", wrap_async_call(_late("sending", "begin_request"))),
            Target(_CLIENT, "Client._send_publish", wrap_carried(_late("sending", "carry"))),
            Target(_CLIENT, "Client.subscribe", wrap_step(_late("receiving", "begin_subscribe"))),
            Target(_CLIENT, "Client._close", wrap_before(_late("receiving", "note_close"))),
            Target(_SUBSCRIPTION, "Subscription.next_msg", wrap_async_step(_late("receiving", "begin_next"))),
            Target(_SUBSCRIPTION, "Subscription._stop_processing", wrap_before(_late("receiving", "note_stop"))),
            Target(
                _SUBSCRIPTION,
                "_SubscriptionMessageIterator.__anext__",
                wrap_async_step(_late("receiving", "begin_iteration")),
            ),
            Target(_JETSTREAM, "JetStreamContext.publish", wrap_async_call(_late("sending", "begin_stored"))),
            Target(
                _JETSTREAM,
                "JetStreamContext.publish_async",
                wrap_async_step(_late("sending", "begin_stored_later")),
                optional=True,
            ),
            Target(
                _JETSTREAM,
                "JetStreamContext.PullSubscription.fetch",
                wrap_async_step(_late("receiving", "begin_fetch")),
            ),
        ),
        ("messages of NATS",),
    ),
)
