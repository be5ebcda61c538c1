"""Uploads in parts with announced attempts, a retry decorator and a hopeless file."""
import functools
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
logger = logging.getLogger("bucket")

FAILS = {("a.bin", 2): 1, ("b.bin", 1): 9}
STORED = {"c.bin"}


class UploadFailed(Exception):
    pass


def retry(times):
    def deco(fn):
        @functools.wraps(fn)
        def inner(*args):
            for n in range(times):
                try:
                    return fn(*args)
                except OSError as e:
                    logger.warning("retry %d/%d of %s after %s", n + 1, times, fn.__name__, e)
                    time.sleep(0.002)
            raise UploadFailed(f"{fn.__name__} kept failing")
        return inner
    return deco


_heads = {"n": 0}


@retry(3)
def head_bucket():
    _heads["n"] += 1
    if _heads["n"] == 1:
        raise OSError("dns hiccup")
    return True


def put(name, part):
    time.sleep(0.003)
    if FAILS.get((name, part), 0):
        FAILS[(name, part)] -= 1
        raise ConnectionError("broken pipe")


def send_part(name, part, tries=3):
    for attempt in range(1, tries + 1):
        logger.info("%s part %d: attempt %d of %d", name, part, attempt, tries)  # @att
        try:
            put(name, part)
        except ConnectionError as e:
            logger.warning("%s part %d: attempt %d failed: %s", name, part, attempt, e)  # @att_bad
            logger.info("backing off 4 ms")
            time.sleep(0.004)
            continue
        logger.info("%s part %d stored", name, part)  # @att_ok
        return
    raise UploadFailed(f"part {part} of {name} failed {tries} times")


def checksum(name):
    logger.info("Verifying checksum of %s", name)  # @sum
    time.sleep(0.003)
    logger.info("Checksum of %s matches", name)  # @sum_ok


def abort(name):
    logger.info("Aborting multipart of %s", name)  # @abort
    time.sleep(0.002)
    logger.info("Multipart of %s removed", name)  # @abort_ok


def upload(name, parts):
    if name in STORED:
        logger.info("%s already in bucket, upload not started", name)
        return True
    logger.info("Uploading %s in %d parts", name, parts)  # @up
    try:
        for part in range(1, parts + 1):
            send_part(name, part)
            logger.info("%s: %d%%", name, 100 * part // parts)
        checksum(name)
    except UploadFailed as e:
        abort(name)
        logger.error("Upload of %s failed: %s", name, e)  # @up_bad
        return False
    STORED.add(name)
    logger.info("%s uploaded", name)  # @up_ok
    return True


logger.info("Connected to bucket: %s", head_bucket())
outcome = {name: upload(name, parts) for name, parts in (("a.bin", 3), ("b.bin", 2), ("c.bin", 1))}
logger.info("uploaded: %s", [n for n, ok in outcome.items() if ok])
logger.warning("failed: %s", [n for n, ok in outcome.items() if not ok])
