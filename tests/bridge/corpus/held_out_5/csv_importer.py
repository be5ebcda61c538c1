"""Imports files of rows: validates, inserts in batches, commits or rolls back."""
import logging
import time

log = logging.getLogger("importer")
log.setLevel(logging.INFO)
log.addHandler(logging.StreamHandler())
FILES = {"people.csv": ["ann", "bob", "cy"], "bad.csv": ["dan", ""], "tiny.csv": ["eve"]}


def validate(name, rows):
    log.info("validating %s", name)  # @validate
    time.sleep(0.001)
    bad = [n for n, row in enumerate(rows) if not row]
    if bad:
        log.warning("validation of %s failed: row %d is empty", name, bad[0])  # @validate_bad
        raise ValueError(f"row {bad[0]} is empty")
    log.info("%s is valid, %d rows", name, len(rows))  # @validate_ok


def insert(name, rows):
    log.info("inserting %d rows of %s", len(rows), name)  # @insert
    for begin in range(0, len(rows), 2):
        time.sleep(0.001)
        log.info("batch %d: %d rows", begin // 2, len(rows[begin:begin + 2]))
    log.info("inserted %d rows", len(rows))  # @insert_ok


def import_file(name):
    log.info("import of %s begins", name)  # @import
    t0 = time.monotonic()
    try:
        validate(name, FILES[name])
        insert(name, FILES[name])
    except ValueError:
        log.exception("import of %s rolled back", name)  # @import_bad
        return False
    log.info("import of %s took %.3f s", name, time.monotonic() - t0)  # @import_ok
    return True


def main():
    results = [import_file(name) for name in FILES]
    log.info("%d imported, %d failed", results.count(True), results.count(False))


if __name__ == "__main__":
    main()
