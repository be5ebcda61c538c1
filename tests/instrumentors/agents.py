"""Agents of a few lines, run under obs-run in an environment of their own; what they recorded comes back."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.launch.environments import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_BEGIN = """
import json, sys, time
import obs_run.auto

URL = sys.argv[1] if len(sys.argv) > 1 else ""
"""
_END = """
from obs_run.pipeline import memory
from obs_run.runtime.process_runtime import runtime
assert runtime().queue().flush(time.monotonic() + 10)
from obs_run.coexistence import third_party
spans = [
    dict(name=span.name, kind=span.kind.name, scope=span.instrumentation_scope.name, attributes=dict(span.attributes),
         id=span.context.span_id, trace=format(span.context.trace_id, "032x"),
         parent=span.parent.span_id if span.parent else None)
    for span in memory.exporter("traces").items
]
metrics = memory.exporter("metrics").items[-1:]
points = [
    [metric.name, dict(point.attributes), getattr(point, "sum", getattr(point, "value", None))]
    for each in metrics for resource in each.resource_metrics for scope in resource.scope_metrics
    for metric in scope.metrics for point in metric.data.data_points
]
print(json.dumps(dict(spans=spans, points=points, outcomes=third_party.outcomes()), default=str))
"""


class Recorded(NamedTuple):
    """What an agent left behind."""

    spans: list[dict[str, Any]]
    points: list[Any]
    outcomes: dict[str, str]
    err: str

    def named(self, *scopes: str) -> list[str]:
        """Return the names of the spans, those of the given scopes where some are given."""
        return sorted(span["name"] for span in self.spans if not scopes or span["scope"].startswith(scopes))

    def scopes(self) -> list[str]:
        return sorted(span["scope"].removesuffix(".v1") for span in self.spans)


def run_agent(python: Path, code: str, *arguments: str, **variables: str) -> Recorded:
    """Run ``code`` under obs-run; ``URL`` in it is the first argument."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_", "PYTEST_"))}
    environ |= {
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT / "instrumentors"))),
        "OBS_RUN_SPAN": "false",
    }
    environ |= {f"OTEL_{signal}_EXPORTER": "memory" for signal in ("TRACES", "METRICS", "LOGS")} | variables
    done = subprocess.run(
        [str(python), "-W", "ignore", "-c", _BEGIN + code + _END, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    return Recorded(last["spans"], last["points"], last["outcomes"], done.stderr)
