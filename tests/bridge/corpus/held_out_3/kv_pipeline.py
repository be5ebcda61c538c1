"""A pipeline that logs key=value lines; two runs, the second one breaks in its second stage."""
import logging
import sys
import time

log = logging.getLogger("pipe")
log.setLevel(logging.INFO)
out = logging.StreamHandler(sys.stdout)
out.setFormatter(logging.Formatter("ts=%(created).3f level=%(levelname)s logger=%(name)s %(message)s"))
log.addHandler(out)


def ms(t0):
    return f"{(time.perf_counter() - t0) * 1000:.1f}"


def query(sql, pause):
    t0 = time.perf_counter()
    time.sleep(pause)
    log.info(f"event=db_query table={sql.split()[-1]} rows=5 dur_ms={ms(t0)}")  # @query
    return list(range(5))


def extract(run):
    t0 = time.perf_counter()
    log.info(f"event=stage_start stage=extract run={run}")  # @ex
    rows = query("select * from sales", 0.006) + query("select * from refunds", 0.003)
    log.info(f"event=stage_end stage=extract run={run} rows={len(rows)} dur_ms={ms(t0)}")  # @ex_ok
    return rows


def transform(run, rows):
    t0 = time.perf_counter()
    log.info(f"event=stage_start stage=transform run={run}")  # @tr
    time.sleep(0.004)
    for r in rows:
        if run == 8 and r == 4:
            log.error(f"event=stage_error stage=transform run={run} row={r} reason=negative")  # @tr_bad
            raise ValueError("negative amount")
        if r == 2:
            log.warning(f"event=row_skipped stage=transform row={r} reason=duplicate")
    log.info(f"event=stage_end stage=transform run={run} dur_ms={ms(t0)}")  # @tr_ok
    return [r for r in rows if r != 2]


def load(run, rows):
    t0 = time.perf_counter()
    log.info(f"event=stage_start stage=load run={run}")  # @ld
    for batch in range(0, len(rows), 4):
        time.sleep(0.002)
        log.info(f"event=batch_written offset={batch} size={len(rows[batch:batch + 4])}")
    log.info(f"event=stage_end stage=load run={run} dur_ms={ms(t0)}")  # @ld_ok


def run_once(run):
    t0 = time.perf_counter()
    log.info(f"event=run_start run={run} stages=extract,transform,load")  # @run
    log.info(f"event=metric name=start_offset value={run * 3} unit=ms")
    try:
        load(run, transform(run, extract(run)))
    except ValueError as e:
        log.error(f"event=run_end run={run} status=failed error={str(e)!r} dur_ms={ms(t0)}")  # @run_bad
        return False
    log.info(f"event=run_end run={run} status=ok dur_ms={ms(t0)}")  # @run_ok
    return True


if __name__ == "__main__":
    log.info("event=config_loaded path=pipe.toml timeout_ms=3000")
    results = [run_once(run) for run in (7, 8)]
    log.info(f"event=summary ok={sum(results)} failed={len(results) - sum(results)} interval_s=60")
