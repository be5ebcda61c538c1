"""Print what the table of prices costs a process that already has what the OpenTelemetry SDK imports."""

import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import opentelemetry.sdk.trace  # noqa: F401 (every agent with us has it)

NOW = datetime.now(timezone.utc)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


def show(label: str, action: Callable[[], object], times: int = 1) -> None:
    memory, cpu = resident(), time.process_time()
    for _ in range(times):
        action()
    milliseconds = (time.process_time() - cpu) * 1000 / times
    print(f"{label:42} {milliseconds:8.3f} ms CPU {resident() - memory:7} KiB")


def ours() -> None:
    import obs_run.pipeline.prices  # noqa: F401


def theirs() -> None:
    import genai_prices.data  # noqa: F401


show("import", ours)

from obs_run.pipeline import prices  # noqa: E402

USAGE = prices.Usage(1000, 100, cache_read_tokens=10)
for provider, model in (("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5"), ("openrouter", "x-ai/grok-4")):
    show(f"first price of {provider}", lambda: prices.price(provider, model, USAGE, NOW))  # noqa: B023
show("again", lambda: prices.price("openai", "gpt-4o", USAGE, NOW, "api.openai.com"), 2000)
show("unknown model", lambda: prices.price("openai", "none", USAGE, NOW), 200)
show("unknown host, first", lambda: prices.price("openai", "gpt-4o", USAGE, NOW, "localhost:8000"))
show("unknown host, again", lambda: prices.price("openai", "gpt-4o", USAGE, NOW, "localhost:8000"), 500)
try:
    show("import of genai_prices, for comparison", theirs)
except ImportError:
    print("genai_prices is not installed")
