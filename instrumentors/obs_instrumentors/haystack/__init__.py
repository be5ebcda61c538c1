"""Haystack: pipelines and their components, agents, their steps, model calls and tools.

Chosen: patch. The spans of its own tracing interface tell of all but models and ids of calls, so the functions that
begin these spans are wrapped, and what is tagged on a span is read, whatever tracer the agent has enabled or not: its
own goes on untouched. Pipelines and agents are told by their ``run``. The official tracer for OpenTelemetry's process
provider stands back, for its spans would be there twice.
"""

from __future__ import annotations

from obs_run.core.blocks import wrap_block
from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.native_spans import wrap_replaced
from obs_run.core.streams import wrap_async_call, wrap_call

_late = late_functions(__name__)

_AGENT = "haystack.components.agents.agent"
_PIPELINE = "haystack.core.pipeline.pipeline"
_TRACER = "haystack.tracing.tracer"
_TAG = wrap_before(_late("tags", "note"))

INSTRUMENTORS = (
    Instrumentor(
        "haystack",
        "haystack-ai",
        ">=3,<4",
        (
            Target(_PIPELINE, "Pipeline.run", wrap_call(_late("runs", "start_pipeline"))),
            Target(_PIPELINE, "Pipeline.run_async_generator", wrap_call(_late("runs", "start_pipeline_stream"))),
            Target(_AGENT, "Agent.run", wrap_call(_late("runs", "start_agent"))),
            Target(_AGENT, "Agent.run_async", wrap_async_call(_late("runs", "start_agent"))),
            Target(
                "haystack.core.pipeline.base",
                "PipelineBase._create_component_span",
                wrap_block(_late("runs", "start_component")),
            ),
            Target(
                "haystack.components.agents.tool_calling",
                "_create_tool_span",
                wrap_block(_late("runs", "start_tool")),
            ),
            Target(
                "haystack.components.generators.utils",
                "_trace_chat_generator_run",
                wrap_block(_late("models", "start_generator")),
                optional=True,
            ),
            Target(_TRACER, "ProxyTracer.trace", wrap_replaced(_late("tags", "stands_back"))),
            Target(_TRACER, "ProxyTracer.trace", wrap_block(_late("runs", "start_part"))),
            Target(_TRACER, "Span+.set_content_tag", _TAG),
        ),
        ("invoke_agent", "invoke_workflow", "step", "chat", "embeddings", "execute_tool", "retrieval"),
        has_common_name=True,
    ),
)
