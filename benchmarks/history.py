"""How long the agent's thread takes for a call whose history holds many large tool results, with and without obs-run.

Sixty results of 100 KB of JSON each, content on, openai's client over a transport that answers at once; the time is the
thread's own (``time.thread_time``), of which the smallest of several rounds counts. Run it as
``python -m benchmarks.history``.
"""

from __future__ import annotations

import os
import subprocess
import sys

RESULTS, SIZE, ROUNDS, CALLS = 60, 100_000, 7, 5
AGENT = """
import json, sys, time
results, size, rounds, calls = map(int, sys.argv[1:])
import httpx2, openai
told = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0,
    "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}]}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=told))
client = openai.OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1", http_client=httpx2.Client(transport=transport))
rows = [{"id": number, "name": "a row", "value": number / 7} for number in range(size // 52)]
history = [{"role": "user", "content": "x"}]
for number in range(results):
    call = {"id": f"c{number}", "type": "function", "function": {"name": "query", "arguments": "{}"}}
    history.append({"role": "assistant", "tool_calls": [call]})
    history.append({"role": "tool", "tool_call_id": f"c{number}", "content": json.dumps(rows)})
def measured():
    begun = time.thread_time()
    for _ in range(calls):
        client.chat.completions.create(model="m", messages=history)
    return (time.thread_time() - begun) / calls
measured()
print(min(measured() for _ in range(rounds)))
"""
SETTINGS = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    **{f"OTEL_{signal}_EXPORTER": "memory" for signal in ("TRACES", "METRICS", "LOGS")},
}


def seconds(*command: str) -> float:
    """Return the thread time of one call of the agent run by a command."""
    environ = {**os.environ, **SETTINGS}
    done = subprocess.run(
        [*command, "-c", AGENT, *map(str, (RESULTS, SIZE, ROUNDS, CALLS))],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[0])


def main() -> None:
    """Print the times, and how they compare."""
    plain = seconds(sys.executable)
    ours = seconds(sys.executable, "-m", "obs_run", sys.executable)
    print(f"plain {plain * 1000:.1f} ms, obs-run {ours * 1000:.1f} ms: {ours / plain:.2f} times")


if __name__ == "__main__":
    main()
