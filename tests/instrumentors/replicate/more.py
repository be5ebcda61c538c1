"""The module's own functions, which are bound when the package is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

_PROGRAM = """
from functools import partial
from obs_run.process import import_hooks
from obs_run.runtime import process_runtime
from obs_instrumentors import TABLE
from obs_run.core import hooks
process_runtime.install()
for module, name in TABLE.items():
    if name == "obs_instrumentors.replicate":
        import_hooks.when_imported(module, partial(hooks.instrument, name))
import replicate, time
from obs_run.pipeline import memory
from obs_run.runtime.process_runtime import runtime
replicate.run("meta/llama-3", input={"prompt": "Where to?"})
replicate.predictions.create(model="meta/llama-3", input={"prompt": "Where to?"})
print("".join(map(str, replicate.stream("meta/llama-3", input={"prompt": "Where to?"}))))
runtime().queue().flush(time.monotonic() + 10)
print([span.name for span in memory.exporter("traces").items])
"""


def test_functions_of_the_module(stub: Any) -> None:
    environ = os.environ | {"REPLICATE_API_TOKEN": "none", "REPLICATE_BASE_URL": stub.origin, "OBS_RUN_SPAN": "false"}
    environ |= {f"OTEL_{signal}_EXPORTER": "memory" for signal in ("TRACES", "METRICS", "LOGS")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.splitlines(), done.stderr) == (
        ["This is the stub's answer to: Where to?", str(["generate_content meta/llama-3"] * 3)],
        "",
    )
