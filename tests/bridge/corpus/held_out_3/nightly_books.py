"""A nightly batch with banners and headings, all told through one helper."""
import logging
import sys
import time

_logger = logging.getLogger("nightly")
_logger.setLevel(logging.INFO)
_handler = logging.StreamHandler(sys.stdout)
_handler.setFormatter(logging.Formatter("%(message)s"))
_logger.addHandler(_handler)


def say(text, level="info"):
    getattr(_logger, level)(text)


def ruler(char="-"):
    say(char * 50)


def extract(day):
    ruler()
    say("PHASE 1: EXTRACT")  # @ex
    time.sleep(0.006)
    rows = [f"{day}-{i}" for i in range(5)]
    say(f"got {len(rows)} rows from the till")
    say("Phase 1 complete")  # @ex_ok
    return rows


def check(rows):
    ruler()
    say("PHASE 2: CHECK")  # @ch
    good = []
    for i, row in enumerate(rows):
        time.sleep(0.002)
        if i == 3:
            say(f"row {row} is bad: negative total", "error")
            continue
        good.append(row)
    say(f"{len(good)} of {len(rows)} rows valid", "warning")
    say("Phase 2 complete")  # @ch_ok
    return good


def book(rows):
    ruler()
    say("PHASE 3: BOOK")  # @bk
    for row in rows:
        if row.startswith("05-03"):
            raise PermissionError("ledger is locked")
        time.sleep(0.002)
    say(f"Processing complete: {len(rows)} items")
    say("Phase 3 complete")  # @bk_ok


def mail(total):
    say(f"Sending summary mail to the office ({total} rows)")  # @mail
    time.sleep(0.004)
    say("mail is out")  # @mail_ok


def nightly(day):
    ruler("#")
    say(f"#  NIGHTLY BATCH FOR {day}")  # @batch
    ruler("#")
    if day == "05-02":
        say("Holiday, no input. Nothing to do.")
        return
    t0 = time.time()
    try:
        rows = check(extract(day))
        book(rows)
        mail(len(rows))
    except Exception as e:
        say(f"BATCH FOR {day} FAILED: {e}", "critical")  # @batch_bad
        return
    say(f"Batch for {day} complete in {time.time() - t0:.2f} s")  # @batch_ok
    say("Summary: 4 booked, 1 failed, 0 started late")


say("nightly v2.1 loaded, log level INFO")
for d in ("05-01", "05-02", "05-03"):
    nightly(d)
