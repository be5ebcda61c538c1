"""Make chat calls; those that are counted lie between two signals to callgrind. Run by instructions.py."""

import os
import subprocess
import sys
import time

from openai import OpenAI

client = OpenAI(base_url=os.environ["STUB"] + "/v1", api_key="none")


def call(times: int) -> None:
    for _ in range(times):
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])
    pipeline = sys.modules.get("obs_run.pipeline.queue")
    if pipeline is not None and pipeline.in_use():
        # What the export thread still has to do belongs to these calls.
        pipeline.queue().flush(time.monotonic() + 60)


def count(state: str) -> None:
    subprocess.run(["callgrind_control", "-i", state, str(os.getpid())], check=True, stdout=subprocess.DEVNULL)


call(5)
count("on")
call(int(sys.argv[1]))
count("off")
