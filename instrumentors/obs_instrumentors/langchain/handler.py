"""The callback handler that LangChain tells everything that runs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from types import ModuleType

_SITE = "callback of langchain"


@cache
def _events() -> ModuleType:
    """Return the module that knows what a callback means; a process that runs no agent does not load it."""
    from . import events

    return events


class _Callbacks:
    """What LangChain calls; a failure of ours is said by us, because it would print it."""

    run_inline = True
    """Or it would be called in another thread where the agent is async, and too late."""
    name = "obs_run"

    def on_chain_start(
        self,
        serialized: Any,  # noqa: ARG002 (the library gives it)
        inputs: Any,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        **details: Any,
    ) -> None:
        """Begin a chain, node, graph or agent."""
        guard.call(_SITE, _events().start_chain, run_id, parent_run_id, inputs, details)

    def on_chain_end(self, outputs: Any, *, run_id: Any, **_: Any) -> None:
        """End it."""
        guard.call(_SITE, _events().end_chain, run_id, outputs)

    def on_chain_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
        """End it with an error, or with what is none."""
        guard.call(_SITE, _events().fail, run_id, error)

    def on_chat_model_start(
        self,
        serialized: Any,  # noqa: ARG002 (the library gives it)
        messages: Any,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        **details: Any,
    ) -> None:
        """Begin a call of a chat model."""
        guard.call(_SITE, _events().start_chat, run_id, parent_run_id, messages, details)

    def on_llm_start(
        self,
        serialized: Any,  # noqa: ARG002 (the library gives it)
        prompts: Any,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        **details: Any,
    ) -> None:
        """Begin a call of a model that completes texts."""
        guard.call(_SITE, _events().start_completion, run_id, parent_run_id, prompts, details)

    def on_llm_new_token(self, token: Any, *, run_id: Any, **_: Any) -> None:  # noqa: ARG002 (the library gives it)
        """Note a piece of an answer."""
        guard.call(_SITE, _events().note_token, run_id)

    def on_llm_end(self, response: Any, *, run_id: Any, **_: Any) -> None:
        """End a model call."""
        guard.call(_SITE, _events().end_model, run_id, response)

    def on_llm_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
        """End a model call with an error."""
        guard.call(_SITE, _events().fail, run_id, error)

    def on_tool_start(
        self, serialized: Any, input_str: Any, *, run_id: Any, parent_run_id: Any = None, **details: Any
    ) -> None:
        """Begin a tool."""
        guard.call(_SITE, _events().start_tool, run_id, parent_run_id, serialized, input_str, details)

    def on_tool_end(self, output: Any, *, run_id: Any, **_: Any) -> None:
        """End a tool."""
        guard.call(_SITE, _events().end_tool, run_id, output)

    def on_tool_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
        """End a tool with an error."""
        guard.call(_SITE, _events().fail, run_id, error)

    def on_retriever_start(
        self, serialized: Any, query: Any, *, run_id: Any, parent_run_id: Any = None, **details: Any
    ) -> None:
        """Begin a search."""
        guard.call(_SITE, _events().start_retrieval, run_id, parent_run_id, serialized, query, details)

    def on_retriever_end(self, documents: Any, *, run_id: Any, **_: Any) -> None:
        """End a search."""
        guard.call(_SITE, _events().end_retrieval, run_id, documents)

    def on_retriever_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
        """End a search with an error."""
        guard.call(_SITE, _events().fail, run_id, error)

    def on_retry(self, *_: Any, **__: Any) -> None:
        """Leave it to the calls themselves."""


def make_handler(base: Any) -> Any:
    """Return the handler; ``base`` is the library's ``BaseTracer``, whose kind gets what the user let tracers see."""
    kind = type("Handler", (_Callbacks, base), {"_persist_run": _keep_no_run})
    return kind(_schema_format="original+chat")


def _keep_no_run(_self: Any, _run: Any) -> None:
    """Stand in for what a tracer must have."""
