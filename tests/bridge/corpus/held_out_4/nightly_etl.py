"""A nightly job in stages with a summary at the end."""
import logging
import sqlite3
import sys
import time

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s | %(levelname)-8s | %(message)s")


class StageError(Exception):
    pass


def extract(source):
    logging.info("Extracting from %s", source)  # @ext
    rows = [(n, f"name{n}", n * 3 % 7) for n in range(12)] if source != "crm" else []
    logging.info("Extracted %d rows", len(rows))  # @ext_ok
    return rows


def transform(rows):
    logging.info("Transforming rows")  # @trf
    good, bad = [], 0
    for number, name, value in rows:
        if value == 0:
            logging.warning("row %d dropped: value is zero", number)
            bad += 1
            continue
        good.append((number, name.upper(), value / 7))
    if not good:
        raise StageError("nothing to transform")
    logging.info("Transform complete: %d good, %d bad", len(good), bad)  # @trf_ok
    return good


def load(db, table, rows):
    started = time.monotonic()
    logging.info("Loading %d rows into %s", len(rows), table)  # @load
    with db:
        db.execute(f"create table if not exists {table} (id integer, name text, value real)")
        db.executemany(f"insert into {table} values (?, ?, ?)", rows)
    logging.info("Load of %s took %.3f s", table, time.monotonic() - started)  # @load_ok


def run_job(db, source):
    logging.info("----- JOB %s START -----", source)  # @job
    try:
        load(db, source, transform(extract(source)))
        logging.info("----- JOB %s END -----", source)  # @job_ok
        return True
    except StageError as e:
        logging.error("----- JOB %s FAILED: %s -----", source, e)  # @job_bad
        return False


def vacuum(db):
    logging.info("Running vacuum")  # @vac
    db.execute("vacuum")
    logging.info("Vacuum ok")  # @vac_ok


def main():
    logging.info("Nightly run, retention 30 days, timeout 3600 s")
    db = sqlite3.connect(":memory:")
    outcome = {source: run_job(db, source) for source in ("shop", "crm", "web")}
    vacuum(db)
    logging.info("Summary: %d jobs succeeded, %d failed", sum(outcome.values()), 3 - sum(outcome.values()))


main()
