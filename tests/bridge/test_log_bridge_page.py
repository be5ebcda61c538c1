"""The example of docs/log-bridge.md, from the page into a folder, and run; and its tables against the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obs_run.bridge.rule_file import MATCH_KEYS, RULE_KEYS
from obs_run.bridge.rules import BECOMES

if TYPE_CHECKING:
    from tests.unit.agents import Run

PAGE = (Path(__file__).parent.parent.parent / "docs" / "log-bridge.md").read_text(encoding="utf-8")
[(_, AGENT)] = re.findall(r"^```python\n# (agent\.py)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
[(_, RULES)] = re.findall(r"^```yaml\n# (rules\.yaml)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["rules", "automatic"])
def test_the_example_does_what_the_page_says(agent: Run, tmp_path: Path, mode: str) -> None:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    source = AGENT + "import telemetry_probe\ntelemetry_probe.show()\n"
    ran = agent(source, OBS_BRIDGE_RULES="rules.yaml", OBS_BRIDGE=mode)
    spans = ran.spans()
    assert set(spans) == {"task listen", "task rest", "load whisper"}
    assert spans["load whisper"]["parent"] == spans["task listen"]["span"]
    assert round(spans["load whisper"]["seconds"], 3) == 0.25
    assert spans["load whisper"]["attributes"]["gen_ai.request.model"] == "whisper"
    assert (spans["task rest"]["status"], spans["task rest"]["description"]) == ("ERROR", "no bed")
    assert spans["task rest"]["attributes"]["error.type"] == "RuntimeError"
    assert "obs_run" not in ran.err


@pytest.mark.parametrize(
    ("title", "keys"), [("Key of a rule", RULE_KEYS), ("Key of `match`", MATCH_KEYS), ("`become`", BECOMES)]
)
def test_every_key_is_in_its_table(title: str, keys: tuple[str, ...]) -> None:
    _, _, rest = PAGE.partition(f"\n\n| {title} |")
    rows = re.findall(r"^\| `(\w+)` \|", rest.partition("\n\n")[0], re.MULTILINE)
    assert sorted(rows) == sorted(keys)
