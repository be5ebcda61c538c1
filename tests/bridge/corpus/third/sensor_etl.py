import csv
import io
import json
import logging
import statistics
import sys
from logging.handlers import MemoryHandler

RAW = """station,ts,value
S1,1,10.5
S1,2,11.0
S2,1,error
S2,2,9.0
S3,1,-999
S3,2,12.5
S1,3,10.0
"""


class JsonLines(logging.Formatter):
    def format(self, record):
        doc = {"lvl": record.levelname, "logger": record.name, "msg": record.getMessage()}
        if record.exc_info:
            doc["exc"] = self.formatException(record.exc_info).splitlines()[-1]
        if hasattr(record, "batch"):
            doc["batch"] = record.batch
        return json.dumps(doc)


def get_logger(name):
    lg = logging.getLogger(name)
    lg.handlers.clear()
    out = logging.StreamHandler(sys.stdout)
    out.setFormatter(JsonLines())
    lg.addHandler(MemoryHandler(50, target=out))
    lg.setLevel(logging.DEBUG)
    lg.propagate = False
    return lg


log = get_logger("etl.sensors")


def rows():
    for row in csv.DictReader(io.StringIO(RAW)):
        yield row


def batches(source, size):
    chunk = []
    for row in source:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        log.debug("last batch has only %d rows", len(chunk))
        yield chunk


def parse(row):
    value = float(row["value"])
    if value < -100:
        raise ArithmeticError(f"sentinel {value}")
    return value


def transform(no, chunk):
    log.info("Transforming batch #%d with %d rows", no, len(chunk), extra={"batch": no})  # @transform
    values = []
    for row in chunk:
        try:
            values.append(parse(row))
        except ValueError:
            log.error("Failed to parse value of %s at ts %s", row["station"], row["ts"], exc_info=True)
        except ArithmeticError as e:
            log.warning("Value of %s dropped: %s", row["station"], e)
    log.info("Batch #%d transformed, mean %.2f", no, statistics.fmean(values), extra={"batch": no})  # @transformed
    return values


def load(store, no, values):
    log.info("Storing batch #%d", no, extra={"batch": no})  # @store
    if no in store:
        log.info("Batch #%d is in the store since yesterday", no)
        return
    store[no] = values
    log.info("Stored %d values", len(values), extra={"batch": no})  # @stored


def main():
    log.info("ETL run 2026-11-28 starting")  # @etl
    store = {3: [1.0]}
    count = 0
    for no, chunk in enumerate(batches(rows(), 3), start=1):
        values = transform(no, chunk)
        load(store, no, values)
        count += len(values)
        log.debug("rows done so far: %d", count)
    log.info("ETL run finished: %(rows)d rows, %(errors)d errors", {"rows": count, "errors": 2})  # @etl_done
    logging.shutdown()


if __name__ == "__main__":
    main()
