"""CrewAI: crews, flows, tasks, agents, model calls, tools, memory, knowledge and guardrails, by the events of its own.

Chosen: patch of the bus's ``_prepare_event``, which each event passes where it is emitted, in the context in which the
library goes on, and which gives it the ids of those around it. What registers with the bus hears of events in other
threads, in any order. What of a run the library does not end, as after a cancellation, ends with the agent's call.
"""

from __future__ import annotations

from functools import partial

from obs_run.core.callback_wrappers import wrap_async_within, wrap_context, wrap_within
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions

_events = partial(late_functions(__name__), "events")

_ENTERED = wrap_within(_events("entered"))
_ENTERED_ASYNC = wrap_async_within(_events("entered"))

_CALLING = wrap_within(_events("calling"))
_CREWAI = "crewai"
"""Not the modules of the classes: the package gives them, as it comes up, the name of another one."""

_EXECUTORS = ("agents.agent_executor.AgentExecutor", "experimental.agent_executor.AgentExecutor")

INSTRUMENTORS = (
    Instrumentor(
        "crewai",
        "crewai",
        ">=1.15,<2",
        (
            Target("crewai.events.event_bus", "CrewAIEventsBus._prepare_event", wrap_context(_events("note"))),
            Target(_CREWAI, "Crew.kickoff", _ENTERED),
            Target(_CREWAI, "Crew.akickoff", _ENTERED_ASYNC),
            Target(_CREWAI, "Agent.kickoff", _ENTERED),
            Target(_CREWAI, "Agent.kickoff_async", _ENTERED_ASYNC),
            Target(_CREWAI, "Flow.kickoff_async", _ENTERED_ASYNC),
            Target(_CREWAI, "Flow.resume_async", wrap_async_within(_events("resumed"))),
            *(
                Target(_CREWAI, f"{executor}._execute_single_native_tool_call", _CALLING, optional=True)
                for executor in _EXECUTORS
            ),
            Target("crewai.llms.base_llm", "arun_with_rate_limit_retry", _ENTERED_ASYNC, optional=True),
        ),
        (
            "invoke_agent",
            "invoke_workflow",
            "step",
            "plan",
            "chat",
            "execute_tool",
            "retrieval",
            "search_memory",
            "upsert_memory",
        ),
    ),
)
