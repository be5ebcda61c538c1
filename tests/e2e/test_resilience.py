"""The agent of docs/resilience.md, and the page's questions to the real Prometheus while it works."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from examples.stub_llm import StubServer
from tests.e2e.backends import clients, waiting
from tests.e2e.backends.install import ROOT
from tests.e2e.backends.servers import Backends
from tests.launch.environments import environment

PAGE = (ROOT / "docs" / "resilience.md").read_text(encoding="utf-8")
[COMMAND] = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)
USED, OPEN, RETRIES, HITS, CACHED = re.findall(r"^```promql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
MODEL = "gpt-5+cached"
"""The stub has half of each prompt in its cache."""
pytestmark = [pytest.mark.backends, pytest.mark.environments, pytest.mark.timeout(600)]


@pytest.fixture
def prometheus(backends: Backends) -> Iterator[clients.Prometheus]:
    """Have the agent work, as the page shows it, while questions are asked."""
    setting, *command = shlex.split(COMMAND)
    name, _, _ = setting.partition("=")
    place = environment("resilience")
    outside = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "OBS_"))}
    outside |= {"PATH": f"{place.scripts}{os.pathsep}{os.environ['PATH']}", name: backends.collector.otlp_http}
    outside |= {"OTEL_METRIC_EXPORT_INTERVAL": "500", "OPENAI_MODEL": MODEL}
    with StubServer() as stub:
        outside["OPENAI_BASE_URL"] = stub.url
        agent = subprocess.Popen(command, cwd=ROOT, env=outside, stderr=subprocess.PIPE, text=True)
        try:
            yield backends.prometheus
        finally:
            agent.terminate()
            _, said = agent.communicate(timeout=60)
    assert said == ""


def test_the_questions_of_the_page(prometheus: clients.Prometheus) -> None:
    def answer(question: str, **labels: str) -> float:
        # The agents of other tests have pools, breakers and caches, too, and the same Prometheus.
        def ours() -> list[clients.Sample]:
            return [each for each in prometheus.query(question) if each.labels == labels]

        [found] = waiting.until(ours, f"an answer with {labels} to {question}", 30)
        return found.value

    assert answer(USED, db_client_connection_pool_name="orders") == 0.5
    assert answer(OPEN, obs_circuit_breaker_name="carrier") == 1
    assert answer(RETRIES, code_function_name="__main__.place") > 0
    assert answer(HITS, obs_cache_name="__main__.LRUCache") == pytest.approx(0.75, abs=0.1)
    assert answer(CACHED, gen_ai_request_model=MODEL) == pytest.approx(0.5, abs=0.05)
    lookups = prometheus.query(f'obs_client_prompt_cache_lookups_total{{gen_ai_request_model="{MODEL}"}}')
    assert [each.labels["obs_cache_result"] for each in lookups] == ["hit"]
