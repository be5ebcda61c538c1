"""Many records from eight processes into rotating files, through the handler: counted, none lost, none torn."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES, THREADS = 8, 5

WRITER = """
import os, sys, threading
from pathlib import Path
from obs_run.logging import DistributedLogger, FileLogHandler

EACH, THREADS, RECORDS = map(int, sys.argv[2:])
logger = DistributedLogger("writer")
logger.add_handler(FileLogHandler("file", Path(sys.argv[1]), max_size=10 * RECORDS, backup_count=0))

def write(thread):
    for number in range(EACH):
        logger.info(f"{os.getpid()} {thread} {number}", data={"text": "x" * (number % 300)}, worker=thread)

threads = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert logger.get_metrics()["failed_logs"] == 0
"""


@pytest.mark.parametrize("records", [4_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_none_is_lost_and_none_is_torn(records: int, tmp_path: Path) -> None:
    each = records // (PROCESSES * THREADS)
    environment = {"HOME": str(tmp_path), "OTEL_SDK_DISABLED": "true"}
    file = tmp_path / "logs" / "application.log"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(file), str(each), str(THREADS), str(records)],
            env=environment,
            stderr=subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]
    for process in running:
        _, said = process.communicate(timeout=110)
        assert (process.returncode, said) == (0, b"")

    seen: Counter[str] = Counter()
    files = sorted(each for each in file.parent.iterdir() if not each.name.startswith("."))
    for path in files:
        content = path.read_bytes()
        assert len(content) <= 10 * records
        assert content.endswith(b"\n")
        for line in content.splitlines():
            record = json.loads(line)
            assert len(record["data"]["text"]) == int(record["message"].split()[2]) % 300
            seen[record["message"]] += 1
    assert len(files) > 20
    assert seen == Counter(
        f"{process.pid} {thread} {number}" for process in running for thread in range(THREADS) for number in range(each)
    )
    assert seen.total() == records
