"""What scrubbing costs: a kilobyte of clean text, and a span's attributes. ``python -m benchmarks.privacy``."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from obs_run import privacy

if TYPE_CHECKING:
    from collections.abc import Callable

PROSE = (
    "We asked the agent to look into it again: nothing was found, so it went on with the next task in the list. " * 10
)
MESSAGES = json.dumps([
    {"role": "system", "parts": [{"type": "text", "content": "You are a helpful assistant that answers briefly."}]},
    {"role": "user", "parts": [{"type": "text", "content": PROSE[:600]}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "call_8fd4e2aa01", "name": "get_weather",
                                     "arguments": {"city": "Paris", "unit": "celsius"}}]},
])  # fmt: skip
LINE = "2026-11-23T10:15:{0:02}.123Z INFO agent.worker [req-{0:05}] finished step in {0}.5 ms, tokens={0} status=200\n"
TEXTS = {
    "prose": PROSE,
    "messages (JSON)": MESSAGES,
    "log lines": "".join(LINE.format(number) for number in range(20)),
    "traceback": 'Traceback (most recent call last):\n  File "/app/agent.py", line 44, in run\nValueError: none\n' * 10,
    "Japanese": "今日は天気がいいので、エージェントは新しいツールを呼び出して、結果を待ちます。" * 30,
    "base64": "iVBORw0KGgo" * 1000,
}
SPAN = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5-mini",
    "gen_ai.usage.input_tokens": 812,
    "gen_ai.usage.output_tokens": 91,
    "gen_ai.response.id": "chatcmpl-BxYz12AbCd",
    "server.address": "api.openai.com",
    "server.port": 443,
    "gen_ai.request.temperature": 0.7,
    "obs.cost.usd": 0.0012,
}


def seconds(run: Callable[[Any], Any], value: Any, times: int) -> float:
    """Return the least processor time of one run, of twenty tries."""
    tries = []
    for _ in range(20):
        began = time.process_time()
        for _ in range(times):
            run(value)
        tries.append(time.process_time() - began)
    return min(tries) / times


def main() -> int:
    for kinds in ("secrets", "personal"):
        os.environ["OBS_PRIVACY"] = kinds
        privacy.forget()
        scrubber = privacy.scrubber()
        for name, text in TEXTS.items():
            assert scrubber.text(text) is text
            each = seconds(scrubber.text, text, 100)
            print(f"{kinds:9} {name:16} {each * 1e6 / len(text) * 1024:7.1f} us/KB")
        print(f"{kinds:9} {'span, 10 fields':16} {seconds(scrubber.attributes, SPAN, 1000) * 1e6:7.1f} us")
    return 0


if __name__ == "__main__":
    sys.exit(main())
