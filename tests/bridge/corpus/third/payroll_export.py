"""Monthly payroll export: employees -> bank file -> SFTP drop (simulated)."""
import contextlib
import logging
import logging.handlers
import sys
import time

log = logging.getLogger(__name__)

EMPLOYEES = [
    {"pid": 4001, "name": "Ida Error", "hours": 160, "rate": 31},
    {"pid": 4002, "name": "Jo Started", "hours": 80, "rate": 44},
    {"pid": 4003, "name": "Kim", "hours": 0, "rate": 28},
]
_sftp_failures = 2


@contextlib.contextmanager
def step(title):
    log.info(f"▶ {title}")  # @step
    t = time.monotonic()
    try:
        yield
    except Exception as e:
        log.error(f"✗ {title}: {e}")  # @step_failed
        raise
    else:
        log.info(f"✓ {title} ({time.monotonic() - t:.3f}s)")  # @step_ok


def salary(emp):
    if not emp["hours"]:
        log.warning(f"Employee {emp['pid']} has no hours this month, skipped")
        return 0
    gross = emp["hours"] * emp["rate"]
    log.debug(f"Employee {emp['pid']} ({emp['name']}): gross {gross}")
    return gross


def build_file(rows):
    log.info("Writing bank file")  # @bank
    lines = [f"{pid};{amount}" for pid, amount in rows if amount]
    log.info(f"Bank file written with {len(lines)} lines")  # @bank_done
    return "\n".join(lines)


def put(content):
    global _sftp_failures
    if _sftp_failures > 0:
        _sftp_failures -= 1
        raise ConnectionResetError("peer closed connection")
    return len(content)


def transfer(content, tries=3):
    for i in range(1, tries + 1):
        log.info(f"Transfer attempt {i} of {tries} started")  # @try
        try:
            n = put(content)
        except ConnectionResetError as e:
            log.warning(f"Transfer attempt {i} failed: {e}")  # @try_failed
            continue
        log.info(f"Transfer attempt {i} succeeded, {n} bytes")  # @try_ok
        return n
    raise RuntimeError("all attempts used up")


def archive(content):
    if len(content) > 5:
        raise OSError("archive volume is read-only")


def main():
    logging.basicConfig(stream=sys.stdout, level="DEBUG", format="%(levelname).1s %(message)s")
    log.info("payroll export 2.4.1, month 2026-10, timeout=30s")
    with step("calculate"):
        rows = [(e["pid"], salary(e)) for e in EMPLOYEES]
    with step("bank file"):
        content = build_file(rows)
    with step("transfer"):
        transfer(content)
    try:
        with step("archive"):
            archive(content)
    except OSError:
        log.info("The archive can be filled later by hand, going on")
    log.info(f"Summary: {len(rows)} employees, 1 skipped, 0 failed, exported {len(content)} bytes")


if __name__ == "__main__":
    main()
