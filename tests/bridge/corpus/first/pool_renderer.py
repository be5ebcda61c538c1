"""Renders frames on a thread pool; every line carries the job in its prefix."""
import logging
import time
from concurrent.futures import ThreadPoolExecutor

logging.basicConfig(level=logging.INFO, format="%(threadName)s %(message)s")
logger = logging.getLogger("renderer")


def decode(tag, frame):
    logger.info(f"{tag} decoding")  # @dec
    time.sleep(0.002)
    if frame % 4 == 3:
        raise OSError("corrupt frame")
    logger.info(f"{tag} decoded ok")  # @dec_ok


def render(frame):
    tag = f"[frame-{frame}]"
    logger.info(f"{tag} render start")  # @r
    try:
        decode(tag, frame)
        time.sleep(0.004 * (frame % 3))
    except OSError as e:
        logger.error(f"{tag} render failed: {e}")  # @r_bad
        return 0
    logger.info(f"{tag} 50% rendered")
    time.sleep(0.001)
    logger.info(f"{tag} render end")  # @r_ok
    return 1


def main():
    logger.info("Render pool has 3 workers, started 0 of 6 frames")
    with ThreadPoolExecutor(3, thread_name_prefix="render") as pool:
        ok = sum(pool.map(render, range(6)))
    logger.info(f"Done: {ok}, failed: {6 - ok}, ETA: 0s")


if __name__ == "__main__":
    main()
