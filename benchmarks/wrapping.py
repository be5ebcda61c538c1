"""What a call of a function of one's own costs that OBS_WRAP names, by kind: microseconds of the calling thread.

The function does nothing. Spans are ended and queued; the export thread is not counted. The least of many rounds
counts. Run it as ``python -m benchmarks.wrapping``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CODE = """
class Own:
    name, state = "own", "closed"
    def plain(self, request): return request
    def handler(self, request): return request
    def tool(self, request): return request
    def span(self, request): return request
    def contract(self, request): return True
    def acquire(self): return self
    def give_back(self, connection): pass
    def breaker(self, request): return request
    def cache(self, request): return request
"""
LOOP = """
import os, time
from own import Own
own = Own()
ROUNDS, CALLS = 40, 500
REQUEST = {"action": "say"}

def least(call):
    rounds = []
    for _ in range(ROUNDS):
        begun = time.thread_time_ns()
        for _ in range(CALLS):
            call()
        rounds.append((time.thread_time_ns() - begun) / CALLS / 1000)
    return min(rounds)

print(f"{'not named':10} {least(lambda: own.plain(REQUEST)):8.2f}")
for kind in ("span", "handler", "tool", "contract", "breaker", "cache"):
    method = getattr(own, kind)
    print(f"{kind:10} {least(lambda: method(REQUEST)):8.2f}")
print(f"{'pool':10} {least(lambda: own.give_back(own.acquire())):8.2f}  (acquire and release)")
"""


def main() -> None:
    """Print the table."""
    wrap = {
        kind: {"target": f"own:Own.{kind}", "kind": kind}
        for kind in ("span", "handler", "tool", "contract", "breaker", "cache")
    }
    wrap["breaker"]["state"] = "self.state"
    wrap["span"]["attributes"] = {"action": "request.action"}  # type: ignore[assignment]
    wrap["pool"] = {"target": "own:Own.acquire", "release": "own:Own.give_back", "kind": "pool"}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("own.py", CODE), ("loop.py", LOOP), ("wrap.json", json.dumps({"wrap": wrap}))):
            (Path(folder) / name).write_text(text)
        exporters = {f"OTEL_{signal}_EXPORTER": "memory" for signal in ("TRACES", "METRICS", "LOGS")}
        env = {**os.environ, **exporters, "OBS_WRAP": "wrap.json", "PYTHONPATH": folder}
        subprocess.run([sys.executable, "-c", "import obs_run.auto, loop"], cwd=folder, env=env, check=True)


if __name__ == "__main__":
    main()
