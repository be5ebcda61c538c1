"""AG2, both generations of it: ``autogen`` until 0.14, and ``ag2``, which was ``autogen.beta`` before.

Chosen for ``autogen``: patch. A chat is a workflow; each reply of an agent is a run, a group's tools belong to the
agent that asked for them, and whom the library resolves a transition to is handed over to. An exception in a tool is
made a text at once, so nothing more is known of it.

Chosen for ``ag2``: patch. A turn is a run, also with the middleware of its agent's around it. The spans of
``TelemetryMiddleware`` are there only where the user puts it in, know neither the agent's name nor what a turn goes on
with, and tell each call's tokens twice.

What newer releases of ``autogen`` log in the place of printing it is content. The library's own spans, of either
generation, stand back where they would go to the process's provider.
Modules named ``autogen`` are Microsoft's older AutoGen too, which has the same targets. ``autogen-agentchat`` and
``autogen-core`` from 0.4 on have other modules, and an instrumentor of their own.
"""

from __future__ import annotations

from typing import Any

from obs_run.core import content, log_records
from obs_run.core.callback_wrappers import wrap_before, wrap_within
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.native_spans import wrap_get_tracer
from obs_run.core.streams import wrap_async_call, wrap_call, wrap_inner_call
from obs_run.core.yielded_functions import wrap_yielded

from . import chats, models, turns


def _stands_back(*_: Any) -> bool:
    return True


def mute_conversation(_: Any) -> log_records.Muted | None:
    """Have what the library logs in the place of printing it be taken for content."""
    return None if content.wanted() else log_records.Muted()


_STANDS_BACK = wrap_get_tracer(_stands_back, lambda call: call.argument(0, "tracer_provider"))
_AGENT = "autogen.agentchat.conversable_agent"
_GROUP = "autogen.agentchat.groupchat"
_TARGETS = "autogen.agentchat.group.targets.transition_target"
_CODE = "autogen.coding.base"
_CLIENT = "autogen.oai.client"

_CLASSIC = (
    Target(_AGENT, "ConversableAgent.initiate_chat", wrap_call(chats.start_chat)),
    Target(_AGENT, "ConversableAgent.a_initiate_chat", wrap_async_call(chats.start_chat)),
    Target(_AGENT, "ConversableAgent+.generate_reply", wrap_call(chats.start_reply)),
    Target(_AGENT, "ConversableAgent+.a_generate_reply", wrap_async_call(chats.start_reply)),
    Target(_AGENT, "ConversableAgent+.execute_function", wrap_call(chats.start_tool)),
    Target(_AGENT, "ConversableAgent+.a_execute_function", wrap_async_call(chats.start_tool)),
    Target(_AGENT, "ConversableAgent.execute_code_blocks", wrap_call(chats.start_code)),
    Target(_GROUP, "GroupChat._auto_select_speaker", wrap_call(chats.start_selection)),
    Target(_GROUP, "GroupChat.a_auto_select_speaker", wrap_async_call(chats.start_selection)),
    Target(_TARGETS, "AgentTarget.resolve", wrap_before(chats.note_handoff)),
    Target(_TARGETS, "AgentNameTarget.resolve", wrap_before(chats.note_handoff)),
    Target(_CODE, "CodeExecutor+.execute_code_blocks", wrap_call(chats.start_code)),
    Target(_CLIENT, "OpenAIWrapper.create", wrap_call(models.start_chat)),
    Target(_CLIENT, "OpenAIWrapper._update_usage", wrap_inner_call(models.read_usage)),
    Target("autogen.events.base_event", "event_print", wrap_within(mute_conversation), optional=True),
    Target("autogen.opentelemetry.setup", "get_tracer", _STANDS_BACK),
)


def _turns(package: str) -> tuple[Target, ...]:
    """Return the targets of the newer generation, in the package that a release has it in."""
    return (
        # Older releases of ``autogen.beta`` have other ways into a turn.
        Target(f"{package}.agent", "Agent._turn_scope", wrap_yielded(turns.start_turn), optional=True),
        Target(f"{package}.config.client", "LLMClient+.__call__", wrap_async_call(turns.start_chat)),
        Target(f"{package}.tools.executor", "_execute_call", wrap_async_call(turns.start_tool)),
        Target(f"{package}.network.handoff", "Handoff.__init__", wrap_before(turns.note_handoff)),
        Target(f"{package}.middleware.builtin.telemetry", "_get_tracer", _STANDS_BACK),
    )


INSTRUMENTORS = (
    Instrumentor(
        "ag2",
        "ag2",
        ">=0.14,<2",
        (*_turns("autogen.beta"), *_turns("ag2")),
        ("invoke_agent", "chat", "execute_tool", "handoff"),
        has_common_name=True,
    ),
    Instrumentor(
        "autogen",
        "ag2",
        ">=0.9,<1",
        _CLASSIC,
        ("invoke_workflow", "invoke_agent", "step", "chat", "execute_tool", "handoff"),
        has_common_name=True,
    ),
)
