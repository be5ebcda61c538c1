"""What a line of a rotating file and a record of the audit trail cost the thread that writes it, in CPU time.

The best of several rounds, because what others do on the machine only adds. Run it as ``python -m benchmarks.audit``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, CALLS = 20, 500
RECORD = {
    "message": "login started",
    "category": "security",
    "data": {"ip_address": "192.168.1.1", "method": "oauth"},
    "tags": ["authentication"],
    "context": {"user_id": "user123", "operation": "user_login"},
}


def measured(call: Callable[[], object]) -> float:
    """Return microseconds of CPU time for one call."""
    call()
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.thread_time()
        for _ in range(CALLS):
            call()
        best = min(best, (time.thread_time() - begin) / CALLS * 1e6)
    return best


def main(folder: Path) -> None:
    os.environ.update({f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")})
    os.environ["OBS_AUDIT_FILE"] = str(folder / "plain" / "audit.jsonl")
    import obs_run
    from obs_run import privacy
    from obs_run.audit_trail import append, place, seal
    from obs_run.audit_trail.entry import Origin, canonical
    from obs_run.audit_trail.trail import Limits, Trail
    from obs_run.files.rotating_file import RotatingFile

    file = RotatingFile(folder / "app.log", max_bytes=50 << 20, max_age=86400, files=10, keep=30 * 86400)
    line, record = b"x" * 299 + b"\n", canonical(RECORD)
    rows: dict[str, Callable[[], object]] = {"a line of 300 bytes in a rotating file": lambda: file.write(line)}
    for name, key in (("SHA-256", None), ("HMAC-SHA256", b"k" * 32)):
        where = place.Place(folder / name / "audit.jsonl")
        trail = Trail(where, seal.Seal(key), seal.by_key(), Origin('"host"', '"service"'), Limits(64 << 20))
        rows[f"an entry of the trail, {name}"] = lambda trail=trail: trail.append(record)  # type: ignore[misc]
    rows["audit_trail.append(record), secrets scrubbed"] = lambda: append(RECORD)
    rows["obs_run.audit(...), secrets scrubbed, queued for export"] = lambda: obs_run.audit(
        "user.login", actor="alice", outcome="ok", ip_address="192.168.1.1", method="oauth"
    )
    for name, call in rows.items():
        print(f"{measured(call):6.1f} us  {name}")
    os.environ["OBS_PRIVACY"] = "none"
    privacy.forget()
    print(f"{measured(lambda: append(RECORD)):6.1f} us  audit_trail.append(record), OBS_PRIVACY=none")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as made:
        main(Path(made))
