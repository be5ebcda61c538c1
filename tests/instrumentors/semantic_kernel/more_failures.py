"""Orchestrations that fail, of which older releases tell nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.instrumentors.semantic_kernel.more import its, orchestrate
from tests.instrumentors.trees import Node, assert_trees

__all__ = ["its"]


def test_an_agent_that_fails_fails_its_orchestration(its: Any, telemetry: Any) -> None:
    agent = its.named("a")

    class Failing(type(agent.service)):  # type: ignore[misc]  # a class of the library's
        async def _inner_get_streaming_chat_message_contents(self, *_: Any, **__: Any) -> Any:
            raise ValueError("nobody knows")
            yield

    agent.kernel.add_service(Failing(ai_model_id="faked-1", async_client=its.client), overwrite=True)
    agent.service = None
    with pytest.raises(ValueError, match="nobody knows"):
        orchestrate(its, "SequentialOrchestration", [agent])
    failed = {"error.type": "ValueError"}
    chat = Node("chat faked-1", status="ERROR", attributes=failed)
    run = Node("invoke_agent a", chat, status="ERROR", attributes=failed)
    assert_trees(telemetry.spans(), Node("invoke_workflow", run, status="ERROR", attributes=failed))
