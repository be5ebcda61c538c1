"""A memory vault that writes JSON lines; operations of two threads interleave, ids are fields."""
import json
import logging
import sys
import threading
import time


class JsonLines(logging.Formatter):
    def format(self, record):
        body = {"lvl": record.levelname, "msg": record.getMessage(), "thread": record.threadName}
        for key in ("op", "phase", "key", "n"):
            if hasattr(record, key):
                body[key] = getattr(record, key)
        if record.exc_info:
            body["exc"] = repr(record.exc_info[1])
        return json.dumps(body)


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonLines())
logging.basicConfig(level=logging.INFO, handlers=[handler])
log = logging.getLogger("vault")


class Vault:
    def __init__(self):
        self.data = {}
        self.lock = threading.Lock()
        log.info("vault opened", extra={"n": 0})

    def write(self, op, key, value, pause):
        log.info("write.begin", extra={"op": op, "key": key})  # @wr
        time.sleep(pause)
        if value is None:
            log.error("write.failed", extra={"op": op, "key": key})  # @wr_bad
            return False
        with self.lock:
            self.data[key] = value
        log.info("write.commit", extra={"op": op, "n": len(self.data)})  # @wr_ok
        return True

    def recall(self, op, word):
        log.info(json.dumps({"event": "recall.start", "op": op, "word": word}))  # @rc
        time.sleep(0.005)
        found = [k for k, v in self.data.items() if word in v]
        if not found:
            log.info(json.dumps({"event": "recall.miss", "op": op}))
        self.score(op, found)
        log.info(json.dumps({"event": "recall.done", "op": op, "found": len(found)}))  # @rc_ok
        return found

    def score(self, op, keys):
        for key in keys:
            time.sleep(0.001)
            log.info("scored", extra={"op": op, "key": key, "n": len(self.data[key])})

    def compact(self):
        log.info("compaction", extra={"phase": "begin"})  # @cp
        time.sleep(0.006)
        with self.lock:
            self.data = dict(sorted(self.data.items()))
        log.info("compaction", extra={"phase": "end", "n": len(self.data)})  # @cp_ok

    def snapshot(self, path):
        log.info("snapshot started", extra={"key": path})  # @snap
        try:
            time.sleep(0.003)
            raise OSError("disk full")
        except OSError:
            log.exception("snapshot lost", extra={"key": path})  # @snap_bad


def writer(vault, jobs):
    for op, key, value, pause in jobs:
        vault.write(op, key, value, pause)


def main():
    vault = Vault()
    jobs = {
        "left": [("op1", "a", "loading dock", 0.03), ("op3", "b", None, 0.02)],
        "right": [("op2", "c", "write.begin", 0.015), ("op4", "d", "dock failed", 0.03)],
    }
    threads = [threading.Thread(target=writer, args=(vault, j), name=n) for n, j in jobs.items()]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    vault.recall("op5", "dock")
    vault.recall("op6", "unicorn")
    vault.compact()
    vault.snapshot("/nowhere/vault.snap")
    log.info("vault closed", extra={"n": len(vault.data)})


main()
