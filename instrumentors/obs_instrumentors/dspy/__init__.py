"""DSPy: programs, agents and the modules in them, model calls, tools, retrievers, evaluations and parallel runs.

Chosen: patch of the functions that the library's own callbacks are around. A callback of ours would be gone with the
user's own ``dspy.configure(callbacks=...)``, and hears nothing of what cancels a run, nor in older releases of models
that are not the library's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.streams import wrap_async_call, wrap_call, wrap_inner_call

from . import models, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.core.outcomes import Call

_LM = "dspy.clients.base_lm"


def _both(module: str, kind: str, start: Callable[[Call], object]) -> Iterator[Target]:
    """Give the targets of a class that is called, or awaited by ``acall``."""
    yield Target(module, f"{kind}.__call__", wrap_call(start))  # type: ignore[arg-type]
    yield Target(module, f"{kind}.acall", wrap_async_call(start))  # type: ignore[arg-type]


INSTRUMENTORS = (
    Instrumentor(
        "dspy",
        "dspy",
        ">=3.0,<4",
        (
            *_both("dspy.primitives.module", "Module", programs.start_module),
            *_both("dspy.adapters.types.tool", "Tool", programs.start_tool),
            *_both(_LM, "BaseLM", models.start_chat),
            Target(_LM, "BaseLM._process_lm_response", wrap_inner_call(models.read_response)),
            Target("dspy.clients.execution", "finalize", wrap_inner_call(models.read_result), optional=True),
            # Before release 3.4 it has the method of its own.
            Target("dspy.utils.dummies", "DummyL*.__call__", wrap_call(models.start_chat)),
            Target("dspy.predict.parallel", "Parallel.forward", wrap_call(programs.start_parallel)),
            Target("dspy.evaluate.evaluate", "Evaluate.__call__", wrap_call(programs.start_evaluation)),
            Target("dspy.retrievers.retrieve", "Retrieve.__call__", wrap_call(programs.start_retrieval)),
            Target("dspy.retrievers.embeddings", "Embeddings.__call__", wrap_call(programs.start_retrieval)),
            Target("dspy.dsp.colbertv2", "ColBERTv2.__call__", wrap_call(programs.start_retrieval)),
        ),
        ("invoke_agent", "invoke_workflow", "step", "chat", "execute_tool", "retrieval"),
    ),
)
