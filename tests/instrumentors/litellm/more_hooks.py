"""Every way into LiteLLM gives one span: names from its modules, its helpers, its Router, Anthropic's messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

_PROGRAM = """
import asyncio, json, sys, time
from functools import partial
from obs_run.process import import_hooks
from obs_run.runtime import process_runtime
from obs_instrumentors import TABLE
from obs_run.core import hooks
process_runtime.install()
for module, name in TABLE.items():
    if name in ("obs_instrumentors.litellm", "obs_instrumentors.openai"):
        import_hooks.when_imported(module, partial(hooks.instrument, name))
way, origin = sys.argv[1:]
openai = dict(model="openai/gpt-5-mini", messages=[{"role": "user", "content": "x"}])
openai.update(api_base=origin + "/v1", api_key="k")
claude = dict(model="anthropic/claude-sonnet-4-5", messages=[{"role": "user", "content": "x"}], max_tokens=9)
claude.update(api_base=origin, api_key="k")

import litellm
from litellm.main import acompletion, completion
if way == "completion":
    completion(**openai)
elif way == "acompletion":
    asyncio.run(acompletion(**openai))
elif way == "stream":
    list(completion(**openai, stream=True))
elif way == "completion_with_retries":
    litellm.completion_with_retries(**openai)
elif way == "acreate":
    asyncio.run(litellm.anthropic.messages.acreate(**claude))
elif way == "acreate, another provider":
    asyncio.run(litellm.anthropic.messages.acreate(**{**openai, "max_tokens": 9}))
elif way == "Router":
    async def main():
        parameters = {name: value for name, value in claude.items() if name not in ("messages", "max_tokens")}
        router = litellm.Router(model_list=[{"model_name": "here", "litellm_params": parameters}], num_retries=0)
        await router.aanthropic_messages(model="here", messages=claude["messages"], max_tokens=9)
    asyncio.run(main())
from obs_run.pipeline import memory
from obs_run.runtime.process_runtime import runtime
runtime().queue().flush(time.monotonic() + 10)
names = ("gen_ai.usage.output_tokens", "gen_ai.response.finish_reasons", "gen_ai.provider.name")
for span in memory.exporter("traces").items:
    print(json.dumps([span.name, *(span.attributes.get(name) for name in names)]))
"""
OPENAI = ("chat gpt-5-mini", "openai")
CLAUDE = ("chat claude-sonnet-4-5", "anthropic")
WAYS = {
    "completion": OPENAI,
    "acompletion": OPENAI,
    "stream": OPENAI,
    "completion_with_retries": OPENAI,
    "acreate": CLAUDE,
    "acreate, another provider": OPENAI,
    "Router": CLAUDE,
}


@pytest.mark.parametrize("way", WAYS)
def test_one_span_whatever_the_way(way: str, stub: Any) -> None:
    environ = os.environ | {"OBS_RUN_SPAN": "false", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    environ |= {f"OTEL_{signal}_EXPORTER": "memory" for signal in ("TRACES", "METRICS", "LOGS")}
    environ["OBS_STREAM_USAGE_HOSTS"] = f"{stub.host}:{stub.port}"
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, way, stub.origin],
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    spans = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(spans) == 1, (spans, done.stderr)
    name, tokens, reasons, provider = spans[0]
    assert (name, provider) == WAYS[way]
    assert reasons == ["stop"]
    # LiteLLM's own count of OpenAI's streams is none of the provider's.
    assert (tokens or 0) > 0 or way == "stream"
