"""Every example of docs/logging.md, run as it stands."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.launch.environments import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

TEXT = (ROOT / "docs" / "logging.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
SHOW = "\nimport telemetry_probe; telemetry_probe.show()"


def test_every_example_runs_and_is_recorded(agent: Run, tmp_path: Path) -> None:
    calls, handlers, decorators, structlog, loguru = (agent(example + SHOW) for example in EXAMPLES)

    assert list(calls.logs()) == ["login started", "query done", "no await, no event loop, same result"]
    assert calls.logs()["login started"]["attributes"]["service"] == "accounts"
    assert calls.logs()["login started"]["attributes"]["obs.audit.sequence"] == 1
    assert handlers.out.splitlines()[1:3] == ["to the chat: invoice failed", "1"]
    assert json.loads((tmp_path / "billing.log").read_text())["context"]["agent_id"] == "billing-1"
    assert [body.partition(":")[0] for body in decorators.logs()] == [
        "Entering function",
        "Exiting function",
        "Performance",
    ]
    assert structlog.logs()["cache filled"]["attributes"]["entries"] == 12
    assert loguru.logs()["cache filled"]["attributes"]["entries"] == 12
    for ran in (calls, handlers, decorators, structlog):
        assert ran.err == ""
