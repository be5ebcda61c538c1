"""a2a-sdk: requests of the Agent2Agent protocol on both sides, whatever they travel by, and what the executor does.

Chosen: patches of the functions that each request passes. The SDK's own spans, dozens for a message, are named after
its functions and are no tree, nor one trace for both sides: they stand back, unless the environment asks for them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, SetUp, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.peer_calls import wrap_async_receive, wrap_carried, wrap_stream_receive
from obs_run.core.streams import wrap_async_call, wrap_call

if TYPE_CHECKING:
    from collections.abc import Callable

_late = late_functions(__name__)

_REQUESTS = {
    "get_task": "GetTask",
    "list_tasks": "ListTasks",
    "cancel_task": "CancelTask",
    "create_task_push_notification_config": "CreateTaskPushNotificationConfig",
    "get_task_push_notification_config": "GetTaskPushNotificationConfig",
    "list_task_push_notification_configs": "ListTaskPushNotificationConfigs",
    "delete_task_push_notification_config": "DeleteTaskPushNotificationConfig",
    "get_extended_agent_card": "GetExtendedAgentCard",
}
"""Methods of the protocol by those of the library that ask for them, which have one answer."""
_ANSWERED = {"message_send": "SendMessage", **_REQUESTS}
_STREAMED = {"message_send_stream": "SendStreamingMessage", "subscribe_to_task": "SubscribeToTask"}
_TRANSPORTED = ("send_message", "send_message_streaming", "subscribe", *_REQUESTS)


def _about(method: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return partial(function, method)


_CLIENT = "a2a.client.base_client"
_TRANSPORT = "a2a.client.transports.base"
_HANDLER = "a2a.server.request_handlers.request_handler"
_EXECUTION = "a2a.server.agent_execution"
_ASK = _late("client", "begin_request")
_RECEIVE = _late("server", "receive_request")
_CARRIED = wrap_carried(_late("client", "carry"))
_TARGETS = (
    Target(_CLIENT, "BaseClient.send_message", wrap_call(_late("client", "begin_message"))),
    Target(_CLIENT, "BaseClient.subscribe", wrap_call(_late("client", "begin_subscription"))),
    *(
        Target(_CLIENT, f"BaseClient.{name}", wrap_async_call(_about(method, _ASK)))
        for name, method in _REQUESTS.items()
    ),
    Target(
        "a2a.client.card_resolver",
        "A2ACardResolver.get_agent_card",
        wrap_async_call(_late("client", "begin_card")),
    ),
    *(Target(_TRANSPORT, f"ClientTransport+.{name}", _CARRIED) for name in _TRANSPORTED),
    *(
        Target(_HANDLER, f"RequestHandler+.on_{name}", wrap_async_receive(_about(method, _RECEIVE)))
        for name, method in _ANSWERED.items()
    ),
    *(
        Target(_HANDLER, f"RequestHandler+.on_{name}", wrap_stream_receive(_about(method, _RECEIVE)))
        for name, method in _STREAMED.items()
    ),
    Target(
        f"{_EXECUTION}.active_task",
        "ActiveTask.enqueue_request",
        wrap_before(_late("executor", "note_request")),
    ),
    Target(
        f"{_EXECUTION}.agent_executor",
        "AgentExecutor+.execute",
        wrap_async_receive(_late("executor", "begin_execution")),
    ),
    Target("a2a.server.events.event_queue", "EventQueue+.enqueue_event", wrap_before(_late("executor", "note_event"))),
)

INSTRUMENTORS = (
    Instrumentor(
        "a2a",
        "a2a-sdk",
        ">=1,<2",
        _TARGETS,
        ("requests of A2A", "invoke_agent"),
        set_up=SetUp("a2a.utils.telemetry", _late("native", "have_spans_stand_back")),
        has_common_name=True,
    ),
)
