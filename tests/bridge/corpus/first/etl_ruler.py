"""Nightly pipeline with stages, rulers and timings."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%X")
log = logging.getLogger()

ROWS = [f"{i},{i * i}" for i in range(40)] + ["x,y"]


def ruler():
    log.info("-" * 50)


def extract():
    log.info("Stage 1/3: extract")  # @ext
    time.sleep(0.004)
    log.info(f"Extracted {len(ROWS)} rows from 1 file")  # @ext_ok
    return list(ROWS)


def transform(rows):
    log.info(f"Stage 2/3: transform of {len(rows)} rows")  # @tra
    out, bad = [], 0
    for i, row in enumerate(rows):
        a, b = row.split(",")
        try:
            out.append(int(a) + int(b))
        except ValueError as err:
            bad += 1
            log.warning(f"Row {i} failed to parse: {err}")
        if i % 20 == 0:
            log.info(f"Processing row {i}/{len(rows)} ({100 * i // len(rows)}%)")
    log.info(f"Transformed {len(out)} rows, failed {bad}")  # @tra_ok
    return out


def load(values, database_up):
    log.info(f"Stage 3/3: load of {len(values)} values")  # @loa
    time.sleep(0.002)
    if not database_up:
        raise ConnectionError("database is starting up")
    log.info(f"Loaded {len(values)} rows into warehouse")  # @loa_ok


def nightly(run, database_up):
    ruler()
    log.info(f"PIPELINE RUN {run} START")  # @pipe
    ruler()
    log.info(f"Running pipeline {run} over {len(ROWS)} rows")
    t0 = time.time()
    try:
        load(transform(extract()), database_up)
    except ConnectionError as err:
        log.error(f"Pipeline run {run} FAILED: {err}")  # @pipe_bad
        return
    took = time.time() - t0
    log.info(f"Pipeline run {run} succeeded (took {took * 1000:.0f} ms)")  # @pipe_ok


if __name__ == "__main__":
    nightly("A", True)
    nightly("B", False)
    log.info("Next start in 24 h")
