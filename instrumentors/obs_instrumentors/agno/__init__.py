"""Agno: agents, teams, workflows and their steps, model calls, tools, knowledge and memory.

Chosen: patch of the public functions that all ways of running pass, and of the four in which ``Model`` makes one call,
whatever its provider. The library tells of its runs only to who reads their stream. Its own ``setup_tracing`` has
OpenInference's instrumentor activated, to which ours leaves it then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.streams import wrap_async_call, wrap_call, wrap_inner_call

from . import models, runs, tools

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGENT = "agno.agent.agent"
_TEAM = "agno.team.team"
_WORKFLOW = "agno.workflow.workflow"
_STEP = "agno.workflow.step"
_MODEL = "agno.models.base"
_TOOLS = "agno.tools.function"
_KNOWLEDGE = "agno.knowledge.knowledge"
_MEMORY = "agno.memory.manager"


def _runs() -> Iterator[Target]:
    for module, kind in ((_AGENT, "Agent"), (_TEAM, "Team"), (_WORKFLOW, "Workflow")):
        starts = runs.WORKFLOW if kind == "Workflow" else runs.AGENT
        for name, start in starts.items():
            yield Target(module, f"{kind}.{name}", wrap_call(start), optional="continue" in name)


INSTRUMENTORS = (
    Instrumentor(
        "agno",
        "agno",
        ">=2.3,<4",
        (
            *_runs(),
            *(Target(_STEP, f"Step.{name}", wrap_call(runs.start_step)) for name in runs.STEPS),
            *(
                Target("agno.exceptions", f"{error}.__init__", wrap_inner_call(runs.note_check))
                for error in ("InputCheckError", "OutputCheckError")
            ),
            Target(_MODEL, "Model._process_model_response", wrap_call(models.start_chat)),
            Target(_MODEL, "Model._aprocess_model_response", wrap_async_call(models.start_chat)),
            Target(_MODEL, "Model.process_response_stream", wrap_call(models.start_stream)),
            Target(_MODEL, "Model.aprocess_response_stream", wrap_call(models.start_stream)),
            Target(_TOOLS, "FunctionCall.execute", wrap_call(tools.start_tool)),
            Target(_TOOLS, "FunctionCall.aexecute", wrap_async_call(tools.start_tool)),
            Target(_TOOLS, "log_exception", wrap_inner_call(tools.note_exception)),
            Target(_KNOWLEDGE, "Knowledge.search", wrap_call(tools.start_retrieval)),
            Target(_KNOWLEDGE, "Knowledge.asearch", wrap_async_call(tools.start_retrieval), optional=True),
            Target(_KNOWLEDGE, "Knowledge.async_search", wrap_async_call(tools.start_retrieval), optional=True),
            Target(_MEMORY, "MemoryManager.create_user_memories", wrap_call(tools.start_memory)),
            Target(_MEMORY, "MemoryManager.acreate_user_memories", wrap_async_call(tools.start_memory)),
            Target(_MEMORY, "MemoryManager.search_user_memories", wrap_call(tools.start_memory_search)),
        ),
        (
            "invoke_agent",
            "invoke_workflow",
            "step",
            "chat",
            "execute_tool",
            "retrieval",
            "search_memory",
            "upsert_memory",
        ),
    ),
)
