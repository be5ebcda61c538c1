"""LangChain and LangGraph: agents, graphs and their nodes, models, tools, retrievers and memory, by their callbacks.

Chosen: hook. Neither makes spans of its own; LangSmith's client may mirror its runs as such, which is said.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.core import streams
from obs_run.core.callback_wrappers import (
    wrap_async_within,
    wrap_context,
    wrap_expecting,
    wrap_generator_within,
    wrap_within,
)
from obs_run.core.hooks import Instrumentor, SetUp, Target

from . import handler, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.core.outcomes import Call

_CHAT = "langchain_core.language_models.chat_models"
_LLM = "langchain_core.language_models.llms"
_RETRIEVERS = "langchain_core.retrievers"
_ON = ("true", "1")


def register(module: Any) -> Callable[[], object]:
    """Have every callback manager get our handler."""
    from contextvars import ContextVar
    from importlib import import_module

    _say_if_mirrored()
    base = import_module("langchain_core.tracers.base").BaseTracer
    # By its default it is there in each thread and task.
    ours = handler.make_handler(base)
    variable: ContextVar[Any] = ContextVar("obs-run-langchain", default=ours)
    hooks_of_library = module._configure_hooks  # noqa: SLF001 (nothing public takes one back)
    before = len(hooks_of_library)
    module.register_configure_hook(variable, inheritable=True)
    added = hooks_of_library[before:]

    def take_back() -> None:
        for hook in added:
            hooks_of_library.remove(hook)

    return take_back


def _say_if_mirrored() -> None:
    """Say that LangSmith's client exports its runs as spans, so that there are two of everything."""
    traces = any(os.environ.get(f"{prefix}_TRACING", "").lower() in _ON for prefix in ("LANGSMITH", "LANGCHAIN"))
    is_old = os.environ.get("LANGSMITH_OTEL_ENABLED", "").lower() in _ON
    mode = os.environ.get("LANGSMITH_TRACING_MODE", "").lower()
    if traces and (is_old or mode in ("otel", "hybrid")):
        guard.warn_once(
            "obs-run: LangSmith exports the runs of langchain as spans too, so that there are two of each; "
            "unset LANGSMITH_OTEL_ENABLED or LANGSMITH_TRACING_MODE, or switch one of them off"
        )


def _store_targets() -> Iterator[Target]:
    for name, start in store.STARTS.items():
        yield Target("langgraph.store.base", f"BaseStore.{name}", streams.wrap_call(start))
        yield Target("langgraph.store.base", f"BaseStore.a{name}", streams.wrap_async_call(start))
        batched = streams.wrap_async_call(start)
        yield Target("langgraph.store.base.batch", f"AsyncBatchedBaseStore.a{name}", batched)


def _run_of(call: Call) -> Any:
    from . import events

    return events.run_of(call)


def _search(call: Call) -> Any:
    from . import events

    return events.search(call)


def _make_current(call: Call) -> None:
    from . import events

    events.make_current(call)


_WITHIN = wrap_within(_run_of)
_ASYNC_WITHIN = wrap_async_within(_run_of)
_GENERATOR_WITHIN = wrap_generator_within(_run_of)
_EXPECTING = wrap_expecting()
_IN_CONTEXT = wrap_context(_make_current)

INSTRUMENTORS = (
    Instrumentor(
        "langchain",
        "langchain-core",
        ">=0.3,<2",
        (
            Target("langchain_core.runnables.config", "_set_config_context", _IN_CONTEXT),
            Target(_CHAT, "BaseChatModel._generate_with_cache", _WITHIN),
            Target(_CHAT, "BaseChatModel._agenerate_with_cache", _ASYNC_WITHIN),
            Target(_CHAT, "BaseChatModel._iter_v2_events", _GENERATOR_WITHIN, optional=True),
            Target(_CHAT, "BaseChatModel._aiter_v2_events", _GENERATOR_WITHIN, optional=True),
            Target(_CHAT, "BaseChatModel.stream", _EXPECTING),
            Target(_CHAT, "BaseChatModel.astream", _EXPECTING),
            Target(_RETRIEVERS, "BaseRetriever.invoke", wrap_within(_search)),
            Target(_RETRIEVERS, "BaseRetriever.ainvoke", wrap_async_within(_search)),
            Target(_LLM, "BaseLLM._generate_helper", _WITHIN),
            Target(_LLM, "BaseLLM._agenerate_helper", _ASYNC_WITHIN),
            Target(_LLM, "BaseLLM.stream", _EXPECTING),
            Target(_LLM, "BaseLLM.astream", _EXPECTING),
        ),
        ("invoke_agent", "invoke_workflow", "step", "chat", "text_completion", "execute_tool", "retrieval", "handoff"),
        set_up=SetUp("langchain_core.tracers.context", register),
    ),
    Instrumentor(
        "langgraph",
        "langgraph",
        ">=0.4,<2",
        (
            Target("langgraph._internal._runnable", "_set_config_context", _IN_CONTEXT, optional=True),
            Target("langgraph.utils.runnable", "_set_config_context", _IN_CONTEXT, optional=True),
            *_store_targets(),
        ),
        ("search_memory", "upsert_memory", "delete_memory"),
    ),
)
