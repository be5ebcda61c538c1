"""Write the Grafana dashboards of ``configs/grafana`` from tables; ``--check`` says which are out of date.

What a script has measured comes at once, at its end: ``rate()`` and ``increase()`` of it are nothing, as its first
sample is its last. So all figures are made by ``grown``, which also counts what a series had when it came.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent.parent / "configs" / "grafana"
RANGE, STEP = "$__range", "$__rate_interval"
_WIDTHS = {"stat": 4, "bargauge": 8, "timeseries": 12}
_HEIGHTS = {"stat": 4, "bargauge": 8, "timeseries": 8}
_COLUMNS = 24


class Query(NamedTuple):
    """A query, and how each of its series is called."""

    expression: str
    legend: str = ""


class Panel(NamedTuple):
    """A panel: a figure or bars over the whole range, or lines of which each point is of the interval before it."""

    kind: str
    title: str
    unit: str
    queries: tuple[Query, ...]
    sentence: str = ""
    may_be_empty: bool = False
    """Whether most agents have nothing to show there."""


class Variable(NamedTuple):
    """What is chosen at the top of a dashboard: the values of a label."""

    name: str
    metric: str
    label: str


class Dashboard(NamedTuple):
    """A dashboard."""

    name: str
    title: str
    sentence: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]


def grown(metric: str, *by: str, where: str, window: str = RANGE) -> str:
    """Return by how much a counter has grown in the time before, with what it had where it came in that time."""
    series = f"{metric}{{{where}}}"
    newest = f"max_over_time({series}[{window}])"
    return f"sum by ({', '.join(by)}) ({newest} - ({series} offset {window} or {newest} * 0))"


def quantile(share: float, metric: str, *by: str, where: str, window: str = RANGE) -> str:
    """Return a quantile of a histogram."""
    return f"histogram_quantile({share}, {grown(f'{metric}_bucket', 'le', *by, where=where, window=window)})"


def mean(metric: str, *by: str, where: str, window: str = RANGE) -> str:
    """Return the mean of a histogram."""
    total = grown(f"{metric}_sum", *by, where=where, window=window)
    return f"{total} / ({grown(f'{metric}_count', *by, where=where, window=window)} > 0)"


def share(part: str, whole: str) -> str:
    """Return how much of the whole a part is, of which there may be nothing."""
    return f"({part} or vector(0)) / ({whole} > 0)"


def figure(title: str, unit: str, expression: str, sentence: str = "") -> Panel:
    """Return a panel with one figure."""
    return Panel("stat", title, unit, (Query(expression),), sentence)


def bars(
    title: str, unit: str, expression: str, legend: str, sentence: str = "", *, may_be_empty: bool = False
) -> Panel:
    """Return a panel with a bar for each series."""
    return Panel("bargauge", title, unit, (Query(expression, legend),), sentence, may_be_empty)


def lines(title: str, unit: str, *queries: Query, sentence: str = "", may_be_empty: bool = False) -> Panel:
    """Return a panel with lines over time."""
    return Panel("timeseries", title, unit, queries, sentence, may_be_empty)


CALLS = "gen_ai_client_operation_duration_seconds"
FIRST_CHUNK = "gen_ai_client_operation_time_to_first_chunk_seconds"
TOKENS = "gen_ai_client_token_usage_sum"
COST = "obs_client_cost_total"
TOOLS = "gen_ai_execute_tool_duration_seconds"
RUNS = "gen_ai_invoke_agent_duration_seconds"
SERVICE = 'job=~"$service"'
OF_MODELS = f'{SERVICE}, gen_ai_operation_name!~"execute_tool|invoke_agent"'
FAILED = f'{OF_MODELS}, error_type!=""'
OF_AGENT = f'{SERVICE}, gen_ai_agent_name=~"$agent"'
OF_TOOL = f'{SERVICE}, gen_ai_tool_name=~"$tool"'
COLLECTOR = 'job="collector"'
PROCESSES = f"last_over_time(target_info{{{SERVICE}}}[{RANGE}])"
BY_SERVICE = Variable("service", "target_info", "job")

FLEET = Dashboard(
    "fleet",
    "obs-run: fleet",
    "Which agents are there, what they do, what fails, and what that costs.",
    (BY_SERVICE,),
    (
        figure("Services", "none", f"count(count by (job) ({PROCESSES}))"),
        figure("Processes", "none", f"count({PROCESSES})", "Of scripts each run is one."),
        figure("Model calls", "none", grown(f"{CALLS}_count", where=OF_MODELS)),
        figure("Failed", "percentunit",
               share(grown(f"{CALLS}_count", where=FAILED), grown(f"{CALLS}_count", where=OF_MODELS))),
        figure("Tokens", "none", grown(TOKENS, where=SERVICE)),
        figure("Cost", "currencyUSD", grown(COST, where=SERVICE)),
        bars("Processes", "none", f"count by (job) ({PROCESSES})", "{{job}}"),
        bars("Model calls", "none", grown(f"{CALLS}_count", "job", where=OF_MODELS), "{{job}}"),
        bars("Cost", "currencyUSD", grown(COST, "job", where=SERVICE), "{{job}}"),
        lines("Model calls", "none", Query(grown(f"{CALLS}_count", "job", where=OF_MODELS, window=STEP), "{{job}}")),
        lines("Failed calls", "none",
              Query(grown(f"{CALLS}_count", "job", "error_type", where=FAILED, window=STEP), "{{job}} {{error_type}}"),
              may_be_empty=True),
        lines("95 % of the calls took less than", "s",
              Query(quantile(0.95, CALLS, "job", where=OF_MODELS, window=STEP), "{{job}}")),
    ),
)  # fmt: skip
AGENT = Dashboard(
    "agent",
    "obs-run: one agent",
    "The runs of an agent: how long, how many steps, where time and money go.",
    (Variable("service", f"{RUNS}_count", "job"), Variable("agent", f"{RUNS}_count", "gen_ai_agent_name")),
    (
        figure("Runs", "none", grown(f"{RUNS}_count", where=OF_AGENT)),
        figure("Failed", "percentunit",
               share(grown(f"{RUNS}_count", where=f'{OF_AGENT}, error_type!=""'),
                     grown(f"{RUNS}_count", where=OF_AGENT))),
        figure("Mean duration", "s", mean(RUNS, where=OF_AGENT)),
        figure("Model calls of a run", "none", mean("obs_run_model_calls", where=OF_AGENT)),
        figure("Tool calls of a run", "none", mean("obs_run_tool_calls", where=OF_AGENT)),
        figure("Cost", "currencyUSD", grown("obs_agent_cost_total", where=OF_AGENT)),
        lines("Duration of a run", "s",
              Query(quantile(0.5, RUNS, where=OF_AGENT, window=STEP), "half took less"),
              Query(quantile(0.95, RUNS, where=OF_AGENT, window=STEP), "95 % took less")),
        lines("Where the time of a run goes", "s",
              Query(mean("obs_run_model_time_seconds", where=OF_AGENT, window=STEP), "waiting for models"),
              Query(mean("obs_run_own_time_seconds", where=OF_AGENT, window=STEP), "own")),
        bars("Tokens", "none", grown("obs_agent_tokens_total", "gen_ai_tool_name", "gen_ai_token_type", where=OF_AGENT),
             "{{gen_ai_tool_name}} {{gen_ai_token_type}}", "Of calls in a tool by its name, and of the agent's own."),
        bars("Tool calls that went round", "none", grown("obs_run_loops_total", "gen_ai_agent_name", where=OF_AGENT),
             "{{gen_ai_agent_name}}", may_be_empty=True),
        bars("Runs beyond a budget", "none", grown("obs_run_exceeded_budgets_total", "obs_budget_name", where=OF_AGENT),
             "{{obs_budget_name}}", may_be_empty=True),
    ),
)  # fmt: skip
MODELS = Dashboard(
    "models",
    "obs-run: models and cost",
    "Calls, latency, tokens, cost and errors by model.",
    (BY_SERVICE,),
    (
        figure("Input tokens", "none", grown(TOKENS, where=f'{SERVICE}, gen_ai_token_type="input"')),
        figure("Output tokens", "none", grown(TOKENS, where=f'{SERVICE}, gen_ai_token_type="output"')),
        figure("Cost", "currencyUSD", grown(COST, where=SERVICE)),
        figure("Calls without a price", "none",
               f"{grown('obs_client_cost_unknown_total', where=SERVICE)} or vector(0)"),
        figure("Prompt cache hits", "percentunit",
               share(grown("obs_client_prompt_cache_lookups_total", where=f'{SERVICE}, obs_cache_result="hit"'),
                     grown("obs_client_prompt_cache_lookups_total", where=SERVICE))),
        figure("Half of the first chunks came within", "s", quantile(0.5, FIRST_CHUNK, where=SERVICE)),
        bars("Calls", "none", grown(f"{CALLS}_count", "gen_ai_request_model", where=OF_MODELS),
             "{{gen_ai_request_model}}"),
        bars("Cost", "currencyUSD", grown(COST, "gen_ai_request_model", where=SERVICE), "{{gen_ai_request_model}}"),
        bars("Errors", "none", grown(f"{CALLS}_count", "gen_ai_request_model", "error_type", where=FAILED),
             "{{gen_ai_request_model}} {{error_type}}"),
        lines("Tokens", "none",
              Query(grown(TOKENS, "gen_ai_request_model", "gen_ai_token_type", where=SERVICE, window=STEP),
                    "{{gen_ai_request_model}} {{gen_ai_token_type}}")),
        lines("Duration of a call", "s",
              Query(quantile(0.5, CALLS, "gen_ai_request_model", where=OF_MODELS, window=STEP),
                    "{{gen_ai_request_model}} half took less"),
              Query(quantile(0.95, CALLS, "gen_ai_request_model", where=OF_MODELS, window=STEP),
                    "{{gen_ai_request_model}} 95 % took less")),
    ),
)  # fmt: skip
TOOL = Dashboard(
    "tools",
    "obs-run: tools",
    "Tools, MCP servers and stores that agents call.",
    (BY_SERVICE, Variable("tool", f"{TOOLS}_count", "gen_ai_tool_name")),
    (
        figure("Calls", "none", grown(f"{TOOLS}_count", where=OF_TOOL)),
        figure("Failed", "percentunit",
               share(grown(f"{TOOLS}_count", where=f'{OF_TOOL}, error_type!=""'),
                     grown(f"{TOOLS}_count", where=OF_TOOL))),
        figure("95 % took less than", "s", quantile(0.95, TOOLS, where=OF_TOOL)),
        bars("Calls", "none", grown(f"{TOOLS}_count", "gen_ai_tool_name", where=OF_TOOL), "{{gen_ai_tool_name}}"),
        bars("Mean duration", "s", mean(TOOLS, "gen_ai_tool_name", where=OF_TOOL), "{{gen_ai_tool_name}}",
             "Of a tool whose time is inferred it is that between two calls of the model."),
        bars("Errors", "none",
             grown(f"{TOOLS}_count", "gen_ai_tool_name", "error_type", where=f'{OF_TOOL}, error_type!=""'),
             "{{gen_ai_tool_name}} {{error_type}}"),
        lines("Calls", "none",
              Query(grown(f"{TOOLS}_count", "gen_ai_tool_name", where=OF_TOOL, window=STEP), "{{gen_ai_tool_name}}")),
        bars("Requests of MCP", "none",
             grown("mcp_client_operation_duration_seconds_count", "mcp_method_name", where=SERVICE),
             "{{mcp_method_name}}", may_be_empty=True),
        bars("Mean duration at stores", "s",
             mean("db_client_operation_duration_seconds", "db_system_name", "db_operation_name", where=SERVICE),
             "{{db_system_name}} {{db_operation_name}}", may_be_empty=True),
    ),
)  # fmt: skip
ITSELF = Dashboard(
    "obs-run",
    "obs-run: itself",
    "Whether telemetry arrives: what was lost or sent twice, and how the Collector is.",
    (BY_SERVICE,),
    (
        figure("Lost", "none", f"{grown('obs_export_dropped_total', where=SERVICE)} or vector(0)",
               "Spans, log records and metric exports."),
        figure("Sent again", "none", f"{grown('obs_export_repeated_total', where=SERVICE)} or vector(0)",
               "Where no answer came; they may have arrived twice."),
        figure("Spans taken", "none", grown("otelcol_receiver_accepted_spans", where=COLLECTOR)),
        figure("Log records taken", "none", grown("otelcol_receiver_accepted_log_records", where=COLLECTOR)),
        figure("Refused", "none",
               f"{grown('otelcol_receiver_refused_spans', where=COLLECTOR)} or vector(0)"),
        figure("Waiting for Jaeger", "bytes", f"sum(otelcol_exporter_queue_size{{{COLLECTOR}}})"),
        bars("Lost, by reason", "none",
             grown("obs_export_dropped_total", "job", "error_type", where=SERVICE), "{{job}} {{error_type}}",
             may_be_empty=True),
        lines("Spans taken", "none",
              Query(grown("otelcol_receiver_accepted_spans", where=COLLECTOR, window=STEP), "spans")),
        lines("Memory of the Collector", "bytes", Query(f"otelcol_process_memory_rss{{{COLLECTOR}}}", "Collector")),
    ),
)  # fmt: skip
DASHBOARDS = (FLEET, AGENT, MODELS, TOOL, ITSELF)


def as_json(dashboard: Dashboard) -> str:
    """Return the dashboard as Grafana imports it."""
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    made = {
        "uid": f"obs-run-{dashboard.name}",
        "title": dashboard.title,
        "description": dashboard.sentence,
        "tags": ["obs-run"],
        "editable": True,
        "schemaVersion": 39,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [source, *map(_variable, dashboard.variables)]},
        "panels": _placed(dashboard.panels),
    }
    return json.dumps(made, indent=1) + "\n"


def _variable(variable: Variable) -> dict[str, Any]:
    query = f"label_values({variable.metric}, {variable.label})"
    return {
        "name": variable.name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": variable.name},
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


_SOURCE = {"type": "prometheus", "uid": "${source}"}


def _placed(panels: tuple[Panel, ...]) -> list[dict[str, Any]]:
    """Return the panels from left to right and from top to bottom."""
    placed = []
    x = y = height = 0
    for number, panel in enumerate(panels, 1):
        width = _WIDTHS[panel.kind]
        if x + width > _COLUMNS:
            x, y, height = 0, y + height, 0
        height = max(height, _HEIGHTS[panel.kind])
        place = {"x": x, "y": y, "w": width, "h": _HEIGHTS[panel.kind]}
        placed.append({"id": number, "gridPos": place, **_panel(panel)})
        x += width
    return placed


def _panel(panel: Panel) -> dict[str, Any]:
    is_instant = panel.kind != "timeseries"
    targets = [
        {"refId": chr(ord("A") + at), "expr": query.expression, "legendFormat": query.legend, "instant": is_instant}
        for at, query in enumerate(panel.queries)
    ]
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.sentence,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "noValue": "none"}, "overrides": []},
        "targets": targets,
    }


def main() -> int:
    """Write the files, or say which are not what would be written."""
    wrong = []
    for dashboard in DASHBOARDS:
        path, text = FOLDER / f"{dashboard.name}.json", as_json(dashboard)
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            wrong.append(path.name)
    if wrong:
        sys.exit(f"out of date: {', '.join(wrong)}; run python tools/make_dashboards.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
