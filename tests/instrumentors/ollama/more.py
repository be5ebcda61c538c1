"""What Ollama's scenario set leaves open: the module's own functions, prompts, thoughts, images, missing usage."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.ollama.library import ANSWER, ASKED, LIBRARY, MODEL, Ollama
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGENT = """
import obs_run.auto
from ollama import chat, embed, generate
asked = [{"role": "user", "content": "Where to?"}]
chat(model="llama3.2", messages=asked)
for part in chat(model="llama3.2", messages=asked, stream=True):
    pass
generate(model="llama3.2", prompt="Where to?")
embed(model="llama3.2", input="Where to?")

import time
from obs_run.pipeline import memory
from obs_run.runtime.process_runtime import runtime
assert runtime().queue().flush(time.monotonic() + 10)
for span in memory.exporter("traces").items:
    print(span.name, span.attributes.get("gen_ai.request.stream"), span.attributes["gen_ai.usage.input_tokens"])
"""


@pytest.fixture(params=LIBRARY.kinds)
def its(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Ollama]:
    assert telemetry is not None
    driver = Ollama(request.param, stub)
    with instrumented():
        yield driver
    driver.close()


def test_functions_of_the_module(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are methods of a client that the package makes while it is imported."""
    monkeypatch.setenv("OLLAMA_HOST", stub.origin)
    monkeypatch.setenv("OBS_RUN_SPAN", "false")
    for signal in ("TRACES", "METRICS", "LOGS"):
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "memory")
    done = subprocess.run([sys.executable, "-c", _AGENT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "chat llama3.2 None 3",
        "chat llama3.2 True 3",
        "text_completion llama3.2 None 3",
        "embeddings llama3.2 None 3",
    ]


def test_prompt_with_image(its: Ollama, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    its.run(
        its.client.generate(
            model=MODEL,
            prompt="Where to?",
            system="Be brief.",
            images=[b"not really an image"],
            options={"temperature": 0.5, "num_predict": 9, "stop": ["."]},
        )
    )
    attributes = telemetry.attributes()
    assert telemetry.span().name == f"text_completion {MODEL}"
    assert attributes["gen_ai.request.temperature"] == 0.5
    assert attributes["gen_ai.request.max_tokens"] == 9
    assert attributes["gen_ai.request.stop_sequences"] == (".",)
    assert json.loads(attributes["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]
    (asked,) = json.loads(attributes["gen_ai.input.messages"])
    said, image = asked["parts"]
    assert said == {"type": "text", "content": "Where to?"}
    assert image == {"type": "omitted_blob", "modality": "image", "mime_type": None, "size": 19}
    assert json.loads(attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"}
    ]


def test_stream_of_a_prompt(its: Ollama, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    its.read(its.client.generate(model=MODEL, prompt="Where to?", stream=True))
    attributes = telemetry.attributes()
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.usage.output_tokens"] == 8
    (answer,) = json.loads(attributes["gen_ai.output.messages"])
    assert answer["parts"] == [{"type": "text", "content": ANSWER}]


@pytest.mark.parametrize("stream", [False, True])
def test_no_usage(its: Ollama, telemetry: Any, *, stream: bool) -> None:
    """A prompt that was cached leaves the counts out, which is not the same as zero."""
    answer = its.client.chat(**{**ASKED, "model": f"{MODEL}+no-usage"}, stream=stream)
    its.read(answer) if stream else its.run(answer)
    attributes = telemetry.attributes()
    assert not [name for name in attributes if "usage" in name]
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)


@pytest.mark.parametrize("stream", [False, True])
def test_thoughts(its: Ollama, telemetry: Any, with_content: None, *, stream: bool) -> None:
    assert with_content is None
    answer = its.client.chat(**{**ASKED, "model": f"{MODEL}+thinking"}, stream=stream)
    seen = its.read(answer)[1:] if stream else [its.run(answer)]
    (said,) = json.loads(telemetry.attributes()["gen_ai.output.messages"])
    thoughts = [part for part in said["parts"] if part["type"] == "reasoning"]
    # The oldest release knows no thoughts and drops them.
    told = any(getattr(part.message, "thinking", None) for part in seen)
    assert thoughts == ([{"type": "reasoning", "content": "First I think about it."}] if told else [])
    assert said["parts"][-1] == {"type": "text", "content": ANSWER}


def test_error_amid_a_stream(its: Ollama, telemetry: Any) -> None:
    with pytest.raises(Exception, match="overloaded"):
        its.read(its.client.chat(**{**ASKED, "model": f"{MODEL}+stream-error=3"}, stream=True))
    attributes = telemetry.attributes()
    assert attributes["error.type"] == "ollama._types.ResponseError"
    assert "gen_ai.response.finish_reasons" not in attributes
    assert telemetry.span().status.status_code.name == "ERROR"
