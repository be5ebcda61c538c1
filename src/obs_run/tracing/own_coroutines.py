"""Coroutines of the agent's own recorders, run wherever a span ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base.guarded import guarded
from obs_run.base.noop_awaitable import NOOP_AWAITABLE
from obs_run.runtime.process_runtime import runtime

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Awaitable, Coroutine

_running: set[Task[Any]] = set()


def run(coroutine: Coroutine[Any, Any, Any]) -> Awaitable[Any]:
    """Run a coroutine in the event loop of here, or where there is none in the export thread; return what to await."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        runtime().call_later(_run_alone, coroutine)
        return NOOP_AWAITABLE
    task = loop.create_task(_guarded(coroutine))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


def _run_alone(coroutine: Coroutine[Any, Any, Any]) -> None:
    import asyncio

    asyncio.run(_guarded(coroutine))


async def _guarded(coroutine: Coroutine[Any, Any, Any]) -> None:
    with guarded("span recorder"):
        await coroutine
