"""The metrics of runs of agents and workflows, and of the agents that model calls are made by: no convention has any.

What is measured of a run is of all that happens inside of it. What is measured of an agent is of its own calls, so that
those of all agents may be added up.
"""

from __future__ import annotations

from obs_run.core import semconv
from obs_run.pipeline.instrument import Instrument, Kind, Value, attribute, both, positive

_RUN_LABELS = (semconv.OPERATION_NAME, semconv.AGENT_NAME, semconv.WORKFLOW_NAME, semconv.ERROR_TYPE)
_AGENT_LABELS = (semconv.AGENT_NAME, semconv.TOOL_NAME)
_COUNT_BUCKETS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
_FILL_BUCKETS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_BUDGETS = ("usd", "tokens", "steps")


def _of_run(
    name: str, kind: Kind, unit: str, description: str, *values: Value, buckets: tuple[float, ...] | None = None
) -> Instrument:
    return Instrument(name, kind, unit, description, both("AgentRun", "Workflow"), values, _RUN_LABELS, buckets)


def _count(name: str, unit: str, description: str) -> Instrument:
    return _of_run(name, "histogram", unit, description, Value(attribute(name)), buckets=_COUNT_BUCKETS)


def _counter(name: str, unit: str, description: str) -> Instrument:
    return _of_run(name, "counter", unit, description, Value(positive(name)))


def _seconds(name: str, description: str) -> Instrument:
    value = Value(attribute(name))
    return _of_run(name, "histogram", "s", description, value, buckets=semconv.WORKFLOW_DURATION_BUCKETS)


def _exceeded(budget: str) -> Value:
    """Return what tells whether a run has exceeded a budget."""
    return Value(
        lambda record: 1 if budget in record.attributes.get(semconv.OBS_RUN_EXCEEDED_BUDGETS, ()) else None,
        (semconv.OBS_BUDGET_NAME, budget),
    )


def _of_agent(name: str, unit: str, description: str) -> Instrument:
    return Instrument(name, "counter", unit, description, both("AgentRun", "Workflow"), (), _AGENT_LABELS)


AGENT_TOKENS = _of_agent(
    semconv.METRIC_AGENT_TOKENS,
    "{token}",
    "Tokens that an agent's own model calls used in a run that is over, by its tool and by gen_ai.token.type.",
)
AGENT_COST = _of_agent(
    semconv.METRIC_AGENT_COST,
    "{USD}",
    "What an agent's own model calls cost in a run that is over, in US dollars, by its tool.",
)
TABLE = (
    _count(semconv.OBS_RUN_STEPS, "{step}", "Steps that a run took."),
    _count(semconv.OBS_RUN_MODEL_CALLS, "{call}", "Model calls inside of a run."),
    _count(semconv.OBS_RUN_TOOL_CALLS, "{call}", "Calls of tools inside of a run."),
    _counter(semconv.OBS_RUN_REPEATED_TOOL_CALLS, "{call}", "Calls of tools that were identical to an earlier one."),
    _counter(semconv.OBS_RUN_LOOPS, "{loop}", "Sequences of identical tool calls that went round in a run."),
    _seconds(semconv.OBS_RUN_MODEL_TIME, "Time in which a run waited for models."),
    _seconds(semconv.OBS_RUN_OWN_TIME, "Time in which a run waited for no model."),
    _of_run(
        semconv.OBS_RUN_EXCEEDED_BUDGETS,
        "counter",
        "{run}",
        "Runs that exceeded a budget.",
        *map(_exceeded, _BUDGETS),
    ),
    _of_run(
        semconv.OBS_RUN_CONTEXT_FILL,
        "histogram",
        "1",
        "How much of its model's context window the largest input of a run filled.",
        Value(attribute(semconv.OBS_RUN_CONTEXT_FILL)),
        buckets=_FILL_BUCKETS,
    ),
    AGENT_TOKENS,
    AGENT_COST,
)
