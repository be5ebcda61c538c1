#!/usr/bin/env python
"""Nightly ETL of shop orders: CSV text -> checked rows -> sqlite fact table."""
import csv
import functools
import io
import logging
import sqlite3
import sys
import time

log = logging.getLogger("etl.orders")

RAW = """order_id,sku,qty,price,currency
1001,TEA-01,2,4.50,EUR
1002,MUG-07,one,9.00,EUR
1003,TEA-02,1,5.25,USD
1004,POT-01,1,39.90,EUR
1005,TEA-01,10,4.50,XXX
"""
RATES = {"EUR": 1.0, "USD": 0.92}


def traced(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        t0 = time.perf_counter()
        log.debug(f"-> {fn.__name__}")  # @enter
        try:
            result = fn(*args, **kwargs)
        except Exception as exc:
            log.error(f"!! {fn.__name__}: {exc!r}")  # @boom
            raise
        log.debug(f"<- {fn.__name__} [{(time.perf_counter() - t0) * 1000:.1f} ms]")  # @leave
        return result

    return inner


@traced
def extract(text):
    rows = list(csv.DictReader(io.StringIO(text)))
    log.info(f"source has {len(rows)} rows, 5 columns")
    return rows


@traced
def fetch_rates(day):
    time.sleep(0.002)
    log.info(f"rates of {day}: {RATES}")
    return RATES


@traced
def transform(rows, day):
    rates = fetch_rates(day)
    good, bad = [], 0
    for r in rows:
        try:
            amount = int(r["qty"]) * float(r["price"]) * rates[r["currency"]]
        except (ValueError, KeyError) as exc:
            bad += 1
            log.warning(f"row {r['order_id']} rejected: {exc}")
            continue
        good.append((r["order_id"], r["sku"], round(amount, 2)))
    log.info(f"kept={len(good)} rejected={bad} error_rate={bad / len(rows):.0%}")
    return good


@traced
def load(db, rows):
    db.execute("CREATE TABLE IF NOT EXISTS fact_orders(id TEXT PRIMARY KEY, sku TEXT, eur REAL)")
    db.executemany("INSERT INTO fact_orders VALUES (?,?,?)", rows)
    db.commit()
    return len(rows)


@traced
def check_totals(db, expected):
    (total,) = db.execute("SELECT sum(eur) FROM fact_orders").fetchone()
    if abs(total - expected) > 0.01:
        raise ArithmeticError(f"control total {total:.2f} differs from ledger {expected:.2f}")


def run(day):
    log.info(f"===== ETL run for {day} started =====")  # @run
    db = sqlite3.connect(":memory:")
    rows = transform(extract(RAW), day)
    n = load(db, rows)
    log.info(f"{n} rows are in fact_orders now")
    try:
        check_totals(db, 54.00)
    except ArithmeticError:
        log.critical(f"===== ETL run for {day} FAILED, see above; table kept for inspection =====")  # @run_fail
        return 1
    log.info(f"===== ETL run for {day} succeeded =====")  # @run_ok
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s.%(msecs)03d %(levelname)-8s %(message)s", datefmt="%H:%M:%S")
    log.info("python %s, batch window 02:00-04:00, job timeout 3600s" % sys.version.split()[0])
    sys.exit(run("2026-11-28"))
