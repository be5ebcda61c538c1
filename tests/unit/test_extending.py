"""The example of docs/extending.md: an instrumentor of one's own, from the page into a folder, and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.launch.environments import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
AGENT = FILES.pop("agent.py")
SHOW = "\nimport telemetry_probe\ntelemetry_probe.show()\n"
NAME = "chat tiny-1"


@pytest.fixture(autouse=True)
def modules(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")


def test_the_call_is_recorded(agent: Run) -> None:
    ran = agent(AGENT + SHOW)
    [name] = ran.spans()
    assert name == NAME
    assert ran.spans()[NAME]["kind"] == "CLIENT"
    assert ran.spans()[NAME]["attributes"].items() >= {
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "tiny"),
        ("gen_ai.request.model", "tiny-1"),
        ("gen_ai.response.model", "tiny-1"),
        ("gen_ai.usage.input_tokens", 2),
        ("gen_ai.usage.output_tokens", 1),
    }
    assert "gen_ai.input.messages" not in ran.spans()[NAME]["attributes"]
    assert ran.err == ""


def test_its_texts_are_recorded_if_they_are_wanted(agent: Run) -> None:
    ran = agent(AGENT + SHOW, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    attributes = ran.spans()[NAME]["attributes"]
    texts = [json.loads(attributes[f"gen_ai.{side}.messages"])[0]["parts"] for side in ("input", "output")]
    assert texts == [[{"type": "text", "content": "hello there"}], [{"type": "text", "content": "HELLO THERE"}]]


@pytest.mark.slow
def test_a_library_that_is_imported_already_is_recorded_too(agent: Run) -> None:
    assert list(agent("import tiny_llm\n" + AGENT + SHOW).spans()) == [NAME]


def test_an_error_of_the_library_reaches_the_agent_and_the_span(agent: Run) -> None:
    ask = "\ntry:\n    tiny_llm.Client().ask('', model='tiny-2')\nexcept ValueError as error:\n    print(error)\n"
    ran = agent(AGENT + ask + SHOW)
    span = ran.spans()["chat tiny-2"]
    assert ran.out.startswith("nothing was asked")
    assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "ValueError")


def test_callbacks_of_a_library_make_a_tree(agent: Run) -> None:
    ran = agent(
        dedent("""
        import threading
        from callback_handler import Handler

        handler = Handler()
        handler.on_start(1, None, "outer")
        begin = threading.Thread(target=handler.on_start, args=(2, 1, "inner"))
        begin.start()
        begin.join()
        handler.on_end(1)
        handler.on_end(2, ValueError("no"))
        handler.on_end(2)
        """)
        + SHOW
    )
    outer, inner = (ran.spans()[f"invoke_workflow {name}"] for name in ("outer", "inner"))
    assert inner["parent"] == outer["span"]
    assert (outer["status"], inner["status"], ran.err) == ("UNSET", "ERROR", "")


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["start_operation(call)", "read_answer(operation, answer)"])
def test_a_fault_in_the_instrumentor_never_reaches_the_agent(agent: Run, tmp_path: Path, broken: str) -> None:
    path = tmp_path / "tiny_llm_instrumentor.py"
    text = path.read_text(encoding="utf-8")
    assert broken in text
    path.write_text(text.replace(f"def {broken}:\n", f"def {broken}:\n    print('called')\n    1 / 0\n"))
    ran = agent(AGENT + "\nprint('went on')\n")
    assert ran.code == 0
    assert ran.out.split() == ["called", "went", "on"]


def test_a_version_out_of_range_is_left_alone(agent: Run, tmp_path: Path) -> None:
    metadata = tmp_path / "tiny_llm-2.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: tiny-llm\nVersion: 2.0\n")
    ran = agent(AGENT + SHOW)
    assert ran.spans() == {}
    assert "tiny_llm is not instrumented: version 2.0 is not supported" in ran.err


def test_a_process_that_nobody_launched_is_left_alone(agent: Run) -> None:
    ask = "\nimport sys\nprint('tiny_llm_instrumentor' in sys.modules, type(tiny_llm.Client.ask).__name__)\n"
    ran = agent(AGENT + ask, start=False)
    assert (ran.code, ran.err, ran.out) == (0, "", "False function\n")


def test_the_launcher_records_it(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(AGENT, encoding="utf-8")
    scripts = sysconfig.get_path("scripts")
    env = {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    for command in (["obs-run", sys.executable, "agent.py"], ["obsctl", "show"]):
        ran = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False, stdin=-3
        )
        assert ran.returncode == 0, ran.stderr
    assert re.search(rf"^  agent .*\n    {NAME} .* in=2 out=1$", ran.stdout, re.MULTILINE), ran.stdout


EXPORTER = """
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
tiny_llm.Client().ask("hello", model="tiny-2")
[span] = exporter.get_finished_spans()
print(span.name, *sorted(span.attributes))
"""


def test_an_exporter_of_ones_own_gets_spans_with_their_attributes_and_without_texts(agent: Run) -> None:
    ran = agent(AGENT + EXPORTER, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    name, *attributes = ran.out.split(maxsplit=2)[1:]
    assert (ran.err, name) == ("", "tiny-2")
    assert set(attributes[0].split()) >= {"gen_ai.provider.name", "gen_ai.request.model", "gen_ai.usage.input_tokens"}
    assert ".messages" not in ran.out
